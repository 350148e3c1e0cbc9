"""Clients in the public dialect (LeadTruffle): its word for leads that are known by their phone. Upsert, get."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import Email, Line, UsPhone, filled
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput, NotFound
from leadwire.leads import identity, service
from leadwire.leads.model import Lead, Stored

from . import errors

ADDRESS = ("address1", "address2", "city", "state", "zip", "country")


class UpsertClient(Body):
    """`POST /api/v1/pub/clients`. null and absent both leave a field as it is: this dialect cannot clear one."""

    phone: UsPhone
    firstName: Line | None = None  # noqa: N815  # the published spelling
    lastName: Line | None = None  # noqa: N815
    email: Email | None = None
    address1: Line | None = None
    address2: Line | None = None
    city: Line | None = None
    state: Line | None = None
    zip: Line | None = None
    country: Line | None = None


def upsert(ctx: Ctx, request: Request) -> Stored:
    body: UpsertClient = request.body

    def change(lead: Lead) -> Lead:
        return replace(
            lead,
            first_name=body.firstName or lead.first_name,
            last_name=body.lastName or lead.last_name,
            email=body.email or lead.email,
            address={**lead.address, **filled({name: getattr(body, name) for name in ADDRESS})},
        )

    return service.upsert_by_phone(ctx, change(Lead(phone=body.phone.e164)), change)


def show_stored(tenant: Tenant, stored: Stored) -> Reply:
    body = {"success": True, "data": client(tenant, stored.lead), "action": "UPDATED" if stored.existed else "CREATED"}
    return Reply(200 if stored.existed else 201, body)


def get(ctx: Ctx, request: Request) -> Lead:
    try:
        phone = identity.normal_phone(ctx.tenant, request.path["phone"], nanp_only=True)
    except identity.Malformed as error:
        raise InvalidInput(FieldError("phone", str(error), "value_error", request.path["phone"])) from error
    try:
        return service.by_phone(ctx, phone)
    except NotFound as error:
        raise NotFound("client") from error


def show(tenant: Tenant, lead: Lead) -> Reply:
    return Reply(200, {"success": True, "data": client(tenant, lead)})


def client(tenant: Tenant, lead: Lead) -> dict[str, Any]:
    """The page does not show the response fields: the request's own, and what identifies the record."""
    return {
        "clientId": str(lead.number),
        "leadId": ids.lead_uuid(tenant.id_key, lead.number),
        "companyId": tenant.id,
        "phone": lead.phone,
        "firstName": lead.first_name or None,
        "lastName": lead.last_name or None,
        "email": lead.email or None,
        **{name: lead.address.get(name) for name in ADDRESS},
        "status": lead.status.upper(),
        "createdAt": iso(lead.created_at),
        "updatedAt": iso(lead.updated_at),
    }


DIALECT = Dialect(
    name="public",
    routes=(
        Route("POST", "/api/v1/pub/clients", "write:leads", upsert, show_stored, body=UpsertClient),
        Route("GET", "/api/v1/pub/clients/{phone}", "read:leads", get, show),
    ),
    render_error=errors.render,
    key_header="x-api-key",
)
