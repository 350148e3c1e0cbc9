"""Merge and unmerge: one lead in the place of two, found by all that either was found by, and two again."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace
from typing import Any

import pytest

from leadwire import events, keys, lists, tags
from leadwire.context import Ctx
from leadwire.errors import Conflict, InvalidInput, NotFound
from leadwire.leads import cascade, merging, model, query, service, store
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.ports import Ports
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Unavailable
from tests import factories, invariants
from tests.factories import Clock, draft

BOOKKEEPING = ("version", "event", "updated_at")


def create(ctx: Ctx, number: int, **fields: Any) -> Lead:
    return service.create(ctx, draft(number, **fields)).lead


def same(one: Lead, other: Lead) -> bool:
    return {**model.snapshot(one), **dict.fromkeys(BOOKKEEPING)} == {
        **model.snapshot(other),
        **dict.fromkeys(BOOKKEEPING),
    }


def numbers_of(ctx: Ctx) -> list[int]:
    return [lead.number for lead in query.run(ctx, LeadQuery()).leads]


def test_the_survivor_keeps_what_it_has_and_takes_what_it_lacks(ctx: Ctx) -> None:
    create(ctx, 1, last_name="Lee", tags=("a",), custom={"x": 1}, company="")
    create(ctx, 2, last_name="Ray", tags=("b",), custom={"x": 2, "y": 3}, company="Acme", pipeline_id=1, stage_id=2)
    lead = merging.merge(ctx, 1, 2).lead
    assert (lead.number, lead.last_name, lead.company, lead.tags) == (1, "Lee", "Acme", ("a", "b"))
    assert (lead.custom, lead.pipeline_id, lead.stage_id, lead.merged) == ({"x": 1, "y": 3}, 1, 2, (2,))
    invariants.check(ctx.ports.engine)


def test_chosen_fields_are_the_others(ctx: Ctx) -> None:
    one, two = create(ctx, 1, last_name="Lee"), create(ctx, 2, last_name="Ray")
    lead = merging.merge(ctx, 1, 2, {"last_name", "email"}).lead
    assert (lead.last_name, lead.email, lead.phone) == ("Ray", two.email, one.phone)
    assert (lead.other_emails, lead.other_phones) == ((one.email,), (two.phone,))
    invariants.check(ctx.ports.engine)


def test_a_stage_comes_with_its_pipeline_and_a_spelling_with_its_phone(ctx: Ctx) -> None:
    create(ctx, 1, pipeline_id=1, stage_id=2, phone_given="415-200-0001")
    create(ctx, 2, pipeline_id=7, stage_id=9, phone_given="415-200-0002")
    assert [
        (lead.pipeline_id, lead.stage_id, lead.phone_given)
        for lead in (
            merging.merged(service.own(ctx, 1), service.own(ctx, 2), chosen)
            for chosen in ({"pipeline_id"}, {"stage_id"}, {"phone"})
        )
    ] == [(7, 9, "415-200-0001"), (7, 9, "415-200-0001"), (1, 2, "415-200-0002")]


def test_what_was_found_out_about_the_other_is_known_of_the_survivor(ctx: Ctx) -> None:
    create(ctx, 1)
    create(ctx, 2, qualification={"summary": "wants a roof"})
    assert merging.merge(ctx, 1, 2).lead.qualification == {"summary": "wants a roof"}


def test_old_numbers_addresses_and_phones_lead_to_the_survivor(ctx: Ctx) -> None:
    two = create(ctx, 2)
    create(ctx, 1)
    merging.merge(ctx, 2, 1)
    assert service.get(ctx, 1).number == 2
    assert service.by_phone(ctx, two.phone).number == 2
    assert service.take_in(ctx, draft(2), lambda lead: lead).lead.number == 2
    assert service.change(ctx, 1, lambda lead: replace(lead, notes="x")).lead.number == 2
    assert numbers_of(ctx) == [2]


def test_deleting_by_an_old_number_deletes_nobody(ctx: Ctx) -> None:
    create(ctx, 1)
    create(ctx, 2)
    merging.merge(ctx, 1, 2)
    with pytest.raises(NotFound):
        service.delete(ctx, 2)
    assert numbers_of(ctx) == [1]


def test_two_events_tell_it_and_none_is_lost(ctx: Ctx) -> None:
    create(ctx, 1)
    create(ctx, 2)
    merging.merge(ctx, 1, 2)
    told = [events.from_item(item) for item in factories.events(ctx.ports.engine)]
    assert sorted((event.number, event.type) for event in told) == [
        (1, "lead.created"),
        (1, "lead.updated"),
        (2, "lead.created"),
        (2, "lead.merged"),
    ]
    assert next(event.about for event in told if event.type == events.LEAD_MERGED) == {"into": 1}


@pytest.mark.parametrize("name", [1, 2], ids=["by its old number", "by the survivor's"])
def test_unmerge_makes_both_what_they_were(ctx: Ctx, name: int) -> None:
    one = create(ctx, 1, tags=("a",), custom={"x": 1}, lists=("l",))
    two = create(ctx, 2, tags=("b",), custom={"y": 1}, company="Acme", email="ADA1@example.com")
    assert two.possible_duplicate_of == 1
    merging.merge(ctx, 1, 2, {"last_name", "phone"})
    back = merging.unmerge(ctx, {1: 2, 2: 1}[name]).lead
    assert back.number == 2
    assert same(service.own(ctx, 2), two)
    assert same(service.own(ctx, 1), one)
    assert ctx.table.get(keys.merged(ctx.tenant.id, 2)) is None
    assert sorted(numbers_of(ctx)) == [1, 2]
    invariants.check(ctx.ports.engine)


def test_what_was_changed_since_stays(ctx: Ctx) -> None:
    create(ctx, 1, company="", job_title="")
    create(ctx, 2, company="Acme", job_title="CTO", tags=("b",))
    merging.merge(ctx, 1, 2)
    service.change(ctx, 1, lambda lead: replace(lead, company="Other", tags=(*lead.tags, "new")))
    merging.unmerge(ctx, 2)
    lead = service.own(ctx, 1)
    assert (lead.company, lead.job_title, lead.tags) == ("Other", "", ("new",))


def test_a_lead_that_was_moved_since_stays_in_its_pipeline_and_its_stage(ctx: Ctx) -> None:
    create(ctx, 1)
    create(ctx, 2, pipeline_id=1, stage_id=2)
    merging.merge(ctx, 1, 2)
    service.change(ctx, 1, lambda lead: replace(lead, stage_id=3))
    merging.unmerge(ctx, 2)
    lead = service.own(ctx, 1)
    assert (lead.pipeline_id, lead.stage_id) == (1, 3)


def test_custom_fields_that_were_changed_since_stay_and_the_others_go(ctx: Ctx) -> None:
    create(ctx, 1, custom={"own": 1})
    create(ctx, 2, custom={"given": 1, "changed": 1})
    merging.merge(ctx, 1, 2)
    service.change(ctx, 1, lambda lead: replace(lead, custom={**lead.custom, "changed": 2, "new": 1}))
    merging.unmerge(ctx, 2)
    assert service.own(ctx, 1).custom == {"own": 1, "changed": 2, "new": 1}


def test_what_two_parts_brought_stays_until_both_have_gone(ctx: Ctx) -> None:
    create(ctx, 1)
    for number in (2, 3):
        create(ctx, number, email="shared@example.com", tags=("vip",))
        merging.merge(ctx, 1, number)
    merging.unmerge(ctx, 1, 2)
    lead = service.own(ctx, 1)
    assert (lead.tags, lead.other_emails, lead.merged) == (("vip",), ("shared@example.com",), (3,))
    merging.unmerge(ctx, 1, 3)
    lead = service.own(ctx, 1)
    assert (lead.tags, lead.other_emails, lead.merged) == ((), (), ())
    invariants.check(ctx.ports.engine)


def test_what_went_away_meanwhile_does_not_come_back_with_a_lead(ctx: Ctx) -> None:
    kept, gone = (lists.create(ctx, name).id for name in ("kept", "gone"))
    create(ctx, 1)
    create(ctx, 2, lists=(kept, gone), tags=("kept", "gone"), pipeline_id=1, stage_id=2)
    merging.merge(ctx, 1, 2)
    service.change(ctx, 1, lambda lead: replace(lead, lists=(), tags=("kept",), stage_id=None))
    lists.delete(ctx, gone)
    cascade.delete_tag(ctx, next(tag.id for tag in tags.every(ctx) if tag.name == "gone"))
    cascade.delete_stage(ctx, 1, 2)
    back = merging.unmerge(ctx, 2).lead
    assert (back.lists, back.tags, back.pipeline_id, back.stage_id) == ((kept,), ("kept",), 1, None)


def test_it_is_converted_since_it_was(ctx: Ctx, clock: Clock) -> None:
    then = create(ctx, 1, status="converted").converted_at
    create(ctx, 2)
    clock.advance(60)
    assert merging.merge(ctx, 1, 2, {"status"}).lead.converted_at is None
    merging.unmerge(ctx, 2)
    assert service.own(ctx, 1).converted_at == then


def test_chains_are_followed_and_undone_link_by_link(ctx: Ctx) -> None:
    made = [create(ctx, number) for number in (1, 2, 3)]
    merging.merge(ctx, 2, 3)
    merging.merge(ctx, 1, 2)
    assert service.get(ctx, 3).number == 1
    assert service.by_phone(ctx, made[2].phone).number == 1
    with pytest.raises(Conflict):
        merging.unmerge(ctx, 3)
    merging.unmerge(ctx, 2)
    assert service.get(ctx, 3).number == 2
    merging.unmerge(ctx, 3)
    assert all(same(service.own(ctx, lead.number), lead) for lead in made)
    invariants.check(ctx.ports.engine)


def test_after_thirty_days_it_cannot_be_undone(ctx: Ctx, clock: Clock) -> None:
    create(ctx, 1)
    create(ctx, 2)
    merging.merge(ctx, 1, 2)
    clock.advance(30 * 24 * 3600 + 1)
    with pytest.raises(Conflict):
        merging.unmerge(ctx, 2)


def test_what_cannot_be_merged_is_refused(ports: Ports, ctx: Ctx) -> None:
    stranger = factories.ctx(ports, factories.tenant(ports, "stranger"))
    create(ctx, 1)
    create(stranger, 1)
    create(stranger, 2)
    before = factories.items(ports.engine)
    with pytest.raises(InvalidInput):
        merging.merge(ctx, 1, 1)
    for number, other in ((1, 2), (2, 1), (None, 1)):
        with pytest.raises(NotFound):
            merging.merge(ctx, number, other)
    with pytest.raises(NotFound):
        merging.unmerge(ctx, 1)
    assert factories.items(ports.engine) == before


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_leaves_two_leads_or_one(ports: Ports, ctx: Ctx, seed: int) -> None:
    chance = random.Random(seed)
    create(ctx, 1)
    create(ctx, 2)
    for verb in (lambda c: merging.merge(c, 1, 2), lambda c: merging.unmerge(c, 2)) * 3:
        engine = FaultyEngine(ports.engine)
        (engine.fail_after if chance.random() < 0.5 else engine.fail_before)(chance.randint(1, 6))
        with contextlib.suppress(Unavailable, NotFound):
            verb(factories.ctx(replace(ports, engine=engine), ctx.tenant))
        invariants.check(ports.engine)
        here = {lead.number for lead in store.find_many(ctx, [1, 2])}
        marker = ctx.table.get(keys.merged(ctx.tenant.id, 2))
        assert here == ({1} if marker else {1, 2})
