"""What is stored of a pending lead: all that lists look at, in few bytes."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.context import Ctx
from leadwire.leads import pending, query, service, terms
from leadwire.leads.bitmap import of_numbers
from leadwire.leads.model import STATUSES, Lead
from leadwire.leads.query import LeadQuery
from leadwire.store.database import MEMORY
from tests import factories
from tests.factories import Clock, draft

PENDING = 200
TEXT = st.text(string.ascii_letters + " ü.@-+", max_size=12)
NUMBER = st.none() | st.integers(1, 99)
LEADS = st.builds(
    Lead,
    number=st.integers(1, 10**9),
    created_at=st.integers(0, 10**13),
    updated_at=st.integers(0, 10**13),
    first_name=TEXT,
    last_name=TEXT,
    email=TEXT,
    phone=st.sampled_from(["", "+14155550100", "+4930123456"]),
    source=TEXT,
    status=st.sampled_from(STATUSES),
    score=st.integers(-5, 100),
    starred=st.booleans(),
    pipeline_id=NUMBER,
    stage_id=NUMBER,
    assigned_user_id=NUMBER,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    lists=st.lists(TEXT, max_size=2).map(tuple),
    chatbot=TEXT,
)


@given(lead=LEADS)
def test_a_pending_lead_is_found_by_the_same_terms_and_stands_at_the_same_places(lead: Lead) -> None:
    stored = pending.lead_of(lead.number, pending.text_of(lead))
    assert list(terms.facets(stored)) == list(terms.facets(lead))
    assert terms.tokens(stored) == terms.tokens(lead)
    assert {sort: value(stored) for sort, value in terms.SORT_VALUES.items()} == {
        sort: value(lead) for sort, value in terms.SORT_VALUES.items()
    }


def test_what_is_empty_at_the_end_is_not_stored() -> None:
    assert pending.text_of(Lead(created_at=1, updated_at=1, first_name="Ann")) == '[1,1,"new","Ann"]'
    assert pending.text_of(Lead()) == "[]"


def test_an_overlay_looks_at_those_that_are_asked_for() -> None:
    overlay = pending.Overlay({1: pending.text_of(Lead(first_name="Ann")), 2: None, 3: "[]"})
    assert list(overlay.mask()) == [1, 2, 3]
    assert list(overlay.numbers()) == [1, 3]
    assert [lead.first_name for lead in overlay.living(of_numbers([1, 2]))] == ["Ann"]


@pytest.fixture
def ctx() -> Iterator[Ctx]:
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        ports = factories.ports(engine, clock)
        yield factories.ctx(ports, factories.tenant(ports, "acme"))


def test_a_list_over_many_pending_leads_costs_a_read_unit_for_twenty_of_them(ctx: Ctx) -> None:
    for number in range(1, PENDING + 1):
        service.create(ctx, draft(number))
    before = ctx.table.meter.consumed.rru
    listed = query.run(ctx, LeadQuery(limit=1))
    assert listed.total == PENDING
    assert ctx.table.meter.consumed.rru - before <= PENDING / 20 + 2
