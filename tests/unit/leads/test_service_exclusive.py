"""A phone or an address that is to be one lead's alone, and lists that a lead leaves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from leadwire import lists
from leadwire.context import Ctx
from leadwire.errors import Conflict, DuplicateEmail, DuplicatePhone, NotFound
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.service import Requirement
from tests import factories, invariants
from tests.factories import Clock, draft


def create(ctx: Ctx, number: int, list_ids: tuple[str, ...] = ()) -> Lead:
    return service.create(ctx, draft(number, lists=list_ids)).lead


def to(**fields: str) -> Callable[[Lead], Lead]:
    return lambda lead: replace(lead, **fields)  # type: ignore[arg-type]  # texts only, here


def test_the_phone_of_another_lead_is_refused_and_nothing_changes(ctx: Ctx) -> None:
    first, second = create(ctx, 1), create(ctx, 2)
    with pytest.raises(DuplicatePhone) as refused:
        service.change(ctx, second.number, to(phone=first.phone), exclusive="phone")
    assert refused.value.number == first.number
    assert service.get(ctx, second.number) == second


def test_the_address_of_another_lead_is_refused_in_any_spelling(ctx: Ctx) -> None:
    first, second = create(ctx, 1), create(ctx, 2)
    with pytest.raises(DuplicateEmail):
        service.change(ctx, second.number, to(email=first.email.upper()), exclusive="email")


def test_a_lead_keeps_what_it_shares_already(ctx: Ctx) -> None:
    first, second = create(ctx, 1), create(ctx, 2)
    service.change(ctx, second.number, to(phone=first.phone))
    changed = service.change(ctx, second.number, to(phone=first.phone, company="Acme"), exclusive="phone").lead
    assert (changed.phone, changed.company) == (first.phone, "Acme")


def test_of_many_that_want_one_phone_one_gets_it(tmp_path: Path, clock: Clock) -> None:
    with factories.engine(tmp_path / "race.db", clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        numbers = [create(ctx, number).number for number in range(1, 9)]

        def take(number: int) -> Stored | Conflict:
            try:
                return service.change(ctx, number, to(phone="+14155550199"), exclusive="phone")
            except DuplicatePhone as refused:
                return refused

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(take, numbers))
        assert sum(isinstance(outcome, Stored) for outcome in outcomes) == 1
        invariants.check(engine)


def test_a_lead_leaves_one_of_its_lists(ctx: Ctx) -> None:
    one, two = lists.create(ctx, "one").id, lists.create(ctx, "two").id
    number = create(ctx, 1, (one, two)).number
    assert service.detach(ctx, number, one).lead.lists == (two,)


def test_a_lead_that_leaves_its_last_list_is_deleted(ctx: Ctx) -> None:
    one = lists.create(ctx, "one").id
    number = create(ctx, 1, (one,)).number
    service.detach(ctx, number, one)
    with pytest.raises(NotFound):
        service.get(ctx, number)
    invariants.check(ctx.ports.engine)


def test_a_lead_cannot_leave_a_list_that_it_is_not_in(ctx: Ctx) -> None:
    one, two = lists.create(ctx, "one").id, lists.create(ctx, "two").id
    number = create(ctx, 1, (one,)).number
    with pytest.raises(NotFound):
        service.detach(ctx, number, two)
    assert service.get(ctx, number).lists == (one,)


def test_a_phone_that_a_lead_gave_up_is_free(ctx: Ctx) -> None:
    lead = create(ctx, 1)
    service.change(ctx, lead.number, to(phone="+14155550177"), exclusive="phone")
    list_id = lists.create(ctx, "one").id
    exists = Requirement(lists.exists(ctx, list_id), "list", "list_id")
    assert not service.create_or_attach(ctx, draft(1), list_id, exists).existed
