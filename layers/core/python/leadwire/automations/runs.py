"""Runs of automations as items of the table: one for each automation and event, whatever comes twice.

A run carries the steps as they were when it began, so that editing an automation never moves the ground under it, and
its version is the condition of every write, so that two workers never do the same step.

    running ──▶ waiting ──▶ running ──▶ done       every step was done
       │           │                    ended      a condition did not hold
       │           │                    stopped    the automation or the lead is gone, a loop, too many at once
       └───────────┴──────────────────▶ failed     a step could not be done: its error says why

While it is running or waiting it stands in the due index, so nothing is lost with a worker or a message.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from leadwire import keys, telemetry
from leadwire.context import Ctx
from leadwire.json_text import json_text
from leadwire.ports import Message
from leadwire.store.types import (
    ABSENT,
    Compare,
    ConditionFailed,
    Item,
    Key,
    Put,
    Query,
    TransactionFailed,
    Update,
    any_of,
    equals,
)

from .service import Automation

PER_MINUTE = 10
"""Runs of one lead."""
HOPS = 5
"""Automations that may have led to each other."""
GRACE = 120_000
"""Milliseconds after which a run that nobody has advanced rings in the due index."""
KEPT = 90 * 24 * 3600
RATE_KEPT = 3600

State = Literal["running", "waiting", "done", "ended", "stopped", "failed"]
OPEN: tuple[State, ...] = ("running", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One automation on its way through one lead. Times are epoch milliseconds."""

    id: str
    ulid: str
    automation: int
    number: int
    """Of the lead."""
    trigger: str
    event: str
    """What started it: the id of an event, or of a request."""
    hops: int
    steps: Sequence[Mapping[str, Any]]
    """As stored (service.py), with sealed secrets."""
    business_hours: bool = False
    state: State = "running"
    at: int = 0
    """The step to be done next."""
    log: Sequence[Mapping[str, Any]] = ()
    """What was done: step, at, result, and what there is to say."""
    reason: str = ""
    """Why it was stopped: automation, lead, loop, rate."""
    next_at: int
    """When it rings."""
    version: int = 1
    started_at: int
    finished_at: int | None = None


class Overtaken(Exception):
    """Another worker has advanced the run."""


def run_id(automation: int, event: str) -> str:
    """The same for the same automation and event, so that a repeated event runs nothing twice."""
    return hashlib.blake2b(f"{automation}/{event}".encode(), digest_size=16).hexdigest()


def fresh(ctx: Ctx, automation: Automation, number: int, event: str, hops: int, *, once: str = "") -> Run:
    """A run that is not stored yet; one hop too many has stopped before it began. `once` says what makes it the same
    run when it comes again, if that is not the event.
    """
    now = ctx.now_ms()
    run = Run(
        id=run_id(automation.id, once or event),
        ulid=ctx.ulid(),
        automation=automation.id,
        number=number,
        trigger=automation.trigger["type"],
        event=event,
        hops=hops,
        steps=automation.steps,
        business_hours=automation.business_hours,
        next_at=now + GRACE,
        started_at=now,
    )
    return stopped(run, "loop", now) if hops > HOPS else run


def begin(ctx: Ctx, run: Run) -> Run:
    """Store a fresh run; the one that is there if it has been stored before."""
    try:
        ctx.table.transact(births(ctx, run))
    except TransactionFailed as refused:
        if 0 not in refused.failed:
            with contextlib.suppress(ConditionFailed):  # then it was stored by another worker meanwhile
                ctx.table.write(Put(_item(ctx, stopped(run, "rate", ctx.now_ms())), ABSENT))
        stored = ctx.table.get(keys.run(ctx.tenant.id, run.id))
        return _of_item(stored) if stored else run
    return run


def births(ctx: Ctx, run: Run) -> list[Put | Update]:
    """The writes that store a fresh run and count it in its lead's minute."""
    put = Put(_item(ctx, run), ABSENT)
    if run.state not in OPEN:
        return [put]
    minute = run.started_at // 60_000
    room = any_of(ABSENT, Compare("runs", "<", PER_MINUTE))
    expires = run.started_at // 1000 + RATE_KEPT
    rate = keys.run_rate(ctx.tenant.id, run.number, minute)
    return [put, Update(rate, set={"expires_at": expires}, add={"runs": 1}, condition=room)]


def find(ctx: Ctx, id_: str) -> Run | None:
    item = ctx.table.get(keys.run(ctx.tenant.id, id_))
    return _of_item(item) if item else None


def page(ctx: Ctx, automation: int, limit: int, before: str = "") -> tuple[list[Run], str | None]:
    """Runs of an automation, newest first, and the cursor of the next page."""
    partition = keys.runs(ctx.tenant.id, automation)
    query = Query(partition, index="g1", high=before or None, limit=limit + 2, forward=False)
    rows = [row for row in ctx.table.query(query).items if row["g1sk"] != before][: limit + 1]
    wanted = [Key(row["pk"], row["sk"]) for row in rows[:limit]]
    found = ctx.table.batch_get(wanted) if wanted else {}
    shown = [_of_item(found[key]) for key in wanted if key in found]
    return shown, str(rows[limit - 1]["g1sk"]) if len(rows) > limit else None


def following(before: Run, after: Run, now: int) -> Run:
    """The next version to be written; while it is running it rings if nobody advances it."""
    waits = after.next_at if after.state == "waiting" else now + GRACE
    return replace(after, version=before.version + 1, next_at=waits)


def moved(ctx: Ctx, before: Run, after: Run) -> Update:
    """The write that advances a run, unless somebody else has. `after` has the next version."""
    place = keys.run(ctx.tenant.id, before.id)
    changed = {name: getattr(after, name) for name in ("state", "at", "reason", "next_at", "version", "finished_at")}
    index = _due(after)
    return Update(
        place,
        set={**changed, "log": json_text(after.log), "expires_at": _expires(after), **index},
        remove=() if index else ("g2pk", "g2sk"),
        condition=equals("version", before.version),
    )


def logged(run: Run, now: int, result: str, **more: Any) -> Run:
    """The run after the step that it was at."""
    entry = {"step": run.at, "at": now, "result": result, **more}
    return replace(run, at=run.at + 1, log=(*run.log, entry))


def stopped(run: Run, reason: str, now: int) -> Run:
    return closed(replace(run, reason=reason), "stopped", now)


def closed(run: Run, state: State, now: int) -> Run:
    return replace(run, state=state, finished_at=now)


def ring(ctx: Ctx, run: Run) -> None:
    """Have a worker advance it at once. If the queue refuses, the due index does it within minutes."""
    message = Message(json.dumps({"tenant": ctx.tenant.id, "run": run.id}), group=ctx.tenant.id)
    if ctx.ports.queue.send(ctx.ports.settings.automations_queue_url, [message]):
        telemetry.say("alarms.refused", messages=1)


# --- items ------------------------------------------------------------------------------------------------------------

_TEXTS = ("steps", "log")


def _item(ctx: Ctx, run: Run) -> Item:
    key = keys.run(ctx.tenant.id, run.id)
    values = {f.name: getattr(run, f.name) for f in fields(Run)}
    index = keys.indexed(g1=(keys.runs(ctx.tenant.id, run.automation), run.ulid))
    texts = {name: json_text(values[name]) for name in _TEXTS}
    return {"pk": key.pk, "sk": key.sk, **values, **texts, "expires_at": _expires(run), **index, **_due(run)}


def _of_item(item: Mapping[str, Any]) -> Run:
    values = {f.name: item[f.name] for f in fields(Run)}
    return Run(**{**values, **{name: tuple(json.loads(values[name])) for name in _TEXTS}})


def _due(run: Run) -> Item:
    """The due index's keys, of a run that has something ahead of it."""
    if run.state not in OPEN:
        return {}
    return keys.indexed(g2=keys.due_at(run.id, run.next_at))


def _expires(run: Run) -> int:
    return max(run.next_at, run.started_at) // 1000 + KEPT
