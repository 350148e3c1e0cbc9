"""How many leads there are, by what the list engine counts anyway: no lead is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import Query

from . import pending, query, terms

COUNTED = ("status", "source", "pipeline", "stage", "user")


@dataclass(frozen=True, slots=True)
class Stats:
    total: int
    starred: int
    by: Mapping[str, Mapping[str, int]]
    """Each of `COUNTED` to value to count; values without a lead are left out."""


def read(ctx: Ctx) -> Stats:
    """Reads the names of all facets that were ever used, and one chunk and more for each."""
    names = ctx.table.query_many([Query(keys.facet_name(ctx.tenant.id, "").pk, prefix=f"{kind}=") for kind in COUNTED])
    known = {item["sk"] for items in names for item in items}
    fresh = {facet for lead in pending.read(ctx).living() for facet in terms.facets(lead)}
    wanted = sorted(known | {facet for facet in fresh if facet.partition("=")[0] in COUNTED})
    counts = query.totals(ctx, [terms.ALL, terms.STARRED, *wanted])
    by: dict[str, dict[str, int]] = {kind: {} for kind in COUNTED}
    for facet in wanted:
        kind, _, value = facet.partition("=")
        if counts[facet]:
            by[kind][value] = counts[facet]
    return Stats(counts[terms.ALL], counts[terms.STARRED], by)
