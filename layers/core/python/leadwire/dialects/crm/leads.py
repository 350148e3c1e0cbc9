"""Leads in the crm dialect (LeadHub): create, list, get, change, delete, tag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import placement, service
from leadwire.leads import query as listing
from leadwire.leads.model import Lead, Stored, with_tags

from . import bulk, errors, merge, paging, shapes
from .paging import Paged
from .parts import no_content, number


def create(ctx: Ctx, request: Request) -> Stored:
    draft = placement.placed(ctx, shapes.draft(request.body))
    return service.create(ctx, draft, requires=placement.requirements(ctx, draft))


def every(ctx: Ctx, request: Request) -> Paged[Lead]:
    listed = listing.run(ctx, shapes.lead_query(request.query))
    return paging.paged(request, listed.leads, listed.total)


def show_page(tenant: Tenant, page: Paged[Lead]) -> Reply:
    return paging.show(page, partial(shapes.lead, tenant))


@dataclass(frozen=True, slots=True)
class Found:
    """A lead, and whether it was asked for by a number that it has since it was merged."""

    lead: Lead
    moved: bool


def get(ctx: Ctx, request: Request) -> Found:
    asked = number(request.path["id"])
    lead = service.get(ctx, asked)
    return Found(lead, moved=lead.number != asked)


def show_found(tenant: Tenant, found: Found) -> Reply:
    """Where a lead was merged, its old number says where it went."""
    shown = show(tenant, found.lead)
    moved = {"Location": f"{BASE}/{found.lead.number}"}
    return replace(shown, status=301, headers=moved) if found.moved else shown


def update(ctx: Ctx, request: Request) -> Stored:
    """A stage given alone sets the pipeline; another pipeline leaves the stage behind (decisions.md, crm)."""
    body: shapes.UpdateLead = request.body
    change, goal = shapes.changes(body), Lead(assigned_user_id=body.assigned_user_id)
    move: Callable[[Lead], Lead] = _unmoved
    if body.pipeline_stage_id:
        stage = placement.find_stage(ctx, body.pipeline_stage_id, body.pipeline_id)
        move = placement.into_stage(stage)
        goal = replace(goal, pipeline_id=stage.pipeline_id, stage_id=stage.id)
    elif "pipeline_id" in body.model_fields_set:
        move = placement.into_pipeline(body.pipeline_id)
        goal = replace(goal, pipeline_id=body.pipeline_id)
    if "pipeline_stage_id" in body.model_fields_set and not body.pipeline_stage_id:
        move = _then(move, placement.out_of_stage)
    requires = placement.requirements(ctx, goal)
    return service.change(ctx, number(request.path["id"]), _then(change, move), requires=requires)


def _unmoved(lead: Lead) -> Lead:
    return lead


def _then(first: Callable[[Lead], Lead], second: Callable[[Lead], Lead]) -> Callable[[Lead], Lead]:
    return lambda lead: second(first(lead))


def delete(ctx: Ctx, request: Request) -> Stored:
    return service.delete(ctx, number(request.path["id"]))


def add_tag(ctx: Ctx, request: Request) -> Stored:
    tag = request.body.tag
    return service.change(
        ctx, number(request.path["id"]), lambda lead: replace(lead, tags=with_tags(lead.tags, (tag,)))
    )


def remove_tag(ctx: Ctx, request: Request) -> Stored:
    """A tag that the lead does not have is not found."""
    tag = request.path["tag"]

    def without(lead: Lead) -> Lead:
        if tag not in lead.tags:
            raise NotFound("tag")
        return replace(lead, tags=tuple(other for other in lead.tags if other != tag))

    return service.change(ctx, number(request.path["id"]), without)


def show_created(tenant: Tenant, stored: Stored) -> Reply:
    return Reply(201, {"data": shapes.lead(tenant, stored.lead)})


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, {"data": shapes.lead(tenant, lead)})


def show_changed(tenant: Tenant, stored: Stored) -> Reply:
    return show(tenant, stored.lead)


BASE = "/api/v1/leads"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("POST", BASE, "write:leads", create, show_created, body=shapes.CreateLead),
        Route("GET", BASE, "read:leads", every, show_page, query=shapes.LeadList),
        Route("POST", BASE + "/bulk", "write:leads", bulk.create, bulk.show, body=bulk.Rows, body_limit=bulk.LIMIT),
        Route("POST", BASE + "/{id}/merge", "write:leads", merge.merge, show_changed, body=merge.Merge),
        Route("POST", BASE + "/{id}/unmerge", "write:leads", merge.unmerge, show_changed, body=merge.Unmerge),
        Route("GET", BASE + "/{id}", "read:leads", get, show_found),
        Route("PUT", BASE + "/{id}", "write:leads", update, show_changed, body=shapes.UpdateLead),
        Route("PATCH", BASE + "/{id}", "write:leads", update, show_changed, body=shapes.UpdateLead),
        Route("DELETE", BASE + "/{id}", "delete:leads", delete, no_content),
        Route("POST", BASE + "/{id}/tags", "write:leads", add_tag, show_changed, body=shapes.AddTag),
        Route("DELETE", BASE + "/{id}/tags/{tag}", "write:leads", remove_tag, no_content),
    ),
    render_error=errors.render,
)
