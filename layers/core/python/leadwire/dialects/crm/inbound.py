"""`POST /api/inbound/leads?tenant=`: leads from other systems. A known one is completed rather than doubled.

Who is known: decision D6.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from leadwire.context import Ctx, Tenant
from leadwire.dialects.contacts import AnyPhone, Email
from leadwire.dialects.fields import Line, OpenMap, Text
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import model, service
from leadwire.leads.model import Lead, Stored

from . import errors
from .parts import Number
from .shapes import Tags


class InboundLead(Body):
    email: Email
    first_name: Line | None = None
    last_name: Line | None = None
    phone: AnyPhone | None = None
    company: Line | None = None
    source: Line | None = None
    notes: Text | None = None
    tags: Tags | None = None
    custom_fields: OpenMap | None = None


class Inbound(QueryString):
    tenant: Annotated[str, Field(max_length=63, description="The tenant's slug: the one of the key")]


class Taken(TypedDict):
    status: Literal["created", "existing"]
    lead_id: Number
    is_duplicate: bool


def create(ctx: Ctx, request: Request) -> Stored:
    """Another tenant's slug is not found, whether there is such a tenant or not (D10)."""
    if request.query.tenant != ctx.tenant.slug:
        raise NotFound("tenant")
    draft = _draft(request.body)
    return service.take_in(ctx, draft, lambda lead: model.filled(lead, draft))


def _draft(body: InboundLead) -> Lead:
    return Lead(
        email=body.email,
        first_name=body.first_name or "",
        last_name=body.last_name or "",
        phone=body.phone.e164 if body.phone else "",
        company=body.company or "",
        source=body.source or "",
        notes=body.notes or "",
        tags=model.with_tags((), tuple(body.tags or ())),
        custom=body.custom_fields or {},
    )


def show(_tenant: Tenant, stored: Stored) -> Reply[Taken]:
    known = stored.existed
    word: Literal["created", "existing"] = "existing" if known else "created"
    return Reply(200 if known else 201, {"status": word, "lead_id": stored.lead.number, "is_duplicate": known})


DIALECT = Dialect(
    name="crm",
    routes=(
        Route(
            "POST",
            "/api/inbound/leads",
            "write:leads",
            create,
            show,
            body=InboundLead,
            query=Inbound,
            summary="Take in a lead from another system",
            answers={200: Taken, 201: Taken},
            refuses=(NotFound("tenant"),),
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
)
