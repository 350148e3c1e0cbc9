"""Clients in the public dialect (LeadTruffle): its word for leads that are known by their phone. Upsert, get."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.contacts import Email, UsPhone
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import Line, filled
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput, NotFound
from leadwire.leads import identity, service
from leadwire.leads.model import Lead, Stored

from . import errors, shapes

ADDRESS = ("address1", "address2", "city", "state", "zip", "country")


class UpsertClient(Body):
    """`POST /api/v1/pub/clients`. null and absent both leave a field as it is: this dialect cannot clear one."""

    phone: UsPhone
    firstName: Line | None = None
    lastName: Line | None = None
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


class Client(TypedDict):
    """What is known of a client, under the names of the request, and what identifies it."""

    clientId: shapes.ClientId
    leadId: shapes.LeadId
    companyId: shapes.CompanyId
    phone: shapes.Phone
    firstName: str | None
    lastName: str | None
    email: str | None
    address1: str | None
    address2: str | None
    city: str | None
    state: str | None
    zip: str | None
    country: str | None
    status: shapes.Status
    createdAt: shapes.Time
    updatedAt: shapes.Time


def show_stored(tenant: Tenant, stored: Stored) -> Reply[shapes.Stored[Client]]:
    action: shapes.Action = "UPDATED" if stored.existed else "CREATED"
    body: shapes.Stored[Client] = {"success": True, "data": client(tenant, stored.lead), "action": action}
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


def show(tenant: Tenant, lead: Lead) -> Reply[Success[Client]]:
    return Reply(200, {"success": True, "data": client(tenant, lead)})


def client(tenant: Tenant, lead: Lead) -> Client:
    address = lead.address
    return {
        "clientId": str(lead.number),
        "leadId": ids.lead_uuid(tenant.id_key, lead.number),
        "companyId": tenant.id,
        "phone": lead.phone,
        "firstName": lead.first_name or None,
        "lastName": lead.last_name or None,
        "email": lead.email or None,
        "address1": address.get("address1"),
        "address2": address.get("address2"),
        "city": address.get("city"),
        "state": address.get("state"),
        "zip": address.get("zip"),
        "country": address.get("country"),
        "status": lead.status.upper(),
        "createdAt": iso(lead.created_at),
        "updatedAt": iso(lead.updated_at),
    }


DIALECT = Dialect(
    name="public",
    routes=(
        Route(
            "POST",
            "/api/v1/pub/clients",
            "write:leads",
            upsert,
            show_stored,
            body=UpsertClient,
            summary="Create or update a client",
            answers={200: shapes.Stored[Client], 201: shapes.Stored[Client]},
        ),
        Route(
            "GET",
            "/api/v1/pub/clients/{phone}",
            "read:leads",
            get,
            show,
            summary="Get a client by phone",
            answers={200: Success[Client]},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    key_header="x-api-key",
)
