"""Leads in the chatbot dialect (PollyBot), under a chatbot's path and under the bare one.

Which chatbot the bare path means: decision D13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from leadwire import chatbots, ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.envelope import Success
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.errors import DuplicateEmail
from leadwire.leads import query as listing
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.query import Listed
from leadwire.leads.service import Requirement

from . import errors, shapes
from .headers import limit_headers
from .shapes import ListedLead, ShownLead

UNDER_CHATBOT = "/api/v1/chatbots/{chatbotId}/leads"
BARE = "/api/v1/leads"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of leads and what was asked for."""

    listed: Listed
    query: shapes.LeadList


def create(ctx: Ctx, request: Request) -> Stored:
    chatbot = request.path.get("chatbotId", chatbots.DEFAULT)
    named = [] if chatbot == chatbots.DEFAULT else [chatbot]  # that one cannot be deleted
    requires = [Requirement(chatbots.exists(ctx, one), "chatbot", looked_up=True) for one in named]
    return service.create(ctx, shapes.draft(request.body, chatbot), requires=requires, unique_email=True)


def get(ctx: Ctx, request: Request) -> Lead:
    """A lead is read under any chatbot of its workspace: the dialect's leads are unique per workspace, not per bot."""
    return service.get(ctx, _number(ctx, request))


def update(ctx: Ctx, request: Request) -> Stored:
    return service.change(ctx, _number(ctx, request), shapes.change(request.body), exclusive="email")


def delete(ctx: Ctx, request: Request) -> Stored:
    return service.delete(ctx, _number(ctx, request))


def _number(ctx: Ctx, request: Request) -> int | None:
    chatbot = request.path.get("chatbotId")
    if chatbot:
        chatbots.get(ctx, chatbot)
    lead_id = request.path.get("leadId") or request.path["id"]
    return ids.number_of_lead_id(ctx.tenant.id_key, lead_id)


def every(ctx: Ctx, request: Request) -> Page:
    """Under a chatbot its own leads, under the bare path those of the whole workspace."""
    chatbot = request.path.get("chatbotId")
    if chatbot:
        chatbots.get(ctx, chatbot)
    listed = listing.run(ctx, shapes.lead_query(request.query, chatbot))
    return Page(listed, request.query)


Count = Annotated[int, Field(ge=0)]


class Pagination(TypedDict):
    page: Annotated[int, Field(ge=1)]
    limit: Annotated[int, Field(ge=1, le=100)]
    total: Count
    totalPages: Count
    hasNext: bool
    hasPrev: bool


class Leads(TypedDict):
    leads: list[ListedLead]
    pagination: Pagination


class GoneLead(TypedDict):
    id: shapes.LeadId
    deletedAt: shapes.Time


class DeletedLead(TypedDict):
    success: Literal[True]
    data: GoneLead
    message: Literal["Lead deleted successfully"]


def show_page(tenant: Tenant, page: Page) -> Reply[Success[Leads]]:
    asked, total = page.query, page.listed.total
    pages = -(-total // asked.limit)
    pagination: Pagination = {
        "page": asked.page,
        "limit": asked.limit,
        "total": total,
        "totalPages": pages,
        "hasNext": asked.page < pages,
        "hasPrev": asked.page > 1,
    }
    leads = [shapes.listed_lead(tenant, lead) for lead in page.listed.leads]
    return Reply(200, {"success": True, "data": {"leads": leads, "pagination": pagination}})


def show_created(tenant: Tenant, stored: Stored) -> Reply[Success[ShownLead]]:
    return Reply(201, {"success": True, "data": shapes.lead(tenant, stored.lead)})


def show_updated(tenant: Tenant, stored: Stored) -> Reply[Success[ShownLead]]:
    return show(tenant, stored.lead)


def show_deleted(tenant: Tenant, stored: Stored) -> Reply[DeletedLead]:
    """The lead's last version is that of its deletion."""
    deleted = iso(stored.lead.updated_at, "milliseconds")
    data: GoneLead = {"id": ids.lead_id(tenant.id_key, stored.lead.number), "deletedAt": deleted}
    return Reply(200, {"success": True, "message": "Lead deleted successfully", "data": data})


def show(tenant: Tenant, lead: Lead) -> Reply[Success[ShownLead]]:
    return Reply(200, {"success": True, "data": shapes.lead(tenant, lead)})


READ, WRITE, DELETE = "read:leads", "write:leads", "delete:leads"
TAKEN = DuplicateEmail("john@example.com", 1)


def _routes(all_: str, one: str) -> tuple[Route, ...]:
    """The same five operations, wherever the paths begin."""
    shown, listed = Success[ShownLead], Success[Leads]
    return (
        Route(
            "POST",
            all_,
            WRITE,
            create,
            show_created,
            body=shapes.CreateLead,
            summary="Create a lead",
            answers={201: shown},
            refuses=[TAKEN],
        ),
        Route("GET", all_, READ, every, show_page, query=shapes.LeadList, summary="List leads", answers={200: listed}),
        Route("GET", one, READ, get, show, summary="Get a lead", answers={200: shown}),
        Route(
            "PUT",
            one,
            WRITE,
            update,
            show_updated,
            body=shapes.UpdateLead,
            summary="Update a lead",
            answers={200: shown},
            refuses=[TAKEN],
        ),
        Route("DELETE", one, DELETE, delete, show_deleted, summary="Delete a lead", answers={200: DeletedLead}),
    )


DIALECT = Dialect(
    name="chatbot",
    routes=(*_routes(UNDER_CHATBOT, UNDER_CHATBOT + "/{leadId}"), *_routes(BARE, BARE + "/{id}")),
    render_error=errors.render,
    error_shape=errors.Refusal,
    limit_headers=limit_headers,
)
