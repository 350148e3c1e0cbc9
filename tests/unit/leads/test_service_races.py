"""The verbs of leads: many at once, and with the process dying at any moment."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import keys, lists
from leadwire.context import Ctx
from leadwire.errors import DuplicateEmail, NotFound
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Put
from tests import factories, invariants
from tests.factories import Clock, draft
from tests.unit.leads.verbs import attach, create, upsert

WINNERS = 20

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
    one = lists.create(shared, "one").id
    made = at_once(lambda number: attach(shared, draft(number, phone="+14155550100"), one))
    assert [stored.existed for stored in made].count(False) == 1
    assert {stored.lead.number for stored in made} == {1}
    assert len(factories.leads(shared.ports.engine)) == 1
    invariants.check(shared.ports.engine)


def test_twenty_attaches_to_twenty_lists_are_all_kept(shared: Ctx) -> None:
    ids = [lists.create(shared, str(number)).id for number in range(WINNERS)]
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


def a_deletion(ctx: Ctx) -> None:
    """The repeat of one that went through finds nothing left to delete."""
    with contextlib.suppress(NotFound):
        service.delete(ctx, 1)


LIST = "6b1d9d3e-0000-4000-8000-000000000000"
VERBS = [a_new_lead, an_attach, a_moved_identity, a_deletion]


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
