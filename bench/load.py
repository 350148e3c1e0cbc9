"""Very many leads into an embedded table at once: leads and index as their writers would have left them."""

from __future__ import annotations

import itertools
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from leadwire import keys, tenants
from leadwire.context import Ctx
from leadwire.leads import bitmap, index, items, numbers
from leadwire.leads.bitmap import SIZE
from leadwire.leads.index import FACET, Spot
from leadwire.leads.model import Lead
from leadwire.ports import Ports
from leadwire.store import limits, rows
from leadwire.store.types import INDEXES, Item, Key

CACHE_KIB = 1 << 20


def load(path: Path, ctx: Ctx, leads: Iterable[Lead], moved: Callable[[int], None]) -> None:
    """Put leads (in order of number) with their index into the closed database of `ctx`'s tenant.

    It is not safe against a crash. `moved` is told how many numbers were covered by each step.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        for name in (*INDEXES, "expires"):  # made at the end, in one go: much faster than lead by lead
            connection.execute(f"DROP INDEX items_{name}")
        connection.execute("BEGIN")
        names: set[Spot] = set()
        for _, chunk in itertools.groupby(leads, lambda lead: lead.number // SIZE):
            _load_chunk(connection, ctx, list(chunk), names)
            moved(SIZE)
        _put(connection, _names(ctx, names))
        connection.execute("COMMIT")
        rows.create(connection)


def _load_chunk(connection: sqlite3.Connection, ctx: Ctx, leads: list[Lead], names: set[Spot]) -> None:
    spots: dict[Spot, int] = defaultdict(int)
    for lead in leads:
        for spot in index.spots_of(lead):
            spots[spot] |= bitmap.place(lead.number)[1]
    names.update(Spot(spot.kind, index.name(spot), 0) for spot in spots)
    _put(connection, (items.to_item(ctx, lead) for lead in leads))
    _put(connection, (_chunk(ctx, spot, bits) for spot, bits in spots.items()))


def _put(connection: sqlite3.Connection, items: Iterable[Item]) -> None:
    for item in items:
        row = rows.row_of(item, limits.check_item(item))
        rows.replace(connection, Key(item["pk"], item["sk"]), None, row)


def _chunk(ctx: Ctx, spot: Spot, bits: int) -> Item:
    key = spot.key(ctx.tenant.id)
    return {"pk": key.pk, "sk": key.sk, "bits": bitmap.encode(bits), "version": 1}


def _names(ctx: Ctx, names: Iterable[Spot]) -> Iterator[Item]:
    prefixes = frozenset(spot.term for spot in names if spot.kind != FACET)
    key = keys.token_prefixes(ctx.tenant.id)
    yield {"pk": key.pk, "sk": key.sk, "prefixes": prefixes}
    for spot in names:
        if spot.kind == FACET:
            key = keys.facet_name(ctx.tenant.id, spot.term)
            yield {"pk": key.pk, "sk": key.sk}


def tenant(ports: Ports, count: int) -> Ctx:
    """A new tenant whose leads 1 to `count` are about to be loaded."""
    ctx = tenants.operate(ports, tenants.create(ports, "bench", "Bench"), "bench")
    numbers.draw(ctx, count)
    return ctx
