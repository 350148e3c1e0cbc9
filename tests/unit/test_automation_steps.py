"""Single steps of runs where something is in their way, and clocks of idle leads, on a table of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadwire import events, ids, keys, users
from leadwire.automations import idle, manual, runs, service, worker
from leadwire.automations.actions import ACTIONS, Doing
from leadwire.automations.runner import Act
from leadwire.automations.runs import Run
from leadwire.automations.service import Automation
from leadwire.context import Ctx
from leadwire.errors import Conflict, NotFound, Unready
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.ports import Message, Ports, Queue
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.table import unscoped
from leadwire.store.types import Consumed, Item, Key, Query
from tests.factories import Clock

HOUR = 3600


def action(name: str, **config: Any) -> dict[str, Any]:
    return {"type": "action", "action": name, "config": config}


def perform(doing: Doing) -> None:
    ACTIONS[doing.step["action"]](doing)


def automate(ctx: Ctx, trigger: Mapping[str, Any], *steps: Mapping[str, Any], **more: Any) -> Automation:
    return service.create(ctx, Automation(name="A", trigger=trigger, steps=steps, **more))


def begin(ctx: Ctx, *steps: Mapping[str, Any], lead: Lead | None = None, **more: Any) -> Run:
    """A fresh run on a new lead, stored."""
    automation = automate(ctx, {"type": "manual"}, *steps, **more)
    number = leads.create(ctx, lead or Lead(first_name="Ada")).lead.number
    return runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1))


def worked(ports: Ports, *messages: Mapping[str, Any], act: Act = perform) -> Sequence[str]:
    """The messages that failed, by their places."""
    records = [{"messageId": str(at), "body": json.dumps(message)} for at, message in enumerate(messages)]
    return [failure["itemIdentifier"] for failure in worker.work(ports, act, records)["batchItemFailures"]]


def after(ctx: Ctx, run: Run, act: Act = perform) -> Run:
    """The run when a worker has brought it on."""
    assert worked(ctx.ports, {"tenant": ctx.tenant.id, "run": run.id}, act=act) == []
    found = runs.find(ctx, run.id)
    assert found
    return found


def due(ctx: Ctx) -> list[str]:
    """The partition keys of all that stands in the due index."""
    table = unscoped(ctx.ports.engine)
    shards = [table.query(Query(keys.due(shard), index="g2")).items for shard in range(keys.DUE_SHARDS)]
    return [row["pk"] for rows in shards for row in rows]


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_stands_in_the_due_index_until_it_is_over(ctx: Ctx) -> None:
    run = begin(ctx, action("add_score", points=1))
    assert due(ctx) == [keys.run(ctx.tenant.id, run.id).pk]
    assert after(ctx, run).state == "done"
    assert due(ctx) == []


def test_a_table_that_is_not_ready_leaves_the_run_where_it_is(ctx: Ctx) -> None:
    """It is no fault of the step's, which is done when the message comes again."""
    run = begin(ctx, action("add_score", points=1))

    def refused(_doing: Doing) -> None:
        raise Unready("The lead is being changed by too many others at once; try again")

    assert worked(ctx.ports, {"tenant": ctx.tenant.id, "run": run.id}, act=refused) == ["0"]
    assert runs.find(ctx, run.id) == replace(run, steps=(*run.steps,))
    assert after(ctx, run).state == "done"


def test_a_lead_that_is_deleted_while_a_step_is_done_stops_the_run(ctx: Ctx) -> None:
    run = begin(ctx, action("add_score", points=1))

    def deleting(doing: Doing) -> None:
        leads.delete(ctx, doing.run.number)
        perform(doing)

    stopped = after(ctx, run, deleting)
    assert (stopped.state, stopped.reason, stopped.log) == ("stopped", "lead", ())


def test_a_delay_is_not_shortened_by_an_alarm_that_comes_early(ctx: Ctx, clock: Clock) -> None:
    run = begin(ctx, {"type": "delay", "config": {"amount": 1, "unit": "hours"}}, action("add_score", points=1))
    waiting = after(ctx, run)
    clock.advance(HOUR - 2)
    assert after(ctx, run) == waiting
    clock.advance(2)
    assert after(ctx, run).state == "done"


def test_with_business_hours_a_delay_ends_within_them(ctx: Ctx, clock: Clock) -> None:
    """The clock shows Saturday noon; the hours are 9 to 17 in UTC."""
    delay = {"type": "delay", "config": {"amount": 1, "unit": "hours"}}
    plain, kept = (after(ctx, begin(ctx, delay, business_hours=kept)) for kept in (False, True))
    now = int(clock.now * 1000)
    assert (plain.next_at - now, kept.next_at - now) == (HOUR * 1000, (24 + 21) * HOUR * 1000)


def test_a_lead_has_ten_runs_in_each_minute(ctx: Ctx, clock: Clock) -> None:
    automation = automate(ctx, {"type": "manual"})
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number

    def one() -> Run:
        return runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1))

    made = [one() for _ in range(runs.PER_MINUTE + 1)]
    assert [run.reason for run in made] == [""] * runs.PER_MINUTE + ["rate"]
    with pytest.raises(Conflict, match="within a minute"):
        manual.start(ctx, automation.id, number)
    clock.advance(60)
    assert one().state == "running"


# --- actions ----------------------------------------------------------------------------------------------------------


def test_round_robin_passes_over_users_who_are_suspended_or_gone(ctx: Ctx) -> None:
    for name in ("Ann", "Bob", "Cy"):
        users.create(ctx, name, f"{name}@example.com")
    automation = automate(ctx, {"type": "manual"}, action("assign_user", round_robin=[1, 2, 3]))
    users.update(ctx, 2, {"status": "suspended"})
    given = []
    for _ in range(4):
        number = leads.create(ctx, Lead(first_name="Ada")).lead.number
        after(ctx, runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1)))
        given.append(leads.get(ctx, number).assigned_user_id)
    assert given == [1, 3, 1, 3]


class Between(FaultyEngine):
    """Calls `other` once, when the pool's counter has been read."""

    def __init__(self, engine: Engine, other: Callable[[], object]) -> None:
        super().__init__(engine)
        self.other = [other]

    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]:
        answer = super().get(key, consistent=consistent)
        if "round_robin" in key.pk and self.other:
            self.other.pop()()
        return answer


def test_two_leads_at_once_go_to_two_users(ctx: Ctx) -> None:
    for name in ("Ann", "Bob"):
        users.create(ctx, name, f"{name}@example.com")
    automation = automate(ctx, {"type": "manual"}, action("assign_user", round_robin=[1, 2]))
    numbers = [leads.create(ctx, Lead(first_name="Ada")).lead.number for _ in range(2)]
    first, second = (runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1)) for number in numbers)
    between = Between(ctx.ports.engine, lambda: after(ctx, second))
    overtaken = replace(ctx.ports, engine=between)
    assert worked(overtaken, {"tenant": ctx.tenant.id, "run": first.id}) == []
    assert between.other == []
    assert sorted(leads.get(ctx, number).assigned_user_id or 0 for number in numbers) == [1, 2]


def test_a_pool_of_nobody_fails_the_step(ctx: Ctx) -> None:
    users.create(ctx, "Ann", "ann@example.com")
    run = begin(ctx, action("assign_user", round_robin=[1]))
    users.update(ctx, 1, {"status": "suspended"})
    assert after(ctx, run).log[0]["error"]["code"] == "no_user"


@pytest.mark.parametrize("step", [action("assign_user", user_id=1), action("notify_users", user_ids=[1])])
def test_a_user_who_is_gone_is_not_assigned_and_may_be_told(ctx: Ctx, step: Mapping[str, Any]) -> None:
    users.create(ctx, "Ann", "ann@example.com")
    run = begin(ctx, step)
    users.delete(ctx, 1)
    assert after(ctx, run).state == ("failed" if step["action"] == "assign_user" else "done")
    assert leads.get(ctx, run.number).assigned_user_id is None


def test_a_score_ends_where_scores_end_both_ways(ctx: Ctx) -> None:
    for points in (10**9, -(10**9)):
        run = begin(ctx, *[action("add_score", points=points)] * 3)
        assert after(ctx, run).state == "done"
        assert leads.get(ctx, run.number).score == points


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (action("set_field", field="email", value="nobody"), "invalid"),
        (action("add_note", text="n" * 65_536), "too_long"),
        (action("send_sms", text="Hi", integration_id=1), "no_channel"),
    ],
)
def test_a_step_that_cannot_be_done_changes_nothing(ctx: Ctx, step: Mapping[str, Any], code: str) -> None:
    automation = automate(ctx, {"type": "manual"})
    before = leads.create(ctx, Lead(first_name="Ada", notes="Called")).lead
    run = replace(runs.fresh(ctx, automation, before.number, ctx.ulid(), 1), steps=[step])
    failed = after(ctx, runs.begin(ctx, run))
    assert (failed.state, failed.log[0]["error"]["code"]) == ("failed", code)
    assert leads.get(ctx, before.number) == before


def test_who_is_told_is_told_once_and_a_new_phone_is_shown_as_it_is(ctx: Ctx) -> None:
    users.create(ctx, "Ann", "ann@example.com")
    told = action("notify_users", user_ids=[1], assignee=True)
    phone = action("set_field", field="phone", value="(415) 555-2671")
    lead = Lead(assigned_user_id=1, phone="+14155550100", phone_given="415 555 0100")
    run = after(ctx, begin(ctx, told, phone, lead=lead))
    assert run.state == "done"
    shown = leads.get(ctx, run.number)
    assert (shown.phone, shown.phone_given) == ("+14155552671", "")
    place = keys.event(ctx.tenant.id, run.number, "")
    happened = [events.from_item(item) for item in ctx.table.query_all(Query(place.pk, prefix=place.sk))]
    assert [event.about["user_ids"] for event in happened if event.type == events.USERS_NOTIFIED] == [[1]]


def test_only_what_is_there_switched_on_and_manual_is_started_by_hand(ctx: Ctx) -> None:
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    off = automate(ctx, {"type": "manual"}, is_active=False)
    other = automate(ctx, {"type": "lead_created"})
    on = automate(ctx, {"type": "manual"})
    with pytest.raises(Conflict, match="switched off"):
        manual.start(ctx, off.id, number)
    with pytest.raises(Conflict, match="starts by lead_created"):
        manual.start(ctx, other.id, number)
    with pytest.raises(NotFound, match="Lead not found"):
        manual.start(ctx, on.id, 99)


class Bell(Queue):
    """Takes what it is told to take, and keeps it."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.refuse = refuse
        self.sent: list[tuple[str, Message]] = []

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        self.sent += [(url, message) for message in messages]
        return [*messages] if self.refuse else []


@pytest.mark.parametrize("refuse", [False, True])
def test_a_run_started_by_hand_rings_for_its_tenant_or_from_the_due_index(ctx: Ctx, *, refuse: bool) -> None:
    bell = Bell(refuse=refuse)
    settings = replace(ctx.ports.settings, automations_queue_url="automations")
    ringing = replace(ctx, ports=replace(ctx.ports, queue=bell, settings=settings))
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    run = manual.start(ringing, automate(ctx, {"type": "manual"}).id, number)
    told = json.dumps({"tenant": ctx.tenant.id, "run": run.id})
    assert bell.sent == [("automations", Message(told, group=ctx.tenant.id))]
    assert due(ctx) == [keys.run(ctx.tenant.id, run.id).pk]


def test_a_tenant_has_a_hundred_automations_at_most(ctx: Ctx) -> None:
    for _ in range(service.MOST):
        automate(ctx, {"type": "manual"})
    with pytest.raises(Conflict, match="At most 100"):
        automate(ctx, {"type": "manual"})


# --- clocks of idle leads ---------------------------------------------------------------------------------------------


def happened(ctx: Ctx, number: int, ulid: str, actor: str = "api_key:k") -> Mapping[str, Any]:
    """A message of the bus: the lead was changed."""
    lead = {"number": number, "version": 1, "created_at": 0, "updated_at": ids.ulid_ms(ulid), "status": "new"}
    event = events.of_lead(ctx, events.LEAD_UPDATED, ulid, lead, {})
    return {"detail": json.loads(events.to_detail(replace(event, actor=actor)))}


@pytest.fixture
def idling(ctx: Ctx) -> Automation:
    return automate(ctx, {"type": "no_activity", "config": {"hours": 1}})


def clock_of(ctx: Ctx, automation: Automation, number: int) -> idle.Clock | None:
    return idle.find(ctx, keys.idle(ctx.tenant.id, automation.id, number))


def rung(ctx: Ctx, automation: Automation, number: int) -> list[Run]:
    """All runs, when the alarm has rung."""
    place = keys.idle(ctx.tenant.id, automation.id, number)
    assert worked(ctx.ports, {"tenant": ctx.tenant.id, "due": [place.pk, place.sk]}) == []
    return runs.page(ctx, automation.id, 100)[0]


def test_events_that_come_late_or_twice_do_not_wind_a_clock_back(ctx: Ctx, clock: Clock, idling: Automation) -> None:
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    first = ctx.ulid()
    clock.advance(60)
    second = ctx.ulid()
    for ulid in (second, first, second):
        assert worked(ctx.ports, happened(ctx, number, ulid)) == []
        assert clock_of(ctx, idling, number) == idle.Clock(idling.id, number, second, ids.ulid_ms(second) + HOUR * 1000)


def test_what_an_automation_does_winds_no_clock(ctx: Ctx, idling: Automation) -> None:
    assert worked(ctx.ports, happened(ctx, 1, ctx.ulid(), actor="automation:99")) == []
    assert clock_of(ctx, idling, 1) is None


def test_a_clock_rings_at_its_time_and_is_gone_then(ctx: Ctx, clock: Clock, idling: Automation) -> None:
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    worked(ctx.ports, happened(ctx, number, ctx.ulid()))
    clock.advance(HOUR - 2)
    assert rung(ctx, idling, number) == []
    assert clock_of(ctx, idling, number)
    clock.advance(3)
    assert [run.state for run in rung(ctx, idling, number)] == ["done"]
    assert clock_of(ctx, idling, number) is None
    assert due(ctx) == []


def test_a_clock_that_rings_by_hours_of_the_past_is_set_to_those_of_now(
    ctx: Ctx, clock: Clock, idling: Automation
) -> None:
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    ulid = ctx.ulid()
    worked(ctx.ports, happened(ctx, number, ulid))
    service.update(ctx, idling.id, {"trigger": {"type": "no_activity", "config": {"hours": 3}}})
    clock.advance(HOUR)
    assert rung(ctx, idling, number) == []
    assert clock_of(ctx, idling, number) == idle.Clock(idling.id, number, ulid, ids.ulid_ms(ulid) + 3 * HOUR * 1000)


def test_what_happens_while_it_rings_winds_it_up_again(ctx: Ctx, clock: Clock, idling: Automation) -> None:
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    worked(ctx.ports, happened(ctx, number, ctx.ulid()))
    clock.advance(HOUR)
    ringing = clock_of(ctx, idling, number)
    assert ringing
    worked(ctx.ports, happened(ctx, number, ctx.ulid()))
    idle.stop(ctx, ringing)
    idle.wait_on(ctx, idling, ringing)
    again = clock_of(ctx, idling, number)
    assert again
    assert again.rings == int(clock.now * 1000) + HOUR * 1000
