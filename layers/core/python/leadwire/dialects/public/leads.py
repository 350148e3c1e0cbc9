"""Leads in the public dialect (LeadTruffle): get."""

from __future__ import annotations

from leadwire import ids
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.leads import model, service
from leadwire.leads.model import Lead

from . import errors
from .lead_object import lead_object


def get(ctx: Ctx, request: Request) -> Lead:
    return service.get(ctx, ids.number_of_uuid(ctx.tenant.id_key, request.path["uuid"]))


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, {"success": True, "data": lead_object(tenant, model.snapshot(lead))})


DIALECT = Dialect(
    name="public",
    routes=(Route("GET", "/api/v1/pub/leads/{uuid}", "read:leads", get, show),),
    render_error=errors.render,
    key_header="x-api-key",
)
