"""The verbs of leads, one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadwire import chatbots, keys, lists
from leadwire.context import Ctx
from leadwire.errors import DuplicateEmail, NotFound
from leadwire.events import from_item
from leadwire.leads import service
from leadwire.leads.model import Stored
from leadwire.leads.service import Requirement
from leadwire.ports import Ports
from tests import factories, invariants
from tests.factories import Clock, draft
from tests.unit.leads.verbs import attach, create, requirement, upsert

# --- create -----------------------------------------------------------------------------------------------------------


def test_a_created_lead_can_be_got(ctx: Ctx) -> None:
    lead = create(ctx, custom={"budget": "10"}, address={"city": "Austin"}, tags=("a",))
    assert service.get(ctx, lead.number) == lead
    assert service.by_phone(ctx, lead.phone) == lead


def test_numbers_are_dense(ctx: Ctx, clock: Clock) -> None:
    made = []
    for number in range(1, 11):
        made.append(create(ctx, number).number)
        clock.advance(0.02 if number % 2 else 5)
    assert made == list(range(1, 11))


def test_each_tenant_counts_its_own(ports: Ports, ctx: Ctx) -> None:
    other = factories.ctx(ports, factories.tenant(ports, "other"))
    assert [create(one).number for one in (ctx, other)] == [1, 1]


def test_no_such_lead_is_not_found(ports: Ports, ctx: Ctx) -> None:
    other = factories.ctx(ports, factories.tenant(ports, "other"))
    number = create(ctx).number
    for reader, asked in ((ctx, 2), (ctx, None), (ctx, 0), (other, number)):
        with pytest.raises(NotFound):
            service.get(reader, asked)
    with pytest.raises(NotFound):
        service.by_phone(ctx, "+14150000000")


def test_a_lead_of_a_known_address_or_phone_is_flagged_with_the_primary(ctx: Ctx) -> None:
    first, second = create(ctx, 1), create(ctx, 2)
    assert create(ctx, 3, email=first.email.upper()).possible_duplicate_of == first.number
    assert create(ctx, 4, phone=second.phone).possible_duplicate_of == second.number
    assert create(ctx, 5, phone=second.phone, email=first.email).possible_duplicate_of == first.number
    assert create(ctx, 6).possible_duplicate_of is None


def test_a_lead_without_address_and_phone_duplicates_nobody(ctx: Ctx) -> None:
    made = [create(ctx, number, email="", phone="") for number in (1, 2)]
    assert [lead.possible_duplicate_of for lead in made] == [None, None]


def test_an_exclusive_address_is_refused_with_the_lead_that_has_it(ports: Ports, ctx: Ctx) -> None:
    first = create(ctx)
    before = factories.items(ports.engine)
    with pytest.raises(DuplicateEmail) as refused:
        service.create(ctx, draft(2, email="ADA1@Example.com"), unique_email=True)
    assert refused.value.number == first.number
    assert factories.items(ports.engine) == before


def test_a_requirement_that_does_not_hold_writes_nothing_and_is_named(ports: Ports, ctx: Ctx) -> None:
    here = Requirement(chatbots.exists(ctx, chatbots.DEFAULT), "chatbot")
    gone = requirement(ctx, "gone")
    before = factories.items(ports.engine)
    with pytest.raises(NotFound) as refused:
        service.create(ctx, draft(), requires=[here, gone])
    assert (refused.value.kind, refused.value.field) == ("list", "list_id")
    assert factories.items(ports.engine) == before


def test_a_requirement_that_was_looked_up_and_is_not_there_writes_nothing_and_is_named(ports: Ports, ctx: Ctx) -> None:
    gone = replace(requirement(ctx, "gone"), looked_up=True)
    before = factories.items(ports.engine)
    with pytest.raises(NotFound) as refused:
        service.create(ctx, draft(), requires=[gone])
    assert (refused.value.kind, refused.value.field) == ("list", "list_id")
    assert factories.items(ports.engine) == before


def test_a_refused_create_that_had_drawn_its_number_gives_it_back(ctx: Ctx) -> None:
    """While the counter is hot the number is drawn before the transaction."""
    create(ctx, 1)
    with pytest.raises(NotFound):
        service.create(ctx, draft(2), requires=[requirement(ctx, "gone")])
    assert create(ctx, 3).number == 2


# --- attach, upsert ---------------------------------------------------------------------------------------------------


def test_a_known_phone_is_attached_and_otherwise_left_as_it_is(ctx: Ctx) -> None:
    one, two = lists.create(ctx, "one").id, lists.create(ctx, "two").id
    first = attach(ctx, draft(), one)
    again = attach(ctx, draft(email="new@example.com", first_name="Other", tags=("x",)), two)
    assert (first.existed, again.existed) == (False, True)
    assert again.lead.lists == (one, two)
    assert replace(again.lead, lists=(one,), version=1, event=first.lead.event) == first.lead


def test_attaching_twice_changes_nothing_and_tells_nobody(ports: Ports, ctx: Ctx) -> None:
    one = lists.create(ctx, "one").id
    first = attach(ctx, draft(), one)
    before = factories.items(ports.engine)
    assert attach(ctx, draft(), one) == Stored(first.lead, existed=True)
    assert factories.items(ports.engine) == before


def test_attaching_to_a_list_that_is_not_there_is_refused_for_new_and_known_leads(ports: Ports, ctx: Ctx) -> None:
    attach(ctx, draft(1), lists.create(ctx, "one").id)
    before = factories.items(ports.engine)
    for number in (1, 2):
        with pytest.raises(NotFound) as refused:
            attach(ctx, draft(number), "gone")
        assert refused.value.field == "list_id"
    assert factories.items(ports.engine) == before


def test_the_primary_of_a_phone_is_attached_not_its_duplicates(ctx: Ctx) -> None:
    first = create(ctx, 1)
    create(ctx, 2, phone=first.phone)
    assert attach(ctx, draft(1), lists.create(ctx, "one").id).lead.number == first.number


def test_an_upsert_changes_the_primary_and_moves_its_identity(ports: Ports, ctx: Ctx) -> None:
    first = create(ctx)
    after = upsert(ctx, first, email="new@example.com")
    assert (after.existed, after.lead.number, after.lead.version) == (True, first.number, 2)
    state = factories.items(ports.engine)
    assert (keys.identity(ctx.tenant.id, "email", first.email).pk, "ID") not in state
    assert create(ctx, 2, email="new@example.com").possible_duplicate_of == first.number
    invariants.check(ports.engine)


def test_an_upsert_that_changes_nothing_writes_nothing(ports: Ports, ctx: Ctx) -> None:
    first = create(ctx)
    before = factories.items(ports.engine)
    assert upsert(ctx, first, first_name=first.first_name) == Stored(first, existed=True)
    assert factories.items(ports.engine) == before


def test_a_lead_whose_address_outgrew_its_record_can_still_change_it(ports: Ports, ctx: Ctx) -> None:
    """The bug: once the hundred leads that the record keeps had left, the 101st could not leave and never changed."""
    made = [create(ctx, number, email="shared@example.com") for number in range(1, 102)]
    for lead in made:
        assert upsert(ctx, lead, email=f"own{lead.number}@example.com").lead.version == 2
    invariants.check(ports.engine)


# --- delete -----------------------------------------------------------------------------------------------------------


def test_a_deleted_lead_is_gone_with_its_identities_and_its_number_is_never_used_again(ports: Ports, ctx: Ctx) -> None:
    first, last = create(ctx, 1), create(ctx, 2)
    service.delete(ctx, last.number)
    with pytest.raises(NotFound):
        service.get(ctx, last.number)
    with pytest.raises(NotFound):
        service.by_phone(ctx, last.phone)
    again = create(ctx, 2)
    assert (again.number, again.possible_duplicate_of) == (3, None)
    assert service.get(ctx, first.number) == first
    invariants.check(ports.engine)


def test_of_two_that_share_an_address_the_other_becomes_its_primary(ctx: Ctx) -> None:
    first = create(ctx, 1)
    second = create(ctx, 2, email=first.email)
    service.delete(ctx, first.number)
    assert create(ctx, 3, email=first.email).possible_duplicate_of == second.number


def test_a_lead_can_be_deleted_once(ctx: Ctx) -> None:
    number = create(ctx).number
    service.delete(ctx, number)
    with pytest.raises(NotFound):
        service.delete(ctx, number)


# --- events -----------------------------------------------------------------------------------------------------------


def test_every_change_is_told_in_its_own_transaction(ports: Ports, ctx: Ctx) -> None:
    """The stream holds a transaction's records side by side: lead and event are never apart."""
    one = lists.create(ctx, "one").id
    lead = attach(ctx, draft(), one).lead
    upsert(ctx, lead, first_name="Bea")
    told = [(event["type"], event["version"], event["actor"]) for event in factories.events(ports.engine)]
    assert told == [("lead.created", 1, "system:tests"), ("lead.updated", 2, "system:tests")]
    invariants.check(ports.engine)


def test_an_event_carries_the_lead_and_what_changed(ports: Ports, ctx: Ctx) -> None:
    upsert(ctx, create(ctx), first_name="Bea")
    created, updated = factories.events(ports.engine)
    assert '"first_name":"Ada"' in created["lead"]
    assert '"first_name":"Bea"' in updated["lead"]
    assert from_item(updated).changes == {"first_name": ["Ada", "Bea"]}
