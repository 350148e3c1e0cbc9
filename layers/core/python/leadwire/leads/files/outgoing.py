"""Every lead of a tenant, or those of some facets, in order of creation: an order that stays while leads change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched

from leadwire import keys
from leadwire.context import Ctx
from leadwire.leads import numbers, query, store
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.store.limits import MOST_GOT
from leadwire.store.types import Query

type Facets = tuple[tuple[str, ...], ...]

CREATED = "g1"
"""The index of the order of creation."""


def leads(ctx: Ctx, facets: Facets) -> tuple[int, Iterator[Lead]]:
    """About how many there are to look at, and the leads that are in one facet of each group.

    One that is made or deleted meanwhile may be among them or not; no other is missing or comes twice.
    """
    if facets:
        chosen = query.members(ctx, LeadQuery(facets=facets))
        return len(chosen), _read(ctx, iter(chosen))
    counter = numbers.of_item(ctx.table.get(numbers.key(ctx)))
    return counter.value, _read(ctx, _all(ctx))


def _all(ctx: Ctx) -> Iterator[int]:
    """By the order of creation, page by page: the pending leads of a large import are not held in memory."""
    partition = keys.lead_sort(ctx.tenant.id, "created")
    for row in ctx.table.query_all(Query(partition, index=CREATED)):
        yield keys.number_of(row[f"{CREATED}sk"])


def _read(ctx: Ctx, wanted: Iterator[int]) -> Iterator[Lead]:
    for some in batched(wanted, MOST_GOT, strict=False):
        found = {lead.number: lead for lead in store.find_many(ctx, some)}
        yield from (found[number] for number in some if number in found)
