"""`POST /api/v1/leads/{id}/merge` and `/unmerge`: two leads become one, and two again within 30 days."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from leadwire.context import Ctx
from leadwire.edge.types import Body, Request
from leadwire.errors import Conflict, NotFound
from leadwire.leads import merging
from leadwire.leads.model import Stored

from .parts import number
from .shapes import Id

RENAMED = {"lead_score": "score", "pipeline_stage_id": "stage_id"}
Name = Literal[
    "first_name", "last_name", "email", "phone", "company", "job_title", "source", "status", "lead_score", "starred",
    "pipeline_id", "pipeline_stage_id", "assigned_user_id", "notes",
]  # fmt: skip


REFUSALS = (NotFound("lead", "lead_id"), Conflict("The custom fields of both together must not be larger than 32 KiB"))
REFUSALS_TO_UNDO = (
    NotFound("merge"),
    NotFound("merge", "lead_id"),
    Conflict("The merge is more than 30 days old and cannot be undone"),
)


class Merge(Body):
    """`lead_id` becomes part of the lead of the path; `take` names the fields of which its value is kept."""

    lead_id: Id
    take: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)


class Unmerge(Body):
    """Which of several leads is to be itself again, if the path names the survivor; the last one if it is not said."""

    optional: ClassVar[bool] = True

    lead_id: Id | None = None


def merge(ctx: Ctx, request: Request) -> Stored:
    body: Merge = request.body
    take = {RENAMED.get(name, name) for name in body.take}
    return merging.merge(ctx, number(request.path["id"]), body.lead_id, take)


def unmerge(ctx: Ctx, request: Request) -> Stored:
    other = request.body.lead_id if request.body else None
    return merging.unmerge(ctx, number(request.path["id"]), other)
