"""Is the index what the leads say? And if not: made so, while writes go on.

    leads ────────▶ a fingerprint of each chunk that there must be, and the names of facets and tokens
    index ────────▶ each stored chunk: its fingerprint is crossed off, or it is odd
    what is left ─▶ its leads and chunks again, consistently ─▶ which bits are wrong

The first two read every lead and every chunk once, eventually consistently; about 250 MB hold the fingerprints of a
million leads. Leads that are pending are no error: the indexer has yet to come, or the reads were too early.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import Query

from . import bitmap, index, numbers, pending, store
from .bitmap import SIZE, Bitmap
from .index import FACET, Spot

AT_ONCE = 500
"""Chunks that are looked at closely, or mended, in one go."""

type Moved = Callable[[str, int, int], None]
"""Told of progress: what is read, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A chunk and the numbers whose bits are wrong there: not set though they must be, or set though they must not."""

    spot: Spot
    missing: tuple[int, ...]
    stale: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A facet, or the partition of a token, that is not written down where `verify` and short searches look."""

    spot: Spot


@dataclass(slots=True)
class Expected:
    """What must be in the index: fingerprints by chunk, and one spot of each name."""

    prints: dict[int, set[int]]
    names: dict[tuple[str, str], Spot]


def verify(ctx: Ctx, moved: Moved) -> Iterator[Wrong | Unnamed]:
    """What is wrong with the tenant's index. Leads that are pending are passed over."""
    expected = _expected(ctx, moved)
    known = index.names(ctx)
    yield from (Unnamed(spot) for name, spot in sorted(expected.names.items()) if name not in known)
    for chunk, odd in _suspects(ctx, expected, known | set(expected.names), moved):
        yield from _wrong(ctx, chunk, odd, skip_pending=True)


def rebuild(ctx: Ctx, moved: Moved) -> Iterator[Wrong | Unnamed]:
    """Mend the index, and say what was mended. Safe at any time: bits are written as by the indexer."""
    expected = _expected(ctx, moved)
    known = index.names(ctx)
    unnamed = [spot for name, spot in sorted(expected.names.items()) if name not in known]
    index.register(ctx, unnamed)
    yield from map(Unnamed, unnamed)
    for chunk, odd in _suspects(ctx, expected, known | set(expected.names), moved):
        for some in batched(_wrong(ctx, chunk, odd, skip_pending=False), AT_ONCE, strict=False):
            index.refresh(ctx, {wrong.spot: {*wrong.missing, *wrong.stale} for wrong in some})
            yield from some


def _expected(ctx: Ctx, moved: Moved) -> Expected:
    expected = Expected({}, {})
    last = numbers.of_item(ctx.table.get(numbers.key(ctx))).value
    for chunk in range(last // SIZE + 1):
        moved("leads", chunk, last // SIZE + 1)
        members = _members(ctx, chunk, consistent=False)
        expected.prints[chunk] = {_print(spot, bits) for spot, bits in members.items()}
        expected.names.update({(spot.kind, index.name(spot)): spot for spot in members})
    return expected


def _suspects(
    ctx: Ctx, expected: Expected, names: Iterable[tuple[str, str]], moved: Moved
) -> Iterator[tuple[int, set[Spot]]]:
    """Chunks in which something differs, each with the spots that are stored otherwise than expected."""
    odd: dict[int, set[Spot]] = defaultdict(set)
    for spot, bits in _stored(ctx, sorted(names), moved):
        prints = expected.prints.get(spot.chunk, set())
        if (found := _print(spot, bits)) in prints:
            prints.remove(found)
        elif bits:
            odd[spot.chunk].add(spot)
    chunks = sorted({*odd, *(chunk for chunk, prints in expected.prints.items() if prints)})
    for at, chunk in enumerate(chunks):
        moved("differences", at, len(chunks))
        yield chunk, odd[chunk]


def _stored(ctx: Ctx, names: Sequence[tuple[str, str]], moved: Moved) -> Iterator[tuple[Spot, int]]:
    """Every chunk in the table."""
    tenant = ctx.tenant.id
    for at, (kind, name) in enumerate(names):
        moved("index", at, len(names))
        partition = keys.facet(tenant, name) if kind == FACET else keys.token_partition(tenant, name)
        for item in ctx.table.query_all(Query(partition)):
            term = name if kind == FACET else keys.token_of(item["sk"])
            yield Spot(kind, term, keys.chunk_of(item["sk"])), bitmap.decode(item["bits"])


def _wrong(ctx: Ctx, chunk: int, odd: set[Spot], *, skip_pending: bool) -> Iterator[Wrong]:
    """A close look at a chunk of numbers: everything that is there, and everything that must be."""
    members = _members(ctx, chunk, consistent=True)
    for spots in batched(sorted({*odd, *members}), AT_ONCE, strict=False):
        items = ctx.table.batch_get([spot.key(ctx.tenant.id) for spot in spots])
        passed = pending.read(ctx).mask().chunks.get(chunk, 0) if skip_pending else 0
        for spot in spots:
            item = items.get(spot.key(ctx.tenant.id))
            is_set, must_be = bitmap.decode(item["bits"]) if item else 0, members.get(spot, 0)
            missing, stale = must_be & ~is_set & ~passed, is_set & ~must_be & ~passed
            if missing or stale:
                yield Wrong(spot, _numbers(chunk, missing), _numbers(chunk, stale))


def _members(ctx: Ctx, chunk: int, *, consistent: bool) -> dict[Spot, int]:
    """Every spot of the chunk's leads to the bits that must be set there."""
    first = max(1, chunk * SIZE)
    leads = store.find_many(ctx, range(first, (chunk + 1) * SIZE), consistent=consistent)
    return {spot: bitmap.of_numbers(members).chunks[chunk] for spot, members in index.members(leads).items()}


def _print(spot: Spot, bits: int) -> int:
    """64 bits that no other chunk and no other content is likely to have."""
    return hash((spot.kind, spot.term, bitmap.encode(bits)))


def _numbers(chunk: int, bits: int) -> tuple[int, ...]:
    return tuple(Bitmap({chunk: bits}))
