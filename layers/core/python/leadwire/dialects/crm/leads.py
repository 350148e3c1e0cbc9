"""Leads in the crm dialect (LeadHub): create, list, get."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from leadwire import pipelines, users
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import query as listing
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.service import Requirement

from . import errors, paging, shapes
from .paging import Paged

NUMBER_DIGITS = 12


def create(ctx: Ctx, request: Request) -> Stored:
    draft = shapes.draft(request.body)
    requires: list[Requirement] = []
    if draft.stage_id:
        draft, requirement = _placed(ctx, draft, draft.stage_id)
        requires.append(requirement)
    elif draft.pipeline_id:
        requires.append(Requirement(pipelines.exists(ctx, draft.pipeline_id), "pipeline", "pipeline_id"))
    if draft.assigned_user_id:
        requires.append(Requirement(users.exists(ctx, draft.assigned_user_id), "user", "assigned_user_id"))
    return service.create(ctx, draft, requires=requires)


def _placed(ctx: Ctx, draft: Lead, stage_id: int) -> tuple[Lead, Requirement]:
    """A stage given alone sets the pipeline; a won or lost stage sets the status (decisions.md, crm)."""
    stage = pipelines.find_stage(ctx, stage_id)
    if stage is None or draft.pipeline_id not in (None, stage.pipeline_id):
        raise NotFound("stage", "pipeline_stage_id")
    placed = replace(draft, pipeline_id=stage.pipeline_id, status=stage.status or draft.status)
    check = pipelines.stage_in(ctx, stage_id, stage.pipeline_id)
    return placed, Requirement(check, "stage", "pipeline_stage_id")


def every(ctx: Ctx, request: Request) -> Paged[Lead]:
    listed = listing.run(ctx, shapes.lead_query(request.query))
    return paging.paged(request, listed.leads, listed.total)


def show_page(tenant: Tenant, page: Paged[Lead]) -> Reply:
    return paging.show(page, partial(shapes.lead, tenant))


def get(ctx: Ctx, request: Request) -> Lead:
    return service.get(ctx, _number(request.path["id"]))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS else None


def show_created(tenant: Tenant, stored: Stored) -> Reply:
    return Reply(201, {"data": shapes.lead(tenant, stored.lead)})


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, {"data": shapes.lead(tenant, lead)})


DIALECT = Dialect(
    name="crm",
    routes=(
        Route("POST", "/api/v1/leads", "write:leads", create, show_created, body=shapes.CreateLead),
        Route("GET", "/api/v1/leads", "read:leads", every, show_page, query=shapes.LeadList),
        Route("GET", "/api/v1/leads/{id}", "read:leads", get, show),
    ),
    render_error=errors.render,
)
