"""Runs of automations in the crm dialect: what each step did, and a start by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from leadwire import records
from leadwire.automations import manual, runs
from leadwire.automations.runs import PER_MINUTE, Run, State
from leadwire.automations.service import AUTOMATIONS
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import WHOLE
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import Conflict, NotFound

from . import errors
from .automations import ITEM, READ, WRITE
from .parts import NUMBERED, Number, One, Time, Ulid, number, time


class RunList(QueryString):
    """`GET /api/v1/automations/{id}/runs`, newest first."""

    cursor: Annotated[Ulid | None, Field(description="`next_cursor` of the page before")] = None
    per_page: Annotated[int, Field(ge=1, le=100)] = 15


class StartRun(Body):
    """`POST /api/v1/automations/{id}/run`: for automations with the trigger `manual`."""

    lead_id: Annotated[int, Field(ge=1, lt=10**12), WHOLE]


class StepError(TypedDict):
    code: str
    message: str


class StepRecord(TypedDict):
    step: Annotated[int, Field(ge=1, description="Place among the steps, from 1")]
    type: Literal["condition", "action", "delay"]
    name: Annotated[str | None, Field(description="The condition or the action")]
    result: Annotated[
        Literal["true", "false", "done", "waits", "failed"],
        Field(description="true, false: of a condition; waits: `until` says for how long"),
    ]
    at: Time
    until: NotRequired[Time]
    error: NotRequired[StepError]


class RunRecord(TypedDict):
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    automation_id: Number
    lead_id: Number
    trigger: str
    event_id: Annotated[Ulid, Field(description="What started it")]
    status: State
    reason: Annotated[
        Literal["automation", "lead", "loop", "rate"] | None,
        Field(description="What stopped it: the automation or the lead is gone, a loop, too many runs at once"),
    ]
    steps: list[StepRecord]
    next_at: Annotated[Time | None, Field(description="When it goes on, while it waits")]
    started_at: Time
    finished_at: Time | None


class Following(TypedDict):
    next_cursor: Ulid | None


class Runs(TypedDict):
    data: list[RunRecord]
    meta: Following


@dataclass(frozen=True, slots=True)
class Found:
    """A page of runs, and the cursor of the next one."""

    runs: list[Run]
    next: str | None


def every(ctx: Ctx, request: Request) -> Found:
    automation = records.find(ctx, AUTOMATIONS, number(request.path["id"]))
    asked: RunList = request.query
    return Found(*runs.page(ctx, automation.id, asked.per_page, asked.cursor or ""))


def start(ctx: Ctx, request: Request) -> Run:
    return manual.start(ctx, number(request.path["id"]), request.body.lead_id)


def show_page(_tenant: Tenant, found: Found) -> Reply[Runs]:
    return Reply(200, {"data": [shape(run) for run in found.runs], "meta": {"next_cursor": found.next}})


def show_started(_tenant: Tenant, run: Run) -> Reply[One[RunRecord]]:
    return Reply(202, {"data": shape(run)})


def shape(run: Run) -> RunRecord:
    return {
        "id": run.id,
        "automation_id": run.automation,
        "lead_id": run.number,
        "trigger": run.trigger,
        "event_id": run.event,
        "status": run.state,
        "reason": run.reason or None,  # type: ignore[typeddict-item]  # one of the four words (automations/runs.py)
        "steps": [_step(run.steps[entry["step"]], entry) for entry in run.log],
        "next_at": time(run.next_at) if run.state == "waiting" else None,
        "started_at": time(run.started_at),
        "finished_at": time(run.finished_at) if run.finished_at else None,
    }


def _step(step: Mapping[str, Any], entry: Mapping[str, Any]) -> StepRecord:
    shown: StepRecord = {
        "step": entry["step"] + 1,
        "type": step["type"],
        "name": step.get("action") or step.get("condition"),
        "result": entry["result"],
        "at": time(entry["at"]),
    }
    if "until" in entry:
        shown["until"] = time(entry["until"])
    if "error" in entry:
        shown["error"] = entry["error"]
    return shown


NOT_NOW = (
    Conflict("This automation is switched off"),
    Conflict(f"There were {PER_MINUTE} runs for this lead within a minute"),
    NotFound("lead", "lead_id"),
)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route(
            "GET", ITEM + "/runs", READ, every, show_page, query=RunList,
            summary="List runs of an automation", answers={200: Runs},
        ),
        Route(
            "POST", ITEM + "/run", WRITE, start, show_started, body=StartRun,
            summary="Run an automation by hand", answers={202: One[RunRecord]}, refuses=NOT_NOW,
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
