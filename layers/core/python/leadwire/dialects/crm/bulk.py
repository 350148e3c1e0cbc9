"""`POST /api/v1/leads/bulk`: rows as for a single create, each answered for itself (207)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from leadwire import pipelines, records
from leadwire.context import Ctx, Tenant
from leadwire.edge import strict
from leadwire.edge.types import KIB, Body, Reply, Request
from leadwire.errors import FieldError, InvalidInput, NotFound
from leadwire.leads import bulk, model, placement
from leadwire.leads.bulk import Row
from leadwire.leads.model import Lead
from leadwire.pipelines import Stage
from leadwire.users import USERS

from . import errors, shapes
from .parts import Count, Number

LIMIT = 5 * KIB * KIB
EXPLAINED = 100
"""Refused rows whose fields are named; of further ones the answer says only that they are."""
NAMED = 10
"""Fields of a refused row that are named."""


class _Leads:
    """What rows should be; they are taken whatever they are, and a wrong one does not stop the others."""

    def __get_pydantic_json_schema__(self, rows: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        lead = handler(shapes.CreateLead.__pydantic_core_schema__)
        return {**handler(rows), "items": {"anyOf": [lead, {"description": "Is refused by itself"}]}}


class Rows(Body):
    """Rows are checked one by one."""

    leads: Annotated[list[Any], Field(min_length=1, max_length=bulk.MOST), _Leads()]


class Made(TypedDict):
    index: Count
    status: Literal[201]
    id: Number


class Refused(TypedDict):
    index: Count
    status: Literal[422]
    code: Literal["VALIDATION_FAILED"]
    errors: NotRequired[Annotated[errors.ByField, Field(description=f"Of the first {EXPLAINED} refused rows")]]


class Counts(TypedDict):
    total: Count
    created: Count
    failed: Count


class Outcomes(TypedDict):
    """Of every row, in their order."""

    data: list[Made | Refused]
    meta: Counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each row, by its index."""

    made: Mapping[int, int]
    refused: Mapping[int, Sequence[FieldError]]


def create_many(ctx: Ctx, request: Request) -> Outcome:
    goals = _Goals.read(ctx)
    rows: list[Row] = []
    refused: dict[int, Sequence[FieldError]] = {}
    for index, sent in enumerate(request.body.leads):
        try:
            rows.append(Row(index, model.sized(goals.placed(_draft(ctx.tenant, sent)))))
        except (InvalidInput, NotFound) as wrong:
            refused[index] = errors.problems(wrong)
    created = bulk.create(ctx, rows)
    refused |= {index: errors.problems(gone) for index, gone in created.gone.items()}
    # What an earlier try of the request has made is made, whatever has gone away since.
    return Outcome(created.numbers, {index: refused[index] for index in sorted(refused.keys() - created.numbers)})


def _draft(tenant: Tenant, sent: Any) -> Lead:
    """Raises InvalidInput."""
    try:
        return shapes.draft(shapes.CreateLead.model_validate(sent, context=tenant))
    except ValidationError as error:
        raise strict.invalid(shapes.CreateLead, error.errors(include_url=False, include_context=True)) from None


@dataclass(frozen=True, slots=True)
class _Goals:
    """All pipelines, stages and users, read once for all rows."""

    pipelines: frozenset[int]
    stages: Mapping[int, Stage]
    users: frozenset[int]

    @classmethod
    def read(cls, ctx: Ctx) -> _Goals:
        boards = pipelines.every(ctx)
        stages = {stage.id: stage for board in boards for stage in board.stages}
        users = frozenset(user.id for user in records.every(ctx, USERS))
        return cls(frozenset(board.pipeline.id for board in boards), stages, users)

    def placed(self, draft: Lead) -> Lead:
        """Raises NotFound."""
        if draft.assigned_user_id and draft.assigned_user_id not in self.users:
            raise NotFound("user", placement.USER_FIELD)
        if draft.stage_id:
            stage = self.stages.get(draft.stage_id)
            if stage is None or draft.pipeline_id not in (None, stage.pipeline_id):
                raise NotFound("stage", placement.STAGE_FIELD)
            return placement.in_stage(draft, stage)
        if draft.pipeline_id and draft.pipeline_id not in self.pipelines:
            raise NotFound("pipeline", placement.PIPELINE_FIELD)
        return draft


def show(_tenant: Tenant, outcome: Outcome) -> Reply[Outcomes]:
    rows: dict[int, Made | Refused] = {i: {"index": i, "status": 201, "id": n} for i, n in outcome.made.items()}
    for place, (index, problems) in enumerate(outcome.refused.items()):
        row: Refused = {"index": index, "status": 422, "code": "VALIDATION_FAILED"}
        if place < EXPLAINED:
            row["errors"] = errors.by_field(problems[:NAMED])
        rows[index] = row
    counts: Counts = {"total": len(rows), "created": len(outcome.made), "failed": len(outcome.refused)}
    return Reply(207, {"data": [rows[index] for index in sorted(rows)], "meta": counts})
