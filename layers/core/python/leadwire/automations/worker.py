"""The worker of automations: events of the bus start runs, alarms of the due index bring them on.

Messages of its queue are of three kinds: a bus event (`detail`), a run to be brought on (`run`), an item of the due
index whose time has come (`due`: its key). Each is safe to repeat, and fails alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from leadwire import events, keys, ports, telemetry, tenants
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.events import Event
from leadwire.ports import Ports
from leadwire.store.types import Key
from leadwire.webhooks.model import Face

from . import hooks, idle, runner, runs, triggers
from .actions import ACTIONS, Doing
from .idle import Clock
from .runner import Act
from .runs import Run
from .service import Automation

EARLY = 1000
"""Milliseconds by which an alarm may come early: the clocks of two machines differ."""
OWN = f"{runner.ACTOR}:"


def handler(face: Face) -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """The handler of the function whose webhooks have this face: a batch in, the ids of what failed out."""
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
    batch, failed = Batch(ports, act), []
    for record in records:
        try:
            batch.take(json.loads(record["body"]))
        except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
            telemetry.fault("automation.failed", error, message_id=record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    telemetry.count({"RunsMoved": len(batch.moved), "AutomationFailures": len(failed)})
    return {"batchItemFailures": failed}


@dataclass(slots=True)
class Batch:
    """One invocation: what it has read of tenants, and which runs it has moved."""

    ports: Ports
    act: Act
    tenants: dict[str, Tenant] = field(default_factory=dict)
    moved: list[Run] = field(default_factory=list)

    def take(self, message: Mapping[str, Any]) -> None:
        """A tenant, a run or a clock that is not there needs nothing."""
        tenant = self._tenant(message["detail"]["tenant"] if "detail" in message else message["tenant"])
        if tenant.ctx is None:
            return
        if "detail" in message:
            self._happened(tenant.ctx, tenant.active, events.from_detail(message["detail"]))
        elif "run" in message:
            self._resume(tenant.ctx, message["run"])
        elif keys.is_idle(place := Key(*message["due"])):
            self._rang(tenant.ctx, tenant.active, idle.find(tenant.ctx, place))
        else:
            self._resume(tenant.ctx, keys.run_of(place))

    def _happened(self, ctx: Ctx, active: Sequence[Automation], event: Event) -> None:
        for automation in active:
            if event.actor == f"{OWN}{automation.id}":
                continue  # it never starts again by what it did itself
            if automation.trigger["type"] == idle.TRIGGER and not event.actor.startswith(OWN):
                idle.wind(ctx, automation, event)
            elif triggers.starts(automation.trigger, event):
                self._begin(ctx, automation, event.number, event.id, event.hops + 1)

    def _begin(self, ctx: Ctx, automation: Automation, number: int, event: str, hops: int) -> None:
        self.moved.append(runner.run(ctx, runs.fresh(ctx, automation, number, event, hops), self.act))

    def _resume(self, ctx: Ctx, run_id: str) -> None:
        run = runs.find(ctx, run_id)
        if run and (run.state == "running" or run.next_at <= ctx.now_ms() + EARLY):
            self.moved.append(runner.wake(ctx, run, self.act))

    def _rang(self, ctx: Ctx, active: Sequence[Automation], clock: Clock | None) -> None:
        """The clock stops after its run is stored: in between, it would ring again for the same run."""
        if clock is None or clock.rings > ctx.now_ms() + EARLY:
            return  # stopped, or wound up again, since the alarm was set
        waiting = {one.id: one for one in active if one.trigger["type"] == idle.TRIGGER}
        if clock.automation in waiting:
            self._begin(ctx, waiting[clock.automation], clock.number, clock.event, 1)
        idle.stop(ctx, clock)

    def _tenant(self, id_: str) -> Tenant:
        if id_ not in self.tenants:
            self.tenants[id_] = _read(self.ports, id_)
        return self.tenants[id_]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that events are of, and its automations that are switched on."""

    ctx: Ctx | None
    active: Sequence[Automation] = ()


def _read(ports: Ports, id_: str) -> Tenant:
    try:
        ctx = tenants.operate(ports, tenants.load(ports, id_), "automations")
    except NotFound:
        return Tenant(None)
    return Tenant(ctx, runner.active(ctx))
