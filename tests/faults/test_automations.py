"""A run of an automation happens once, wherever its worker dies: every step is done, none twice.

Table, queues and KMS are stopped before and after each call in every position, one position a round; so is the sweep.
What is sent to a customer's server may arrive twice (tests/faults/test_no_loss.py); it is one delivery all the same.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadwire import keys, tenants, users
from leadwire.automations import runs, service
from leadwire.automations.service import Automation
from leadwire.context import Ctx
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.store.types import Query
from local.world import World
from tests.faults.injector import Injector, Moment, Stopped, inject

ROOT = Path(__file__).resolve().parents[2]


def action(name: str, **config: Any) -> dict[str, Any]:
    return {"type": "action", "action": name, "config": config}


@dataclass
class Office:
    """A tenant whose new leads are scored, noted, assigned in turn, told of, and handed on after a minute."""

    world: World
    ctx: Ctx
    injector: Injector
    first: Automation
    second: Automation

    def run(self) -> bool:
        """What is due at once, and two minutes later. Whether a worker was stopped on the way."""
        stopped = False
        for minutes in (0, 2):
            try:
                self.world.advance(minutes=minutes)
            except Stopped:
                stopped = True
                self.injector.disarm()
        return stopped

    def runs(self, automation: Automation, number: int) -> list[runs.Run]:
        found, _ = runs.page(self.ctx, automation.id, 100)
        return [run for run in found if run.number == number]


@pytest.fixture
def office(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    ctx = tenants.operate(world.ports, tenants.create(world.ports, "acme", "Acme"), "tests")
    for number in range(3):
        users.create(ctx, f"User {number}", f"user{number}@example.com")
    second = service.create(
        ctx, Automation(name="then", trigger={"type": "manual"}, steps=[action("add_score", points=100)])
    )
    steps = [
        {"type": "condition", "condition": "status_is", "config": {"status": "new"}},
        action("add_score", points=1),
        action("assign_user", round_robin=[1, 2, 3]),
        action("send_webhook", url=receiver.url, secret="a secret of ours"),
        {"type": "delay", "config": {"amount": 1, "unit": "minutes"}},
        action("create_task", text="Call {{first_name}}"),
        action("start_automation", automation_id=second.id),
    ]
    first = service.create(ctx, Automation(name="first", trigger={"type": "lead_created"}, steps=steps))
    yield Office(world, ctx, inject(world, monkeypatch), first, second)
    world.close()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_whose_worker_dies_at_any_call_is_done_once(
    moment: Moment, office: Office, receiver: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    crashes, places = 0, Counter[str]()
    for position in itertools.count(1):
        lead = leads.create(office.ctx, Lead(first_name="Ada")).lead
        office.injector.arm(position, moment)
        stopped = office.run()
        office.injector.disarm()
        office.world.advance(minutes=20)
        happened_once(office, lead.number)
        if not stopped:
            break
        crashes += 1
        places[office.injector.stopped_at] += 1
    turns = Counter(leads.get(office.ctx, number).assigned_user_id for number in range(1, lead.number + 1))
    assert max(turns.values()) - min(turns.values()) <= 1, "nobody is passed over"
    sent = {headers["webhook-id"] for headers, _ in receiver.received}
    assert len(sent) == lead.number
    assert crashes > 50
    with capsys.disabled():
        print(f"\nstopped {moment}: {crashes} crashes {dict(places)}, {lead.number} leads, "  # noqa: T201  # the report
              f"{len(receiver.received) - len(sent)} requests repeated")  # fmt: skip


def happened_once(office: Office, number: int) -> None:
    lead = leads.get(office.ctx, number)
    assert lead.score == 101
    for automation in (office.first, office.second):
        (run,) = office.runs(automation, number)
        assert run.state == "done"
        assert [entry["step"] for entry in run.log] == [*range(len(run.steps))]
    timeline = office.ctx.table.query_all(timeline_of(office.ctx, number))
    assert Counter(item["type"] for item in timeline) == {"lead.created": 1, "lead.updated": 3, "task.created": 1}


def timeline_of(ctx: Ctx, number: int) -> Query:
    key = keys.event(ctx.tenant.id, number, "")
    return Query(key.pk, prefix=key.sk, consistent=True)
