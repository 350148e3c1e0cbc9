"""Other sort orders: the planner reads a small set whole and walks for a large one, from the nearer end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import costs, leads
from leadwire.context import Ctx
from leadwire.leads import pending, terms, walk
from leadwire.leads.bitmap import Bitmap, of_numbers
from leadwire.leads.model import Lead
from leadwire.leads.pending import Overlay
from leadwire.leads.walk import Order

LEADS = 3000
NOTHING = Overlay({})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> costs.Bench:
    return costs.loaded(tmp_path_factory.mktemp("walk") / "table.db", LEADS, lambda _: None)


@pytest.fixture
def ctx(bench: costs.Bench) -> Iterator[Ctx]:
    with bench.ports() as ports:
        yield costs.fresh(ports, bench.tenant)


@pytest.fixture(scope="module")
def stored() -> dict[int, Lead]:
    return {lead.number: lead for lead in leads.made_up(LEADS)}


def page(ctx: Ctx, found: Bitmap, offset: int, *, sort: str = "last_name", descending: bool = False) -> list[int]:
    return walk.page(ctx, Order(sort, descending), NOTHING, found, offset, 25)


def in_order(stored: dict[int, Lead], found: Bitmap, sort: str, *, descending: bool) -> list[int]:
    value = terms.SORT_VALUES[sort]
    return sorted(found, key=lambda number: (value(stored[number]), number), reverse=descending)


@pytest.mark.parametrize("sort", terms.SORTS[1:])
@pytest.mark.parametrize("share", [1, 7, 200], ids="one-in-{}".format)
def test_pages_are_slices_of_the_sorted_set_whatever_its_size(
    ctx: Ctx, stored: dict[int, Lead], sort: str, share: int
) -> None:
    found = of_numbers(number for number in stored if number % share == 0)
    for descending in (False, True):
        expected = in_order(stored, found, sort, descending=descending)
        for offset in (0, 25, len(expected) // 2, max(0, len(expected) - 30), len(expected), len(expected) + 99):
            assert page(ctx, found, offset, sort=sort, descending=descending) == expected[offset : offset + 25]


def test_the_last_page_is_walked_from_the_end(ctx: Ctx, stored: dict[int, Lead]) -> None:
    found = of_numbers(stored)
    page(ctx, found, 0)
    first = ctx.table.meter.consumed.rru
    page(ctx, found, len(found) - 25)
    assert ctx.table.meter.consumed.rru - first <= first


def test_a_small_set_is_read_whole_instead_of_walked_for(ctx: Ctx, stored: dict[int, Lead]) -> None:
    found = of_numbers(list(stored)[::700])
    page(ctx, found, 0)
    assert ctx.table.meter.consumed.rru == len(found) / 2


def test_an_empty_set_and_a_page_behind_the_end_read_nothing(ctx: Ctx, stored: dict[int, Lead]) -> None:
    assert page(ctx, Bitmap(), 0) == page(ctx, of_numbers(stored), len(stored)) == []
    assert ctx.table.meter.trips == 0


def test_pending_leads_stand_where_they_say_and_not_where_the_index_has_them(ctx: Ctx, stored: dict[int, Lead]) -> None:
    moved = Lead(number=7, last_name="!first of all")
    overlay = Overlay({7: pending.text_of(moved), 9: None})
    found = of_numbers(stored) - of_numbers([9])
    expected = in_order({**stored, 7: moved}, found, "last_name", descending=False)
    assert walk.page(ctx, Order("last_name", False), overlay, found, 0, 25) == expected[:25]
    assert expected[0] == 7
