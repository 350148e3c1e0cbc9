"""Leads in the lists dialect (TopCalls): create or attach, get."""

from __future__ import annotations

from leadwire import ids, lists
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.service import Requirement

from . import errors, shapes


def create(ctx: Ctx, request: Request) -> Stored:
    exists = Requirement(lists.exists(ctx, request.body.list_id), "list", "list_id")
    return service.create_or_attach(ctx, shapes.draft(ctx, request.body), request.body.list_id, exists)


def show_stored(tenant: Tenant, stored: Stored) -> Reply:
    body = {**shapes.lead(tenant, stored.lead), "existed": stored.existed}
    return Reply(200 if stored.existed else 201, body)


def get(ctx: Ctx, request: Request) -> Lead:
    return service.get(ctx, ids.number_of_uuid(ctx.tenant.id_key, request.path["id"]))


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, shapes.lead(tenant, lead))


DIALECT = Dialect(
    name="lists",
    routes=(
        Route("POST", "/v1/leads", "write:leads", create, show_stored, body=shapes.CreateLead),
        Route("GET", "/v1/leads/{id}", "read:leads", get, show),
    ),
    render_error=errors.render,
)
