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
from .paging import Page, Paged
from .parts import GONE, NUMBERED, One, no_content, number
from .shapes import LeadRecord


def create(ctx: Ctx, request: Request) -> Stored:
    draft = placement.placed(ctx, shapes.draft(request.body))
    return service.create(ctx, draft, requires=placement.requirements(ctx, draft))


def every(ctx: Ctx, request: Request) -> Paged[Lead]:
    listed = listing.run(ctx, shapes.lead_query(request.query))
    return paging.paged(request, listed.leads, listed.total)


def show_page(tenant: Tenant, page: Paged[Lead]) -> Reply[Page[LeadRecord]]:
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


def show_found(tenant: Tenant, found: Found) -> Reply[One[LeadRecord]]:
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


def show_created(tenant: Tenant, stored: Stored) -> Reply[One[LeadRecord]]:
    return Reply(201, {"data": shapes.lead(tenant, stored.lead)})


def show(tenant: Tenant, lead: Lead) -> Reply[One[LeadRecord]]:
    return Reply(200, {"data": shapes.lead(tenant, lead)})


def show_changed(tenant: Tenant, stored: Stored) -> Reply[One[LeadRecord]]:
    return show(tenant, stored.lead)


BASE = "/api/v1/leads"
ITEM = BASE + "/{id}"
READ, WRITE, DELETE = "read:leads", "write:leads", "delete:leads"
LISTED, MADE, SHOWN = {200: Page[LeadRecord]}, {201: One[LeadRecord]}, {200: One[LeadRecord]}
FOUND = {**SHOWN, 301: One[LeadRecord]}
DIALECT = Dialect(
    name="crm",
    routes=(
        Route(
            "POST", BASE, WRITE, create, show_created, body=shapes.CreateLead,
            summary="Create a lead", answers=MADE, refuses=placement.ABSENT,
        ),
        Route("GET", BASE, READ, every, show_page, query=shapes.LeadList, summary="List leads", answers=LISTED),
        Route(
            "POST", BASE + "/bulk", WRITE, bulk.create_many, bulk.show, body=bulk.Rows, body_limit=bulk.LIMIT,
            summary="Create many leads", answers={207: bulk.Outcomes},
        ),
        Route(
            "POST", ITEM + "/merge", WRITE, merge.merge, show_changed, body=merge.Merge,
            summary="Merge another lead into this one", answers=SHOWN, refuses=merge.REFUSALS,
        ),
        Route(
            "POST", ITEM + "/unmerge", WRITE, merge.unmerge, show_changed, body=merge.Unmerge,
            summary="Undo a merge", answers=SHOWN, refuses=merge.REFUSALS_TO_UNDO,
        ),
        Route("GET", ITEM, READ, get, show_found, summary="Get a lead", answers=FOUND),
        Route(
            "PUT", ITEM, WRITE, update, show_changed, body=shapes.UpdateLead,
            summary="Change a lead", answers=SHOWN, refuses=placement.ABSENT,
        ),
        Route(
            "PATCH", ITEM, WRITE, update, show_changed, body=shapes.UpdateLead,
            summary="Change a lead", answers=SHOWN, refuses=placement.ABSENT,
        ),
        Route("DELETE", ITEM, DELETE, delete, no_content, summary="Delete a lead", answers=GONE),
        Route(
            "POST", ITEM + "/tags", WRITE, add_tag, show_changed, body=shapes.AddTag,
            summary="Tag a lead", answers=SHOWN,
        ),
        Route(
            "DELETE", ITEM + "/tags/{tag}", WRITE, remove_tag, no_content,
            summary="Remove a tag from a lead", answers=GONE,
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
