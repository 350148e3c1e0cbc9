"""The journal: every event of a tenant in the order of its ids, and those of one lead.

An id is drawn just before its transaction, so for a moment a lower one may still be on its way to the table, or to the
index by day. The journal therefore ends `SETTLED` before now: what it has shown is complete, and a reader that goes on
after the last id that it was told misses nothing and sees nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from . import events, ids, keys
from .context import Ctx
from .events import Event
from .store.types import Item, Key, Query

SETTLED = 15_000
"""Milliseconds: a transaction and all its retries take 3 seconds, an index follows within a few, clocks differ by 2."""
DAYS = 31
"""Days without any event that one call looks through at most."""
PREFIX = "EVT#"
FIRST = "0" * 26


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the journal; reading on after `next` is right, whether there was an event or not."""

    events: Sequence[Event]
    next: str
    more: bool


def read(ctx: Ctx, after: str, limit: int) -> Chapter:
    """What follows the id `after`, from the beginning if it is empty."""
    end = ids.first_ulid(ctx.now_ms() - SETTLED)
    start = after or ids.first_ulid(_beginning(ctx))
    if start >= end:
        return Chapter([], start, more=False)
    day, last = _day(start), _day(end)
    rows: list[Item] = []
    for _ in range(DAYS):
        partition = keys.journal(ctx.tenant.id, day.isoformat())
        wanted = limit + 2 - len(rows)  # one may be the bound itself, one tells whether there is more
        rows += ctx.table.query(Query(partition, index="g1", low=start, high=end, limit=wanted)).items
        rows = [row for row in rows if row["g1sk"] != after]
        day += timedelta(days=1)
        if len(rows) > limit or day > last:
            break
    found = _events(ctx, rows[:limit])
    if len(rows) > limit:
        return Chapter(found, found[-1].id, more=True)
    return Chapter(found, end if day > last else _first(day), more=day <= last)


def of_lead(ctx: Ctx, number: int, after: str, limit: int) -> Chapter:
    """The events of one lead after the id `after`, consistent to the last: they are one partition."""
    pk = keys.event(ctx.tenant.id, number, "").pk
    query = Query(pk, low=f"{PREFIX}{after or FIRST}", high=f"{PREFIX}~", limit=limit + 2, consistent=True)
    found = [events.from_item(item) for item in ctx.table.query(query).items]
    found = [event for event in found if event.id != after]
    shown = found[:limit]
    return Chapter(shown, shown[-1].id if shown else after or FIRST, more=len(found) > limit)


def _beginning(ctx: Ctx) -> int:
    """When the tenant was made, in epoch milliseconds."""
    item = ctx.table.get(keys.tenant(ctx.tenant.id)) or {}
    return int(item.get("created_at", 0))


def _events(ctx: Ctx, rows: Sequence[Item]) -> list[Event]:
    wanted = [Key(row["pk"], row["sk"]) for row in rows]
    items = ctx.table.batch_get(wanted) if wanted else {}
    return [events.from_item(items[key]) for key in wanted if key in items]


def _day(ulid: str) -> date:
    return datetime.fromtimestamp(ids.ulid_ms(ulid) / 1000, UTC).date()


def _first(day: date) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return ids.first_ulid(int(midnight.timestamp() * 1000))
