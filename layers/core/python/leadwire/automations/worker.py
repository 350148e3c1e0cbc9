"""The worker of automations: events of the bus start runs, alarms of the due index continue them.

Messages of its queue are of three kinds: a bus event (`detail`), a run to be advanced (`run`), an item of the due
index whose time has come (`due`: its key). Each is safe to repeat, and fails alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from leadwire import events, keys, ports, telemetry, tenants
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.events import Event
from leadwire.leads import store
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import Key
from leadwire.webhooks.model import Face

from . import hooks, idle, runner, runs, triggers
from .actions import ACTIONS, Doing
from .runner import Act
from .runs import Run
from .service import Automation

PATIENCE = 40
"""Seconds of a batch after which no other message is begun: it comes again, and nobody else's work is cut off."""
EARLY = 1000
"""Milliseconds by which an alarm may come early: the clocks of two machines differ."""


def handler(face: Face) -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """The handler of the function whose webhooks have this face: a batch in, the ids of what failed out."""
    ports.prepare()
    act = partial(perform, face)
    return lambda event, _context: work(ports.current(), act, event["Records"])


def perform(face: Face, doing: Doing) -> None:
    """One action. Raises actions.Undoable and LeadwireError where it cannot be done."""
    name = doing.step["action"]
    if name == "send_webhook":
        hooks.send(face, doing)
    else:
        ACTIONS[name](doing)


def work(ports: Ports, act: Act, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    batch, failed, late = Batch(ports, act), list[str](), list[str]()
    ends = ports.clock() + PATIENCE
    for record in records:
        if ports.clock() > ends:
            late.append(record["messageId"])
            continue
        try:
            batch.take(json.loads(record["body"]))
        except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
            telemetry.fault("automation.failed", error, message_id=record["messageId"])
            failed.append(record["messageId"])
    telemetry.count({"RunsMoved": len(batch.moved), "AutomationFailures": len(failed), "AutomationsLate": len(late)})
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed + late]}


@dataclass
class Tenant:
    """A tenant that messages are of. What is not asked for is not read: most tenants have no automations."""

    ports: Ports
    id: str

    @cached_property
    def active(self) -> list[Automation]:
        """Its automations that are switched on."""
        return runner.active(Table(self.ports.engine, keys.tenant_prefix(self.id)), self.id)

    @cached_property
    def ctx(self) -> Ctx | None:
        """None if there is no such tenant."""
        try:
            return tenants.operate(self.ports, tenants.load(self.ports, self.id), "automations")
        except NotFound:
            return None


@dataclass(slots=True)
class Batch:
    """One invocation: what it has read of tenants, and which runs it has moved."""

    ports: Ports
    act: Act
    tenants: dict[str, Tenant] = field(default_factory=dict)
    moved: list[Run] = field(default_factory=list)

    def take(self, message: Mapping[str, Any]) -> None:
        """Nothing is done for a tenant, a run or a clock that is gone."""
        if "detail" in message:
            event = events.from_detail(message["detail"])
            self._happened(self._tenant(event.tenant), event)
        elif "run" in message:
            self._resume(self._tenant(message["tenant"]), message["run"])
        elif keys.is_idle(place := Key(*message["due"])):
            self._rang(self._tenant(message["tenant"]), place)
        else:
            self._resume(self._tenant(message["tenant"]), keys.run_of(place))

    def _happened(self, tenant: Tenant, event: Event) -> None:
        concerned = [one for one in tenant.active if _concerns(one, event)]
        if not concerned or (ctx := tenant.ctx) is None:
            return
        for automation in concerned:
            if automation.trigger["type"] == idle.TRIGGER:
                idle.wind(ctx, automation, event)
            else:
                self._begin(ctx, automation, event.number, event.id, event.hops + 1)

    def _begin(self, ctx: Ctx, automation: Automation, number: int, event: str, hops: int) -> None:
        self.moved.append(runner.run(ctx, runs.fresh(ctx, automation, number, event, hops), self.act))

    def _resume(self, tenant: Tenant, run_id: str) -> None:
        run = runs.find(tenant.ctx, run_id) if tenant.ctx else None
        if tenant.ctx and run and (run.state == "running" or run.next_at <= tenant.ctx.now_ms() + EARLY):
            self.moved.append(runner.wake(tenant.ctx, run, self.act))

    def _rang(self, tenant: Tenant, place: Key) -> None:
        """The clock stops after its run is stored: in between, it would ring again for the same run."""
        ctx = tenant.ctx
        clock = idle.find(ctx, place) if ctx else None
        if ctx is None or clock is None or clock.rings > ctx.now_ms() + EARLY:
            return  # stopped, or wound up again, since the alarm was set
        waiting = {one.id: one for one in tenant.active if one.trigger["type"] == idle.TRIGGER}
        automation = waiting.get(clock.automation)
        if automation and idle.due(automation, clock) > ctx.now_ms() + EARLY:
            idle.wait_on(ctx, automation, clock)
            return
        if automation and store.find(ctx, clock.number):
            self._begin(ctx, automation, clock.number, clock.event, 1)
        idle.stop(ctx, clock)

    def _tenant(self, id_: str) -> Tenant:
        return self.tenants.setdefault(id_, Tenant(self.ports, id_))


def _concerns(automation: Automation, event: Event) -> bool:
    """Whether the event starts the automation or winds up its clock. It never starts again by what it did itself."""
    if automation.trigger["type"] == idle.TRIGGER:
        return idle.is_activity(event)
    return event.actor != f"{runner.ACTOR}:{automation.id}" and triggers.starts(automation.trigger, event)
