"""The journal: every event of a tenant in the order of its ids, and those of one lead with its parts.

An id is drawn just before its transaction, so for a moment a lower one may still be on its way to the table, or to the
index by day. The journal therefore ends `SETTLED` before now: what it has shown is complete, and a reader that goes on
after the last id that it was told misses nothing and sees nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from . import events, ids, keys
from .context import Ctx
from .events import Event
from .store.types import Item, Key, Query

SETTLED = 15_000
"""Milliseconds: a transaction and all its retries take 3 seconds, an index follows within a few, clocks differ by 2."""
DAYS = 31
"""Days without any event that one call looks through at most."""
MOST_BYTES = 4 << 20
"""Of the events of one chapter, as they are stored: a function answers with 6 MB at most."""
PREFIX = "EVT#"
FIRST = "0" * 26


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the journal; reading on after `next` is right, whether there was an event or not."""

    events: Sequence[Event]
    next: str
    more: bool


def read(ctx: Ctx, after: str, limit: int) -> Chapter:
    """What follows the id `after`, from the beginning if it is empty; what lies before the tenant is skipped."""
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
    items = _items(ctx, rows[:limit])
    found = [events.from_item(item) for item in _fitting(items)]
    if len(rows) > limit or len(found) < len(items):
        return Chapter(found, found[-1].id, more=True)
    if day > last:
        return Chapter(found, end, more=False)
    following = _first(day) if found else max(_first(day), ids.first_ulid(_beginning(ctx)))
    return Chapter(found, following, more=True)


def of_leads(ctx: Ctx, numbers: Sequence[int], after: str, limit: int) -> Chapter:
    """The events of a lead, and of those that became part of it, after the id `after`.

    Strongly consistent, for each lead is one partition. They are read side by side; the chapter ends where the first of
    these pages does.
    """
    low, most = f"{PREFIX}{after or FIRST}", limit + 2  # one may be the bound itself, one tells whether there is more
    partitions = [keys.event(ctx.tenant.id, number, "").pk for number in numbers]
    pages = ctx.table.query_pages(
        [Query(pk, low=low, high=f"{PREFIX}~", limit=most, consistent=True) for pk in partitions]
    )
    read = min((str(page.next["sk"]) for page in pages if page.next), default="~")
    found = sorted((item for page in pages for item in page.items if item["sk"] <= read), key=lambda item: item["sk"])
    found = [item for item in found if item["sk"] != low]
    shown = [events.from_item(item) for item in _fitting(found[:limit])]
    return Chapter(shown, shown[-1].id if shown else after or FIRST, more=len(found) > len(shown) or read != "~")


def _fitting(items: Sequence[Item]) -> list[Item]:
    """As many as fit into an answer, and at least one."""
    sizes = accumulate(sum(len(item.get(name, "").encode()) for name in ("lead", "changes", "about")) for item in items)
    return [item for at, (item, size) in enumerate(zip(items, sizes, strict=True)) if not at or size <= MOST_BYTES]


def _beginning(ctx: Ctx) -> int:
    """When the tenant was made, in epoch milliseconds."""
    item = ctx.table.get(keys.tenant(ctx.tenant.id)) or {}
    return int(item.get("created_at", 0))


def _items(ctx: Ctx, rows: Sequence[Item]) -> list[Item]:
    wanted = [Key(row["pk"], row["sk"]) for row in rows]
    items = ctx.table.batch_get(wanted) if wanted else {}
    return [items[key] for key in wanted if key in items]


def _day(ulid: str) -> date:
    return datetime.fromtimestamp(ids.ulid_ms(ulid) / 1000, UTC).date()


def _first(day: date) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return ids.first_ulid(int(midnight.timestamp() * 1000))
