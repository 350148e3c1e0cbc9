"""Any list of leads: filters, search, date bounds, six sort orders, exact totals, any page. Right at once.

    PENDING (consistent) ─▶ chunks of the facets and tokens (eventually consistent) ─▶ set algebra ─▶ page ─▶ its leads

The overlay is read first: what it no longer holds when we look has long been in the index, also in a stale copy of it.
A total is a count of bits, a page in order of creation a selection of bits; other orders are walked (walk.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, islice
from operator import and_, or_

from leadwire.context import Ctx

from . import bounds, index, pending, store, terms, walk
from .bitmap import Bitmap, of_numbers
from .index import Part
from .model import Lead
from .pending import Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuery:
    """What is asked for. All parts must hold; the default asks for every lead, newest first."""

    facets: tuple[tuple[str, ...], ...] = ()
    """Groups of facets: a lead is in at least one facet of each group."""
    search: str = ""
    search_phones: bool = True
    """Whether a search may also be the beginning of a phone number (not in the chatbot dialect)."""
    phone: str = ""
    """E.164, exact."""
    created_after: int | None = None
    created_before: int | None = None
    """Epoch milliseconds, exclusive."""
    below: int | None = None
    """Only numbers below this one: where a page after another page begins, in order of creation, newest first."""
    sort: str = "created"
    """One of terms.SORTS. `created` is the order of numbers."""
    descending: bool = True
    offset: int = 0
    limit: int = 25

    def asks(self) -> bool:
        """Whether a lead has to be looked at to know that it is in the list: its number does not tell."""
        bounds_ = (self.created_after, self.created_before)
        return bool(self.facets or self.search or self.phone) or bounds_ != (None, None)

    def searched(self) -> terms.Search:
        return terms.search(self.search, phones=self.search_phones) if self.search else []


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of leads, and how many there are on all pages together."""

    leads: list[Lead]
    """Those of the page's places that are still there when they are read."""
    total: int
    last: int | None = None
    """The number at the end of the page, if there is another page; the lead may be gone meanwhile."""


def run(ctx: Ctx, query: LeadQuery) -> Listed:
    """The page and the total. Four round trips with the caller's admission: PENDING, chunks, and the page's leads."""
    overlay = pending.read(ctx)
    found = _find(ctx, query, overlay)
    numbers = _page(ctx, query, overlay, found)
    leads = {lead.number: lead for lead in store.find_many(ctx, numbers)} if numbers else {}
    more = 0 < len(numbers) < len(found) - query.offset
    return Listed([leads[number] for number in numbers if number in leads], len(found), numbers[-1] if more else None)


def members(ctx: Ctx, query: LeadQuery) -> Bitmap:
    """The numbers of all leads on all pages."""
    return _find(ctx, query, pending.read(ctx))


def totals(ctx: Ctx, facets: Sequence[str]) -> dict[str, int]:
    """How many leads are in each facet: two round trips, whatever the number of facets."""
    overlay = pending.read(ctx)
    sets = _read(ctx, {facet: index.facet(ctx.tenant.id, facet) for facet in facets})
    own = [(lead.number, set(terms.facets(lead))) for lead in overlay.living()]
    mask = overlay.mask()
    return {
        facet: len((sets[facet] - mask) | of_numbers(number for number, its in own if facet in its)) for facet in facets
    }


def matches(query: LeadQuery, lead: Lead) -> bool:
    """Whether a lead is in the list: what the index answers, asked of the lead itself."""
    own = set(terms.facets(lead)) if query.facets else set()
    return (
        all(own.intersection(group) for group in query.facets)
        and (not query.search or terms.meets(lead, query.searched()))
        and (not query.phone or query.phone in (lead.phone, *lead.other_phones))
        and (query.created_after is None or lead.created_at > query.created_after)
        and (query.created_before is None or lead.created_at < query.created_before)
        and (query.below is None or lead.number < query.below)
    )


def _find(ctx: Ctx, query: LeadQuery, overlay: Overlay) -> Bitmap:
    """The numbers of the list: the index's, but for pending leads what they say themselves."""
    indexed = _indexed(ctx, query)
    if query.created_after is not None:
        indexed = bounds.after(ctx, indexed, query.created_after)
    if query.created_before is not None:
        indexed = bounds.before(ctx, indexed, query.created_before)
    own = of_numbers(_matching(query, overlay)) if query.asks() else overlay.numbers()
    found = (indexed - overlay.mask()) | own
    return found if query.below is None else found.between(0, query.below - 1)


def _matching(query: LeadQuery, overlay: Overlay) -> list[int]:
    return [lead.number for lead in overlay.living() if matches(query, lead)]


def _indexed(ctx: Ctx, query: LeadQuery) -> Bitmap:
    """Facets and tokens, read side by side, and their algebra."""
    tenant, searched = ctx.tenant.id, query.searched()
    groups = query.facets or (() if query.search or query.phone else ((terms.ALL,),))
    wanted: dict[Hashable, Part] = {facet: index.facet(tenant, facet) for group in groups for facet in group}
    wanted |= {one: index.beginning(ctx, one) for groups_ in searched for group_ in groups_ for one in group_}
    if query.phone:
        wanted[query.phone] = index.exact_token(tenant, terms.phone_token(query.phone))
    sets = _read(ctx, wanted)
    parts = [_conjunction(groups, sets)] if groups else []
    if query.search:
        parts.append(_union([_conjunction(option, sets) for option in searched]))
    if query.phone:
        parts.append(sets[query.phone])
    return _intersection(parts)


def _read(ctx: Ctx, wanted: Mapping[Hashable, Part]) -> dict[Hashable, Bitmap]:
    """Everything that was asked for in one go, put together again by name."""
    answers = iter(ctx.table.query_many([query for part in wanted.values() for query in part.queries]))
    return {name: part.bitmap(chain.from_iterable(islice(answers, len(part.queries)))) for name, part in wanted.items()}


def _page(ctx: Ctx, query: LeadQuery, overlay: Overlay, found: Bitmap) -> list[int]:
    if query.sort == "created":
        return found.select(query.offset, query.limit, descending=query.descending)
    order = walk.Order(query.sort, query.descending)
    return walk.page(ctx, order, overlay, found, query.offset, query.limit)


def _conjunction(groups: Iterable[Iterable[Hashable]], sets: Mapping[Hashable, Bitmap]) -> Bitmap:
    """In at least one set of each group."""
    return _intersection([_union([sets[name] for name in group]) for group in groups])


def _union(sets: Sequence[Bitmap]) -> Bitmap:
    return reduce(or_, sets, Bitmap())


def _intersection(sets: Sequence[Bitmap]) -> Bitmap:
    return reduce(and_, sets)
