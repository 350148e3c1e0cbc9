"""What the worker of automations reads, and what it does with messages of which nothing comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from docs.measure import Metered
from leadwire import events, ids, keys
from leadwire.automations import runner, runs, service, worker
from leadwire.automations.actions import ACTIONS, Doing
from leadwire.automations.service import Automation
from leadwire.context import Ctx
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.ports import Ports
from leadwire.store.types import Consumed
from tests.factories import Clock


@pytest.fixture
def metered(ports: Ports) -> Metered:
    return Metered(ports.engine)


def automate(ctx: Ctx, trigger: str, steps: Sequence[Mapping[str, Any]] = (), **config: Any) -> Automation:
    return service.create(ctx, Automation(name=trigger, trigger={"type": trigger, "config": config}, steps=steps))


def told(ctx: Ctx, actor: str = "api_key:k") -> Mapping[str, Any]:
    """A message of the bus: a new lead."""
    now = ctx.now_ms()
    snapshot = {"number": 1, "version": 1, "created_at": now, "updated_at": now, "status": "new"}
    event = replace(events.of_lead(ctx, events.LEAD_CREATED, ids.ulid(now), snapshot, {}), actor=actor)
    return {"detail": json.loads(events.to_detail(event))}


def taken(ports: Ports, metered: Metered, *messages: Mapping[str, Any]) -> Consumed:
    """What a batch of these consumed; nothing in it fails."""

    def never(doing: Doing) -> None:
        raise AssertionError(f"no action is due: {doing.step}")

    records = [{"messageId": str(at), "body": json.dumps(message)} for at, message in enumerate(messages)]
    assert worker.work(replace(ports, engine=metered), never, records) == {"batchItemFailures": []}
    return metered.consumed


def test_an_event_of_a_tenant_without_automations_costs_one_read(ports: Ports, ctx: Ctx, metered: Metered) -> None:
    assert taken(ports, metered, told(ctx)) == Consumed(wru=0, rru=1)


def test_ten_events_of_a_tenant_cost_as_much_as_one(ports: Ports, ctx: Ctx, metered: Metered) -> None:
    assert taken(ports, metered, *[told(ctx) for _ in range(10)]) == Consumed(wru=0, rru=1)


def test_an_event_that_starts_nothing_costs_one_read(ports: Ports, ctx: Ctx, metered: Metered) -> None:
    automate(ctx, "tag_added", tag="vip")
    own = automate(ctx, "lead_created")
    assert taken(ports, metered, told(ctx, actor=f"automation:{own.id}")) == Consumed(wru=0, rru=1)


def test_a_run_is_brought_on_without_reading_any_other_automation(ports: Ports, ctx: Ctx, metered: Metered) -> None:
    """Tenant, run, lead and its own automation are read; one transaction has stored it, one write ends it."""
    automation = automate(ctx, "manual")
    for _ in range(20):
        automate(ctx, "lead_created", source="x" * 255)
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    run = runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1))
    consumed = taken(ports, metered, {"tenant": ctx.tenant.id, "run": run.id})
    assert consumed.rru == 4
    found = runs.find(ctx, run.id)
    assert found
    assert found.state == "done"


@pytest.mark.parametrize(
    "message",
    [
        {"run": "0" * 32},
        {"due": [keys.run("{tenant}", "0" * 32).pk, "RUN"]},
        {"due": [keys.idle("{tenant}", 1, 1).pk, "IDLE"]},
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_there_needs_nothing(
    ports: Ports, ctx: Ctx, metered: Metered, *, message: Mapping[str, Any], known: bool
) -> None:
    tenant = ctx.tenant.id if known else "0123456789abcdef"
    place = [part.replace("{tenant}", tenant) for part in message.get("due", [])]
    consumed = taken(ports, metered, {**message, "tenant": tenant, **({"due": place} if place else {})})
    assert consumed == Consumed(wru=0, rru=2 if known else 1)


def test_of_two_workers_at_one_step_one_has_done_it(ports: Ports, ctx: Ctx) -> None:
    """The second one finds that it was done, and leaves the run to the first."""
    automation = automate(ctx, "manual", steps=[{"type": "action", "action": "add_score", "config": {"points": 1}}])
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    run = runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1))
    record = {"messageId": "m", "body": json.dumps({"tenant": ctx.tenant.id, "run": run.id})}
    workers = 0

    def act(doing: Doing) -> None:
        nonlocal workers
        workers += 1
        if workers == 1:  # another one is faster, between this one's reading and its writing
            assert worker.work(ports, act, [record]) == {"batchItemFailures": []}
        ACTIONS["add_score"](doing)

    assert worker.work(ports, act, [record]) == {"batchItemFailures": []}
    assert (workers, leads.get(ctx, number).score) == (2, 1)
    found = runs.find(ctx, run.id)
    assert found
    assert (found.state, len(found.log)) == ("done", 1)


@pytest.mark.parametrize("step", [{"type": "delay", "config": {"amount": 1, "unit": "hours"}}, None])
def test_of_two_workers_at_one_step_that_writes_the_run_alone_one_has_done_it(
    ports: Ports, ctx: Ctx, *, step: Mapping[str, Any] | None
) -> None:
    automation = automate(ctx, "manual", steps=[step] if step else [])
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    run = runs.begin(ctx, runs.fresh(ctx, automation, number, ctx.ulid(), 1))
    first, second = (runner.advance(ctx, run, lambda _doing: None) for _ in range(2))
    assert first.version == 2
    assert second == run, "it was overtaken"


def test_what_a_batch_has_no_time_for_comes_again(ports: Ports, ctx: Ctx, clock: Clock) -> None:
    """Rather than that the function is cut off, and all that others did in the batch is done again."""
    automate(ctx, "lead_created", steps=[{"type": "action", "action": "add_score", "config": {"points": 1}}])
    leads.create(ctx, Lead(first_name="Ada"))
    records = [{"messageId": f"m{at}", "body": json.dumps(told(ctx))} for at in range(5)]
    answer = worker.work(ports, lambda _doing: clock.advance(worker.PATIENCE / 2 + 1), records)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m2", "m3", "m4"]
    found, _ = runs.page(ctx, 1, 10)
    assert [run.state for run in found] == ["done", "done"]


def test_a_message_that_cannot_be_read_fails_alone(ports: Ports, ctx: Ctx) -> None:
    automate(ctx, "lead_created")
    number = leads.create(ctx, Lead(first_name="Ada")).lead.number
    bodies = ["{}", json.dumps(told(ctx)), "not JSON"]
    records = [{"messageId": f"m{at}", "body": body} for at, body in enumerate(bodies)]
    answer = worker.work(ports, lambda _doing: None, records)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m0", "m2"]
    (run,), _ = runs.page(ctx, 1, 10)
    assert (run.number, run.state) == (number, "done")
