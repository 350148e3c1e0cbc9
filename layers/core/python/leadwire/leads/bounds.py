"""Date bounds as bounds of numbers: "created after B" is almost "numbers from N on".

Numbers are given out in order of creation, but for leads that were made at the same moment by different machines. As
long as their clocks agree within `SKEW`, a lead that is more than that older than another has the lower number. So one
entry of the created index at the bound is a pivot, and only the leads that were created around it are looked at.
"""

from __future__ import annotations

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import Query

from .bitmap import Bitmap, of_numbers

SKEW = 2000
"""Milliseconds."""
_LAST = 10**15 - 1


def after(ctx: Ctx, numbers: Bitmap, bound: int) -> Bitmap:
    """Those created after `bound` (epoch milliseconds, exclusive)."""
    return _split(ctx, numbers, bound)[1]


def before(ctx: Ctx, numbers: Bitmap, bound: int) -> Bitmap:
    """Those created before `bound` (epoch milliseconds, exclusive)."""
    return _split(ctx, numbers, bound - 1)[0]


def _split(ctx: Ctx, numbers: Bitmap, bound: int) -> tuple[Bitmap, Bitmap]:
    """Those created up to `bound`, and those created later."""
    bound = min(max(bound, 0), _LAST)
    partition = keys.lead_sort(ctx.tenant.id, "created")
    until = Query(partition, index="g1", high=_edge(bound, last=True), forward=False, limit=1)
    pivots = ctx.table.query(until).items
    if not pivots:
        return Bitmap(), numbers
    pivot, created = _entry(pivots[0]["g1sk"])
    window = Query(partition, index="g1", low=_edge(created - SKEW), high=_edge(bound + SKEW, last=True))
    near = [_entry(row["g1sk"]) for row in ctx.table.query_all(window)]
    aside = of_numbers(number for number, _ in near)
    early = of_numbers(number for number, at in near if at <= bound) & numbers
    rest = numbers - aside
    return rest.between(0, pivot) | early, rest.between(pivot + 1, 10**12) | ((numbers & aside) - early)


def _edge(ms: int, *, last: bool = False) -> str:
    """The lowest, or the highest, sort key of a moment."""
    return keys.created_edge(max(ms, 0), last=last)


def _entry(sort_key: str) -> tuple[int, int]:
    """Number and creation time of an entry of the created index."""
    value, _, number = sort_key.partition(keys.SEPARATOR)
    return int(number), int(value)
