"""The index in the table: chunks of bitmaps by term, and how they are read and brought up to date.

Two workers may index one lead at once, twice, or late. They end in the same index because a touch of a chunk is

    read the chunk (version c) ─▶ read the leads, consistently ─▶ write the chunk, if it is still at c, as c + 1

and because a touch writes even when it changes no bit: a slower worker that had read older leads then fails, and reads
again. So whoever writes last has read what the bits must be. The bits follow the leads as they are, never the stream's
pictures of them, which only say which terms to look at.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import ABSENT, INDEXES, Item, Key, Put, Query, Update, equals

from . import bitmap, store, terms
from .bitmap import SIZE, Bitmap, of_numbers
from .model import Lead
from .terms import Beginning

EMPTY_KEPT = 3600
"""Seconds until the table drops a chunk without bits, whose token may be somebody's name. No worker lives that long, so
none still holds what the chunk was before; and one that is needed again is written without this."""
ATTEMPTS = 30
FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.2


class Overtaken(Exception):
    """A chunk was changed by others each time that we came to write it: the batch will be tried again."""


class Spot(NamedTuple):
    """One item of the index: the chunk of a facet or of a token. A tuple, because a batch makes thousands of them."""

    kind: str
    term: str
    chunk: int

    def key(self, tenant: str) -> Key:
        if self.kind == FACET:
            return keys.facet_chunk(tenant, self.term, self.chunk)
        return keys.token_chunk(tenant, self.term, self.chunk)


FACET, TOKEN = "facet", "token"
EMAIL_INDEX = INDEXES[terms.SORTS.index("email")]


# --- reads ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """Queries whose answers together are one set of leads."""

    queries: list[Query]
    beginning: Beginning | None = None
    """Of the tokens only those that it matches."""

    def bitmap(self, answers: Iterable[Item]) -> Bitmap:
        chunks: dict[int, int] = {}
        for item in answers:
            if self.beginning is None or self.beginning.ends(keys.token_of(item["sk"])):
                chunk = keys.chunk_of(item["sk"])
                chunks[chunk] = chunks.get(chunk, 0) | bitmap.decode(item["bits"])
        return Bitmap(chunks)


class Emails(Part):
    """Entries of the sort order by e-mail instead of chunks."""

    def bitmap(self, answers: Iterable[Item]) -> Bitmap:
        return of_numbers(keys.number_of(row[f"{EMAIL_INDEX}sk"]) for row in answers)


def facet(tenant: str, name: str) -> Part:
    return Part([Query(keys.facet(tenant, name))])


def exact_token(tenant: str, token: str) -> Part:
    return Part([Query(keys.token_partition(tenant, token), prefix=token + keys.SEPARATOR)])


def beginning(ctx: Ctx, wanted: Beginning) -> Part:
    """What begins like this; a text shorter than a partition's name spans all partitions whose names begin with it."""
    tenant, prefix = ctx.tenant.id, wanted.kind + wanted.text
    if wanted.kind == terms.EMAIL:
        return Emails([Query(keys.lead_sort(tenant, "email"), index=EMAIL_INDEX, prefix=wanted.text)])
    if wanted.kind == terms.ANY_AREA:
        prefixes = [f"{area}{wanted.text}" for area in _areas(ctx)]
        return Part([Query(keys.token_partition(tenant, one), prefix=one) for one in prefixes])
    if len(prefix) >= keys.TOKEN_PREFIX:
        return Part([Query(keys.token_partition(tenant, prefix), prefix=prefix)], wanted)
    known = sorted(one for one in _token_prefixes(ctx) if one.startswith(prefix))
    return Part([Query(keys.token_partition(tenant, one)) for one in known], wanted)


def _areas(ctx: Ctx) -> list[str]:
    """What the tokens of areas begin with, for every calling code that the tenant may have."""
    known = _token_prefixes(ctx)
    areas = (f"{terms.AREA}{code}-" for code in sorted(terms.calling_codes()))
    return [area for area in areas if keys.token_prefix(area) in known]


# --- upkeep -----------------------------------------------------------------------------------------------------------


def spots_of(lead: Lead | None) -> Iterator[Spot]:
    """Every chunk whose bit for this lead must be set."""
    if lead is not None:
        chunk = lead.number // SIZE
        yield from (Spot(FACET, facet, chunk) for facet in terms.facets(lead))
        yield from (Spot(TOKEN, token, chunk) for token in terms.tokens(lead))


def refresh(ctx: Ctx, touched: Mapping[Spot, set[int]]) -> int:
    """Bring the bits of these numbers in these chunks up to date. Returns the number of conflicts met on the way."""
    conflicts, pending = 0, dict(touched)
    for attempt in range(ATTEMPTS):
        if attempt:
            ctx.table.sleep(random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)))
        pending = _round(ctx, pending)
        if not pending:
            return conflicts
        conflicts += len(pending)
    raise Overtaken(f"{len(pending)} chunks of the index kept changing")


def _round(ctx: Ctx, touched: Mapping[Spot, set[int]]) -> dict[Spot, set[int]]:
    """Read chunks, then leads, then write. Returns the chunks that others changed meanwhile."""
    tenant = ctx.tenant.id
    chunks = ctx.table.batch_get([spot.key(tenant) for spot in touched])
    present = members(store.find_many(ctx, set().union(*touched.values())))
    register(ctx, [spot for spot in touched if spot.key(tenant) not in chunks])
    writes = [
        _chunk(ctx, spot, chunks.get(spot.key(tenant)), numbers, present[spot] & numbers)
        for spot, numbers in touched.items()
    ]
    outcomes = ctx.table.write_many(writes)
    return {spot: touched[spot] for spot, refused in zip(touched, outcomes, strict=True) if refused}


def members(leads: Iterable[Lead]) -> defaultdict[Spot, set[int]]:
    """Chunk to the numbers whose bits must be set there."""
    found: defaultdict[Spot, set[int]] = defaultdict(set)
    for lead in leads:
        for spot in spots_of(lead):
            found[spot].add(lead.number)
    return found


def _chunk(ctx: Ctx, spot: Spot, item: Item | None, touched: set[int], members: set[int]) -> Put:
    """The chunk with the bits of `touched` set for `members` only, if it is still what was read."""
    bits, version = (bitmap.decode(item["bits"]), item["version"]) if item else (0, 0)
    for number in touched:
        bit = 1 << number % SIZE
        bits = bits | bit if number in members else bits & ~bit
    unchanged = equals("version", version) if item else ABSENT
    key = spot.key(ctx.tenant.id)
    ending = {} if bits else {"expires_at": ctx.now_ms() // 1000 + EMPTY_KEPT}
    return Put({"pk": key.pk, "sk": key.sk, "bits": bitmap.encode(bits), "version": version + 1, **ending}, unchanged)


def register(ctx: Ctx, born: Sequence[Spot]) -> None:
    """Write down where a tenant's index has chunks, before they come to be: `verify` and `rebuild` look there."""
    facets = {name(spot) for spot in born if spot.kind == FACET}
    ctx.table.batch_write([Put(_named(ctx, facet)) for facet in sorted(facets)])
    prefixes = frozenset(name(spot) for spot in born if spot.kind == TOKEN)
    if not prefixes:
        return
    unknown = prefixes - _token_prefixes(ctx)
    if unknown:
        ctx.table.update(Update(keys.token_prefixes(ctx.tenant.id), add={"prefixes": unknown}))


def names(ctx: Ctx) -> set[tuple[str, str]]:
    """Kind and name of all partitions of the index that are written down."""
    facets = ctx.table.query_all(Query(keys.facet_name(ctx.tenant.id, "").pk))
    return {(FACET, item["sk"]) for item in facets} | {(TOKEN, prefix) for prefix in _token_prefixes(ctx)}


def name(spot: Spot) -> str:
    """What the spot's partition is called: its facet, or what its token begins with."""
    return spot.term if spot.kind == FACET else keys.token_prefix(spot.term)


def _token_prefixes(ctx: Ctx) -> frozenset[str]:
    item = ctx.table.get(keys.token_prefixes(ctx.tenant.id), consistent=False) or {}
    return frozenset(item.get("prefixes", ()))


def _named(ctx: Ctx, facet: str) -> Item:
    key = keys.facet_name(ctx.tenant.id, facet)
    return {"pk": key.pk, "sk": key.sk}
