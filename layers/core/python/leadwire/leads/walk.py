"""Sort orders other than creation: a walk along the order's sparse index that keeps the members of a set.

The planner compares what two ways would cost and takes the cheaper: walk from the nearer end until the page is full, or
read all members and sort them. Pending leads are taken out of the index and put in by their own values.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import INDEXES, Query

from . import store, terms
from .bitmap import SIZE, Bitmap
from .model import Lead
from .pending import Overlay

ENTRY_BYTES = 110
"""About the size of an entry of a sort index."""
RRU_BYTES = 8192
"""Read by one unit, eventually consistently."""
LEAD_RRU = 0.5
"""A lead under 4 KiB, read eventually consistently: enough for what the overlay does not hold."""
MARGIN = 10
LONGEST_PAGE = 9000
"""Entries in the megabyte at which DynamoDB ends a page anyway."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order and its direction."""

    sort: str
    descending: bool

    @property
    def index(self) -> str:
        return INDEXES[terms.SORTS.index(self.sort)]

    def reversed(self) -> Order:
        return Order(self.sort, not self.descending)

    def key(self, lead: Lead) -> str:
        return keys.lead_sort_value(terms.SORT_VALUES[self.sort](lead), lead.number)


def page(ctx: Ctx, order: Order, overlay: Overlay, found: Bitmap, offset: int, limit: int) -> list[int]:
    """The numbers of `found` from `offset` on, in this order. Ties break by number."""
    total = len(found)
    count = max(0, min(limit, total - offset))
    if not count:
        return []
    if offset > total - offset - count:
        return page_from_start(ctx, order.reversed(), overlay, found, (total - offset - count, count))[::-1]
    return page_from_start(ctx, order, overlay, found, (offset, count))


def page_from_start(ctx: Ctx, order: Order, overlay: Overlay, found: Bitmap, span: tuple[int, int]) -> list[int]:
    """`span` is offset and count, both within the set."""
    offset, count = span
    pending = sorted(map(order.key, overlay.living(found)), reverse=order.descending)
    settled = found - overlay.mask()
    ahead = _entries_ahead(settled, offset + count)
    if len(settled) * LEAD_RRU <= ahead * ENTRY_BYTES / RRU_BYTES:
        entries: Iterable[str] = _fetched(ctx, order, settled)
    else:
        entries = _walked(ctx, order, settled, ahead)
    merged = heapq.merge(pending, entries, reverse=order.descending)
    return [keys.number_of(entry) for entry in islice(merged, offset, offset + count)]


def _entries_ahead(settled: Bitmap, wanted: int) -> int:
    """Entries that a walk is likely to pass before it has met so many members."""
    members = len(settled)
    span = max(settled.chunks, default=0) * SIZE + SIZE
    return int(span * min(wanted, members) / max(members, 1))


def _fetched(ctx: Ctx, order: Order, settled: Bitmap) -> list[str]:
    leads = store.find_many(ctx, settled, consistent=False)
    return sorted((order.key(lead) for lead in leads), reverse=order.descending)


def _walked(ctx: Ctx, order: Order, settled: Bitmap, ahead: int) -> Iterator[str]:
    """Sort keys of the members, read page by page as far as they are asked for."""
    partition = keys.lead_sort(ctx.tenant.id, order.sort)
    limit = min(LONGEST_PAGE, ahead + ahead // 4 + MARGIN)
    query = Query(partition, index=order.index, forward=not order.descending, limit=limit)
    for row in ctx.table.query_all(query):
        entry = row[f"{order.index}sk"]
        if keys.number_of(entry) in settled:
            yield entry
