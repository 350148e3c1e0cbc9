"""Leads in the lists dialect (TopCalls): create or attach, list, get."""

from __future__ import annotations

from dataclasses import dataclass

from leadwire import ids, lists
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.leads import query as listing
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.query import Listed
from leadwire.leads.service import Requirement

from . import cursor, errors, shapes


def create(ctx: Ctx, request: Request) -> Stored:
    exists = Requirement(lists.exists(ctx, request.body.list_id), "list", "list_id")
    return service.create_or_attach(ctx, shapes.draft(ctx, request.body), request.body.list_id, exists)


def show_stored(tenant: Tenant, stored: Stored) -> Reply:
    body = {**shapes.lead(tenant, stored.lead), "existed": stored.existed}
    return Reply(200 if stored.existed else 201, body)


@dataclass(frozen=True, slots=True)
class Page:
    """Leads, how many there are from here on, and which list they are of."""

    listed: Listed
    fingerprint: str


def every(ctx: Ctx, request: Request) -> Page:
    """Newest first."""
    asked: shapes.LeadList = request.query
    fingerprint = asked.model_dump_json(exclude={"cursor", "limit"})
    below = cursor.read(ctx.tenant, asked.cursor, fingerprint) if asked.cursor else None
    return Page(listing.run(ctx, shapes.lead_query(asked, below)), fingerprint)


def show_page(tenant: Tenant, page: Page) -> Reply:
    leads = page.listed.leads
    more = page.listed.total > len(leads) > 0
    return Reply(
        200,
        {
            "items": [shapes.lead(tenant, lead) for lead in leads],
            "has_more": more,
            "next_cursor": cursor.write(tenant, leads[-1].number, page.fingerprint) if more else None,
        },
    )


def get(ctx: Ctx, request: Request) -> Lead:
    return service.get(ctx, ids.number_of_uuid(ctx.tenant.id_key, request.path["id"]))


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, shapes.lead(tenant, lead))


DIALECT = Dialect(
    name="lists",
    routes=(
        Route("POST", "/v1/leads", "write:leads", create, show_stored, body=shapes.CreateLead),
        Route("GET", "/v1/leads", "read:leads", every, show_page, query=shapes.LeadList),
        Route("GET", "/v1/leads/{id}", "read:leads", get, show),
    ),
    render_error=errors.render,
)
