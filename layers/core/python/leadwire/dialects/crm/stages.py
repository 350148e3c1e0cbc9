"""Stages of a pipeline in the crm dialect. Deleting one goes through its leads: 202 asks for the same request again."""

from __future__ import annotations

from typing import Any, TypedDict

from pydantic import ConfigDict

from leadwire import pipelines, stages
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, unsent
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import cascade
from leadwire.leads.cascade import Progress
from leadwire.pipelines import MOST_STAGES, Stage

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import DELETED, NUMBERED, Color, Number, One, Position, number, page, sent, show_deleted


def _won_or_lost(shown: dict[str, Any]) -> None:
    both = {"is_won": {"const": True}, "is_lost": {"const": True}}
    shown["not"] = {"properties": both, "required": [*both]}


def _changes(shown: dict[str, Any]) -> None:
    unsent(shown)
    _won_or_lost(shown)


class NewStage(Body):
    """A stage of a new pipeline: they stand in the order in which they are sent."""

    model_config = ConfigDict(json_schema_extra=_won_or_lost)

    name: FilledLine
    color: Color | None = None
    is_won: bool = False
    is_lost: bool = False


class CreateStage(NewStage):
    """`POST /api/v1/pipelines/{pipeline_id}/stages`. Without a position it is the last one."""

    position: Position | None = None


class UpdateStage(Body):
    """`PUT` and `PATCH` of a stage; null clears the color."""

    model_config = ConfigDict(json_schema_extra=_changes)

    name: FilledLine = ""
    color: Color | None = None
    position: Position = 1
    is_won: bool = False
    is_lost: bool = False


class StageRecord(TypedDict):
    id: Number
    pipeline_id: Number
    name: str
    color: Color | None
    position: Number
    is_won: bool
    is_lost: bool


def every(ctx: Ctx, request: Request) -> Paged[Stage]:
    return page(request, pipelines.get(ctx, number(request.path["pipeline_id"])).stages)


def create(ctx: Ctx, request: Request) -> Stage:
    return stages.add(ctx, number(request.path["pipeline_id"]), draft(request.body, request.body.position))


def get(ctx: Ctx, request: Request) -> Stage:
    return stages.get(ctx, *_ids(request))


def update(ctx: Ctx, request: Request) -> Stage:
    changes = sent(request.body)
    if "color" in changes:
        changes["color"] = changes["color"] or ""
    return stages.update(ctx, *_ids(request), changes)


def delete(ctx: Ctx, request: Request) -> Progress[Stage]:
    return cascade.delete_stage(ctx, *_ids(request))


def show_page(_tenant: Tenant, page: Paged[Stage]) -> Reply[Page[StageRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, stage: Stage) -> Reply[One[StageRecord]]:
    return Reply(201, {"data": shape(stage)})


def show(_tenant: Tenant, stage: Stage) -> Reply[One[StageRecord]]:
    return Reply(200, {"data": shape(stage)})


def shape(stage: Stage) -> StageRecord:
    return {
        "id": stage.id,
        "pipeline_id": stage.pipeline_id,
        "name": stage.name,
        "color": stage.color or None,
        "position": stage.position,
        "is_won": stage.is_won,
        "is_lost": stage.is_lost,
    }


def _ids(request: Request) -> tuple[int | None, int | None]:
    return number(request.path["pipeline_id"]), number(request.path["stage_id"])


def draft(body: NewStage, position: int | None = None) -> Stage:
    return Stage(
        pipeline_id=0,
        name=body.name,
        color=body.color or "",
        position=position or 0,
        is_won=body.is_won,
        is_lost=body.is_lost,
    )


BASE = "/api/v1/pipelines/{pipeline_id}/stages"
ITEM = BASE + "/{stage_id}"
READ, WRITE = "read:pipelines", "write:pipelines"
LISTED, MADE, SHOWN = {200: Page[StageRecord]}, {201: One[StageRecord]}, {200: One[StageRecord]}
FULL = (InvalidInput(FieldError("pipeline_id", f"has {MOST_STAGES} stages already, the most there can be", "limit")),)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List stages", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateStage,
            summary="Create a stage", answers=MADE, refuses=FULL,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get a stage", answers=SHOWN),
        Route("PUT", ITEM, WRITE, update, show, body=UpdateStage, summary="Change a stage", answers=SHOWN),
        Route("PATCH", ITEM, WRITE, update, show, body=UpdateStage, summary="Change a stage", answers=SHOWN),
        Route("DELETE", ITEM, WRITE, delete, show_deleted, summary="Delete a stage", answers=DELETED),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
