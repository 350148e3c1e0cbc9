"""Leads in the chatbot dialect (PollyBot), under a chatbot's path and under the bare one (decision D13)."""

from __future__ import annotations

from dataclasses import dataclass

from leadwire import chatbots, ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.leads import query as listing
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.query import Listed
from leadwire.leads.service import Requirement

from . import errors, shapes
from .headers import limit_headers

UNDER_CHATBOT = "/api/v1/chatbots/{chatbotId}/leads"
BARE = "/api/v1/leads"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of leads and what was asked for."""

    listed: Listed
    query: shapes.LeadList


def create(ctx: Ctx, request: Request) -> Stored:
    chatbot = request.path.get("chatbotId", chatbots.DEFAULT)
    exists = Requirement(chatbots.exists(ctx, chatbot), "chatbot")
    return service.create(ctx, shapes.draft(request.body, chatbot), requires=[exists], unique_email=True)


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


def show_page(tenant: Tenant, page: Page) -> Reply:
    asked, total = page.query, page.listed.total
    pages = -(-total // asked.limit)
    pagination = {
        "page": asked.page,
        "limit": asked.limit,
        "total": total,
        "totalPages": pages,
        "hasNext": asked.page < pages,
        "hasPrev": asked.page > 1,
    }
    leads = [shapes.listed_lead(tenant, lead) for lead in page.listed.leads]
    return Reply(200, {"success": True, "data": {"leads": leads, "pagination": pagination}})


def show_created(tenant: Tenant, stored: Stored) -> Reply:
    return Reply(201, {"success": True, "data": shapes.lead(tenant, stored.lead)})


def show_updated(tenant: Tenant, stored: Stored) -> Reply:
    return show(tenant, stored.lead)


def show_deleted(tenant: Tenant, stored: Stored) -> Reply:
    """The lead's last version is that of its deletion."""
    deleted = iso(stored.lead.updated_at, "milliseconds")
    data = {"id": ids.lead_id(tenant.id_key, stored.lead.number), "deletedAt": deleted}
    return Reply(200, {"success": True, "message": "Lead deleted successfully", "data": data})


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, {"success": True, "data": shapes.lead(tenant, lead)})


DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route("POST", UNDER_CHATBOT, "write:leads", create, show_created, body=shapes.CreateLead),
        Route("GET", UNDER_CHATBOT, "read:leads", every, show_page, query=shapes.LeadList),
        Route("GET", UNDER_CHATBOT + "/{leadId}", "read:leads", get, show),
        Route("PUT", UNDER_CHATBOT + "/{leadId}", "write:leads", update, show_updated, body=shapes.UpdateLead),
        Route("DELETE", UNDER_CHATBOT + "/{leadId}", "delete:leads", delete, show_deleted),
        Route("POST", BARE, "write:leads", create, show_created, body=shapes.CreateLead),
        Route("GET", BARE, "read:leads", every, show_page, query=shapes.LeadList),
        Route("GET", BARE + "/{id}", "read:leads", get, show),
        Route("PUT", BARE + "/{id}", "write:leads", update, show_updated, body=shapes.UpdateLead),
        Route("DELETE", BARE + "/{id}", "delete:leads", delete, show_deleted),
    ),
    render_error=errors.render,
    limit_headers=limit_headers,
)
