"""The verbs of leads: alone, all at once, and with the process dying at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import chatbots, keys, lists, tenants
from leadwire.context import Ctx
from leadwire.errors import DuplicateEmail, NotFound
from leadwire.leads import service
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.leads.store import Stored
from leadwire.ports import Ports
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Engine, Put
from tests import factories, invariants
from tests.factories import Clock, draft

WINNERS = 20


def create(ctx: Ctx, number: int = 1, **fields: Any) -> Lead:
    return service.create(ctx, draft(number, **fields)).lead


def requirement(ctx: Ctx, list_id: str) -> Requirement:
    return Requirement(lists.exists(ctx, list_id), "list", "list_id")


def attach(ctx: Ctx, lead: Lead, list_id: str) -> Stored:
    return service.create_or_attach(ctx, lead, list_id, requirement(ctx, list_id))


def upsert(ctx: Ctx, lead: Lead, **fields: Any) -> Stored:
    return service.upsert_by_phone(ctx, replace(lead, **fields), lambda before: replace(before, **fields))


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
    here = Requirement(chatbots.exists(ctx, tenants.DEFAULT_CHATBOT), "chatbot")
    gone = requirement(ctx, "gone")
    before = factories.items(ports.engine)
    with pytest.raises(NotFound) as refused:
        service.create(ctx, draft(), requires=[here, gone])
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
    one, two = lists.create(ctx, "one"), lists.create(ctx, "two")
    first = attach(ctx, draft(), one)
    again = attach(ctx, draft(email="new@example.com", first_name="Other", tags=("x",)), two)
    assert (first.existed, again.existed) == (False, True)
    assert again.lead.lists == (one, two)
    assert replace(again.lead, lists=(one,), version=1, event=first.lead.event) == first.lead


def test_attaching_twice_changes_nothing_and_tells_nobody(ports: Ports, ctx: Ctx) -> None:
    one = lists.create(ctx, "one")
    first = attach(ctx, draft(), one)
    before = factories.items(ports.engine)
    assert attach(ctx, draft(), one) == Stored(first.lead, existed=True)
    assert factories.items(ports.engine) == before


def test_attaching_to_a_list_that_is_not_there_is_refused_for_new_and_known_leads(ports: Ports, ctx: Ctx) -> None:
    attach(ctx, draft(1), lists.create(ctx, "one"))
    before = factories.items(ports.engine)
    for number in (1, 2):
        with pytest.raises(NotFound) as refused:
            attach(ctx, draft(number), "gone")
        assert refused.value.field == "list_id"
    assert factories.items(ports.engine) == before


def test_the_primary_of_a_phone_is_attached_not_its_duplicates(ctx: Ctx) -> None:
    first = create(ctx, 1)
    create(ctx, 2, phone=first.phone)
    assert attach(ctx, draft(1), lists.create(ctx, "one")).lead.number == first.number


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


# --- events -----------------------------------------------------------------------------------------------------------


def test_every_change_is_told_in_its_own_transaction(ports: Ports, ctx: Ctx) -> None:
    """The stream holds a transaction's records side by side: lead and event are never apart."""
    one = lists.create(ctx, "one")
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
    assert updated["changes"] == '{"first_name":["Ada","Bea"]}'


# --- all at once ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Ctx]:
    """A tenant on disk, for threads; the clock runs, so that the number is drawn in every way there is."""
    ticks = iter(range(10**9))
    lock = threading.Lock()

    def clock() -> float:
        with lock:
            return factories.NOON + next(ticks) / 100

    with factories.engine(tmp_path / "table.db", clock) as engine:
        ports = factories.ports(engine, clock)
        yield factories.ctx(ports, factories.tenant(ports, "acme"))


def at_once(work: Callable[[int], Any]) -> list[Any]:
    def outcome(number: int) -> Any:
        try:
            return work(number)
        except DuplicateEmail as refused:
            return refused

    with ThreadPoolExecutor(WINNERS) as pool:
        return list(pool.map(outcome, range(1, WINNERS + 1)))


def test_twenty_attaches_of_one_phone_make_one_lead(shared: Ctx) -> None:
    one = lists.create(shared, "one")
    made = at_once(lambda number: attach(shared, draft(number, phone="+14155550100"), one))
    assert [stored.existed for stored in made].count(False) == 1
    assert {stored.lead.number for stored in made} == {1}
    assert len(factories.leads(shared.ports.engine)) == 1
    invariants.check(shared.ports.engine)


def test_twenty_attaches_to_twenty_lists_are_all_kept(shared: Ctx) -> None:
    ids = [lists.create(shared, str(number)) for number in range(WINNERS)]
    at_once(lambda number: attach(shared, draft(), ids[number - 1]))
    (lead,) = factories.leads(shared.ports.engine)
    assert set(lead["lists"]) == set(ids)
    invariants.check(shared.ports.engine)


def test_of_twenty_creates_with_one_exclusive_address_one_wins(shared: Ctx) -> None:
    made = at_once(lambda number: service.create(shared, draft(number, email="a@example.com"), unique_email=True))
    assert sum(isinstance(one, Stored) for one in made) == 1
    assert {one.number for one in made if isinstance(one, DuplicateEmail)} == {1}
    assert len(factories.leads(shared.ports.engine)) == 1
    invariants.check(shared.ports.engine)


def test_of_twenty_creates_with_one_address_all_but_the_first_are_flagged(shared: Ctx) -> None:
    made = [stored.lead for stored in at_once(lambda number: service.create(shared, draft(number, email="a@b.org")))]
    assert len({lead.number for lead in made}) == WINNERS
    assert [lead.possible_duplicate_of for lead in made].count(None) == 1
    invariants.check(shared.ports.engine)


def test_twenty_creates_at_once_get_twenty_different_numbers(shared: Ctx) -> None:
    made = at_once(lambda number: service.create(shared, draft(number)).lead.number)
    assert len(set(made)) == WINNERS
    invariants.check(shared.ports.engine)


def test_a_lead_that_was_changed_meanwhile_is_read_again(ctx: Ctx) -> None:
    """The loser decides again on what the winner left: neither change is lost."""
    lead = create(ctx)
    rivals = iter([True, False])

    def change(before: Lead) -> Lead:
        if next(rivals):
            upsert(ctx, lead, last_name="Rival")
        return replace(before, first_name="Bea")

    after = service.upsert_by_phone(ctx, lead, change).lead
    assert (after.first_name, after.last_name, after.version) == ("Bea", "Rival", 3)


# --- dying ------------------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


def a_new_lead(ctx: Ctx) -> None:
    service.create(ctx, draft(1, email="ada9@example.com"))


def an_attach(ctx: Ctx) -> None:
    attach(ctx, draft(9), LIST)


def a_moved_identity(ctx: Ctx) -> None:
    upsert(ctx, draft(9), email="moved@example.com")


LIST = "6b1d9d3e-0000-4000-8000-000000000000"
VERBS = [a_new_lead, an_attach, a_moved_identity]


def prepared(clock: Clock, engine: Engine) -> Ctx:
    """A tenant with a list and lead 9's e-mail and phone taken, and a hot or a quiet counter by the clock."""
    ports = factories.ports(engine, clock)
    ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
    ctx.table.write(Put({"pk": keys.lists(ctx.tenant.id), "sk": LIST, "name": "one", "created_at": 1}))
    create(ctx, 9)
    return ctx


@pytest.mark.parametrize("quiet", [0.0, 60.0], ids=["hot counter", "quiet counter"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_crash_at_any_call_leaves_all_or_nothing_and_a_repeat_completes_it(
    verb: Callable[[Ctx], None], when: str, quiet: float, clock: Clock
) -> None:
    call, crashed = 0, True
    while crashed:
        call += 1
        with factories.engine(":memory:", clock) as sqlite:
            faulty = FaultyEngine(sqlite)
            ctx = prepared(clock, faulty)
            clock.advance(quiet)
            (faulty.fail_before if when == "before" else faulty.fail_after)(faulty.calls + call, Crash())
            crashed = dies(verb, ctx)
            faulty.heal()
            invariants.check(sqlite)
            verb(ctx)
            invariants.check(sqlite)
    assert call > 2, "the crash never met the verb"


def dies(verb: Callable[[Ctx], None], ctx: Ctx) -> bool:
    try:
        verb(ctx)
    except Crash:
        return True
    return False


def test_throttles_are_waited_out(clock: Clock) -> None:
    with factories.engine(":memory:", clock) as sqlite:
        faulty = FaultyEngine(sqlite)
        ctx = prepared(clock, faulty)
        waits: list[float] = []
        patient = replace(ctx, table=replace(ctx.table, sleep=waits.append))
        faulty.throttle_next(5)
        create(patient, 2)
        assert len(waits) == 5
        invariants.check(sqlite)
