"""Pipelines and stages in the crm dialect. Deleting one goes through its leads: 202 asks for the same request again."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadwire import pipelines
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.leads import cascade
from leadwire.leads.cascade import Progress
from leadwire.pipelines import STAGES, Board, Stage

from . import errors, paging
from .paging import Paged, PageQuery
from .parts import Color, Position, number, page, sent, times
from .shapes import Id


class NewStage(Body):
    """A stage of a new pipeline: they stand in the order in which they are sent."""

    name: FilledLine
    color: Color | None = None
    is_won: bool = False
    is_lost: bool = False


class CreateStage(NewStage):
    """`POST /api/v1/pipelines/{pipeline_id}/stages`. Without a position it is the last one."""

    position: Position | None = None


class UpdateStage(Body):
    """`PUT` and `PATCH` of a stage; null clears the color."""

    name: FilledLine = ""
    color: Color | None = None
    position: Position = 1
    is_won: bool = False
    is_lost: bool = False


class CreatePipeline(Body):
    """`POST /api/v1/pipelines`."""

    name: FilledLine
    is_default: bool = False
    stages: Annotated[list[NewStage], Field(max_length=STAGES)] = Field(default_factory=list)


class UpdatePipeline(Body):
    """`PUT` and `PATCH /api/v1/pipelines/{id}`."""

    name: FilledLine = ""
    is_default: bool = False


class DeletePipeline(QueryString):
    move_to: Id | None = None


# --- pipelines --------------------------------------------------------------------------------------------------------


def every(ctx: Ctx, request: Request) -> Paged[Board]:
    return page(request, pipelines.every(ctx))


def create(ctx: Ctx, request: Request) -> Board:
    body: CreatePipeline = request.body
    stages = [_stage(stage) for stage in body.stages]
    return pipelines.create(ctx, body.name, is_default=body.is_default, stages=stages)


def get(ctx: Ctx, request: Request) -> Board:
    return pipelines.get(ctx, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> Board:
    return pipelines.update(ctx, number(request.path["id"]), sent(request.body))


def delete(ctx: Ctx, request: Request) -> Progress[Board]:
    return cascade.delete_pipeline(ctx, number(request.path["id"]), request.query.move_to)


def show_page(_tenant: Tenant, page: Paged[Board]) -> Reply:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, board: Board) -> Reply:
    return Reply(201, {"data": shape(board)})


def show(_tenant: Tenant, board: Board) -> Reply:
    return Reply(200, {"data": shape(board)})


def show_deleted(_tenant: Tenant, progress: Progress[Any]) -> Reply:
    return Reply(202, {"meta": {"remaining": progress.left}}) if progress.left else Reply(204)


def shape(board: Board) -> dict[str, Any]:
    pipeline = board.pipeline
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "is_default": pipeline.is_default,
        "stages": [stage_shape(stage) for stage in board.stages],
        **times(pipeline),
    }


# --- stages -----------------------------------------------------------------------------------------------------------


def every_stage(ctx: Ctx, request: Request) -> Paged[Stage]:
    return page(request, pipelines.get(ctx, number(request.path["pipeline_id"])).stages)


def create_stage(ctx: Ctx, request: Request) -> Stage:
    return pipelines.add_stage(ctx, number(request.path["pipeline_id"]), _stage(request.body, request.body.position))


def get_stage(ctx: Ctx, request: Request) -> Stage:
    return pipelines.stage(ctx, *_ids(request))


def update_stage(ctx: Ctx, request: Request) -> Stage:
    changes = sent(request.body)
    if "color" in changes:
        changes["color"] = changes["color"] or ""
    return pipelines.update_stage(ctx, *_ids(request), changes)


def delete_stage(ctx: Ctx, request: Request) -> Progress[Stage]:
    return cascade.delete_stage(ctx, *_ids(request))


def show_stages(_tenant: Tenant, page: Paged[Stage]) -> Reply:
    return paging.show(page, stage_shape)


def show_created_stage(_tenant: Tenant, stage: Stage) -> Reply:
    return Reply(201, {"data": stage_shape(stage)})


def show_stage(_tenant: Tenant, stage: Stage) -> Reply:
    return Reply(200, {"data": stage_shape(stage)})


def stage_shape(stage: Stage) -> dict[str, Any]:
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


def _stage(body: NewStage, position: int | None = None) -> Stage:
    return Stage(
        pipeline_id=0,
        name=body.name,
        color=body.color or "",
        position=position or 0,
        is_won=body.is_won,
        is_lost=body.is_lost,
    )


BASE = "/api/v1/pipelines"
STAGES_OF = BASE + "/{pipeline_id}/stages"
ONE_STAGE = STAGES_OF + "/{stage_id}"
READ, WRITE = "read:pipelines", "write:pipelines"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery),
        Route("POST", BASE, WRITE, create, show_created, body=CreatePipeline),
        Route("GET", BASE + "/{id}", READ, get, show),
        Route("PUT", BASE + "/{id}", WRITE, update, show, body=UpdatePipeline),
        Route("PATCH", BASE + "/{id}", WRITE, update, show, body=UpdatePipeline),
        Route("DELETE", BASE + "/{id}", WRITE, delete, show_deleted, query=DeletePipeline),
        Route("GET", STAGES_OF, READ, every_stage, show_stages, query=PageQuery),
        Route("POST", STAGES_OF, WRITE, create_stage, show_created_stage, body=CreateStage),
        Route("GET", ONE_STAGE, READ, get_stage, show_stage),
        Route("PUT", ONE_STAGE, WRITE, update_stage, show_stage, body=UpdateStage),
        Route("PATCH", ONE_STAGE, WRITE, update_stage, show_stage, body=UpdateStage),
        Route("DELETE", ONE_STAGE, WRITE, delete_stage, show_deleted),
    ),
    render_error=errors.render,
)
