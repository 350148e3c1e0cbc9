"""Pipelines in the crm dialect. Deleting one goes through its leads: 202 asks for the same request again."""

from __future__ import annotations

from typing import Annotated, TypedDict

from pydantic import Field

from leadwire import pipelines
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import Conflict, NotFound
from leadwire.leads import cascade
from leadwire.leads.cascade import Progress
from leadwire.pipelines import MOST_STAGES, Board

from . import errors, paging, stages
from .paging import Page, Paged, PageQuery
from .parts import CHANGES, DELETED, NUMBERED, Number, One, Time, number, page, sent, show_deleted, times
from .shapes import Id
from .stages import NewStage, StageRecord


class CreatePipeline(Body):
    """`POST /api/v1/pipelines`."""

    name: FilledLine
    is_default: bool = False
    stages: Annotated[list[NewStage], Field(max_length=MOST_STAGES)] = Field(default_factory=list)


class UpdatePipeline(Body):
    """`PUT` and `PATCH /api/v1/pipelines/{id}`."""

    model_config = CHANGES

    name: FilledLine = ""
    is_default: bool = False


class DeletePipeline(QueryString):
    move_to: Annotated[Id | None, Field(description="The pipeline that its leads go to, without a stage")] = None


class PipelineRecord(TypedDict):
    id: Number
    name: str
    is_default: bool
    stages: list[StageRecord]
    created_at: Time
    updated_at: Time


def every(ctx: Ctx, request: Request) -> Paged[Board]:
    return page(request, pipelines.every(ctx))


def create(ctx: Ctx, request: Request) -> Board:
    body: CreatePipeline = request.body
    drafts = [stages.draft(stage) for stage in body.stages]
    return pipelines.create(ctx, body.name, is_default=body.is_default, stages=drafts)


def get(ctx: Ctx, request: Request) -> Board:
    return pipelines.get(ctx, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> Board:
    return pipelines.update(ctx, number(request.path["id"]), sent(request.body))


def delete(ctx: Ctx, request: Request) -> Progress[Board]:
    return cascade.delete_pipeline(ctx, number(request.path["id"]), request.query.move_to)


def show_page(_tenant: Tenant, page: Paged[Board]) -> Reply[Page[PipelineRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, board: Board) -> Reply[One[PipelineRecord]]:
    return Reply(201, {"data": shape(board)})


def show(_tenant: Tenant, board: Board) -> Reply[One[PipelineRecord]]:
    return Reply(200, {"data": shape(board)})


def shape(board: Board) -> PipelineRecord:
    pipeline = board.pipeline
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "is_default": pipeline.is_default,
        "stages": [stages.shape(stage) for stage in board.stages],
        **times(pipeline),
    }


BASE = "/api/v1/pipelines"
ITEM = BASE + "/{id}"
READ, WRITE = "read:pipelines", "write:pipelines"
LISTED, MADE, SHOWN = {200: Page[PipelineRecord]}, {201: One[PipelineRecord]}, {200: One[PipelineRecord]}
UNDEFAULTED = (Conflict("This is the default pipeline; make another one the default instead"),)
KEPT = (
    Conflict("The default pipeline cannot be deleted"),
    Conflict("The pipeline has 12 leads; say where they go with ?move_to=<pipeline id>"),
    NotFound("pipeline", "move_to"),
)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List pipelines", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreatePipeline,
            summary="Create a pipeline", answers=MADE,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get a pipeline", answers=SHOWN),
        Route(
            "PUT", ITEM, WRITE, update, show, body=UpdatePipeline,
            summary="Change a pipeline", answers=SHOWN, refuses=UNDEFAULTED,
        ),
        Route(
            "PATCH", ITEM, WRITE, update, show, body=UpdatePipeline,
            summary="Change a pipeline", answers=SHOWN, refuses=UNDEFAULTED,
        ),
        Route(
            "DELETE", ITEM, WRITE, delete, show_deleted, query=DeletePipeline,
            summary="Delete a pipeline", answers=DELETED, refuses=KEPT,
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
