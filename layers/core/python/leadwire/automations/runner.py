"""Runs advance step by step, each recorded before the next.

    event ─▶ start ─▶ condition ─▶ action ─▶ delay ┄┄ due index ┄┄▶ action ─▶ done
                       holds?       + record, in one transaction

A worker that dies leaves a run in the due index; the next one goes on at the step that is not recorded. Two workers at
one run are told apart by its version: the second one's step fails as a whole (`Overtaken`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import records, tenants
from leadwire.context import Actor, Ctx
from leadwire.errors import LeadwireError, NotFound, Unready
from leadwire.leads import model, service
from leadwire.leads.identity import Malformed
from leadwire.leads.model import Lead
from leadwire.store.table import Table
from leadwire.store.types import ConditionFailed, Query, TransactWrite

from . import conditions, delays, runs
from .actions import Doing, Undoable
from .runs import Overtaken, Run
from .service import AUTOMATIONS, Automation

ACTOR = "automation"

type Act = Callable[[Doing], None]


@dataclass(slots=True)
class Progress:
    """The run's next state as the `answer` of a verb: written in its transaction, or by itself if it wrote nothing."""

    ctx: Ctx
    before: Run
    after: Run
    stored: bool = field(default=False)

    @property
    def reference(self) -> str:
        return self.before.id

    def writes(self, _result: object) -> Sequence[TransactWrite]:
        return [runs.moved(self.ctx, self.before, self.after)]

    def landed(self) -> None:
        self.stored = True

    def lost(self) -> Exception:
        return Overtaken(self.before.id)


# --- beginning --------------------------------------------------------------------------------------------------------


def active(table: Table, tenant: str) -> list[Automation]:
    """The automations of the tenant that are switched on: one query, before anything else is read of the tenant."""
    items = table.query_all(Query(AUTOMATIONS.partition(tenant), consistent=True))
    return [records.of_item(AUTOMATIONS, item) for item in items if item["is_active"]]


def run(ctx: Ctx, fresh: Run, perform: Act) -> Run:
    """Store a fresh run and advance it; if it is there already, advance that one."""
    return advance(ctx, runs.begin(ctx, fresh), perform)


# --- advancing --------------------------------------------------------------------------------------------------------


def advance(ctx: Ctx, run: Run, perform: Act) -> Run:
    """Until it waits, is over, or another worker has it. Errors of the store are raised: the run stays where it is."""
    with contextlib.suppress(Overtaken):
        while run.state == "running":
            run = _step(ctx, run, perform)
    return run


def wake(ctx: Ctx, run: Run, perform: Act) -> Run:
    """Advance a run whose time has come."""
    return advance(ctx, replace(run, state="running") if run.state == "waiting" else run, perform)


def _step(ctx: Ctx, before: Run, perform: Act) -> Run:
    """Up to the next write: conditions that hold cost none."""
    now, lead = ctx.now_ms(), _lead(ctx, before)
    if not _is_active(ctx, before):
        return _store(ctx, before, runs.stopped(before, "automation", now))
    if lead is None:
        return _store(ctx, before, runs.stopped(before, "lead", now))
    run, shown = before, model.snapshot(lead)
    while run.at < len(run.steps):
        step = run.steps[run.at]
        if step["type"] == "action":
            return _act(ctx, before, run, perform)
        if step["type"] == "delay":
            return _store(ctx, before, _parked(ctx, run, step, now))
        if not conditions.holds(step, shown):
            return _store(ctx, before, runs.closed(runs.logged(run, now, "false"), "ended", now))
        run = runs.logged(run, now, "true")
    return _store(ctx, before, runs.closed(run, "done", now))


def _parked(ctx: Ctx, run: Run, step: Mapping[str, Any], now: int) -> Run:
    end = delays.ends(step["config"], now, tenants.hours(ctx), within_hours=run.business_hours)
    return replace(runs.logged(run, now, "waits", until=end), state="waiting", next_at=end)


def _act(ctx: Ctx, before: Run, run: Run, perform: Act) -> Run:
    now = ctx.now_ms()
    after = runs.logged(run, now, "done")
    if after.at == len(run.steps):
        after = runs.closed(after, "done", now)
    progress = Progress(ctx, before, runs.following(before, after, now))
    actor = Actor(ACTOR, str(run.automation))
    acting = replace(ctx, actor=actor, cause=run.event, hops=run.hops, answer=progress)
    try:
        perform(Doing(acting, run, run.steps[run.at]))
    except (Undoable, LeadwireError, Malformed) as error:
        if isinstance(error, Unready):
            raise
        return _store(ctx, before, _failed(run, error, now))
    return progress.after if progress.stored else _store(ctx, before, after)


def _failed(run: Run, error: Exception, now: int) -> Run:
    if isinstance(error, NotFound) and error.kind == "lead":
        return runs.stopped(run, "lead", now)
    code = getattr(error, "code", "invalid").lower()
    told = runs.logged(run, now, "failed", error={"code": code, "message": str(error)})
    return runs.closed(told, "failed", now)


def _store(ctx: Ctx, before: Run, after: Run) -> Run:
    """Raises Overtaken."""
    later = runs.following(before, after, ctx.now_ms())
    try:
        ctx.table.write(runs.moved(ctx, before, later))
    except ConditionFailed as lost:
        raise Overtaken(before.id) from lost
    return later


def _is_active(ctx: Ctx, run: Run) -> bool:
    try:
        return records.find(ctx, AUTOMATIONS, run.automation).is_active
    except NotFound:
        return False


def _lead(ctx: Ctx, run: Run) -> Lead | None:
    try:
        return service.get(ctx, run.number)
    except NotFound:
        return None
