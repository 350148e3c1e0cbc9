"""Leads in the lists dialect (TopCalls): create or attach, list, get, change, delete or detach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from leadwire import ids, lists
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import Dialect, Reply, Request, Route
from leadwire.errors import DuplicatePhone, NotFound
from leadwire.leads import query as listing
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.query import Listed
from leadwire.leads.service import Requirement

from . import cursor, errors, shapes
from .shapes import ShownLead


def create(ctx: Ctx, request: Request) -> Stored:
    exists = Requirement(lists.exists(ctx, request.body.list_id), "list", "list_id")
    return service.create_or_attach(ctx, shapes.draft(ctx, request.body), request.body.list_id, exists)


class StoredLead(ShownLead):
    existed: bool


def show_stored(tenant: Tenant, stored: Stored) -> Reply[StoredLead]:
    body: StoredLead = {**shapes.lead(tenant, stored.lead), "existed": stored.existed}
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


class Leads(TypedDict):
    items: list[ShownLead]
    has_more: bool
    next_cursor: str | None


def show_page(tenant: Tenant, page: Page) -> Reply[Leads]:
    last = page.listed.last
    return Reply(
        200,
        {
            "items": [shapes.lead(tenant, lead) for lead in page.listed.leads],
            "has_more": last is not None,
            "next_cursor": None if last is None else cursor.write(tenant, last, page.fingerprint),
        },
    )


def get(ctx: Ctx, request: Request) -> Lead:
    return service.get(ctx, number(ctx, request))


def update(ctx: Ctx, request: Request) -> Stored:
    return service.change(ctx, number(ctx, request), shapes.change(ctx, request.body), exclusive="phone")


def show_updated(tenant: Tenant, stored: Stored) -> Reply[ShownLead]:
    return show(tenant, stored.lead)


def delete(ctx: Ctx, request: Request) -> Stored:
    """Out of one list, which deletes the lead when it was its last; without a list out of the store."""
    if request.query.list_id:
        return service.detach(ctx, number(ctx, request), request.query.list_id)
    return service.delete(ctx, number(ctx, request))


def show_nothing(_tenant: Tenant, _stored: Stored) -> Reply[None]:
    return Reply(204)


def number(ctx: Ctx, request: Request) -> int | None:
    return ids.number_of_uuid(ctx.tenant.id_key, request.path["id"])


def show(tenant: Tenant, lead: Lead) -> Reply[ShownLead]:
    return Reply(200, shapes.lead(tenant, lead))


ALL, ONE = "/v1/leads", "/v1/leads/{id}"
READ, WRITE = "read:leads", "write:leads"
DIALECT = Dialect(
    name="lists",
    routes=(
        Route(
            "POST",
            ALL,
            WRITE,
            create,
            show_stored,
            body=shapes.CreateLead,
            summary="Create a lead, or attach a known one to a list",
            answers={201: StoredLead, 200: StoredLead},
            refuses=[NotFound("list", "list_id")],
        ),
        Route("GET", ALL, READ, every, show_page, query=shapes.LeadList, summary="List leads", answers={200: Leads}),
        Route("GET", ONE, READ, get, show, summary="Get a lead", answers={200: ShownLead}),
        Route(
            "PATCH",
            ONE,
            WRITE,
            update,
            show_updated,
            body=shapes.UpdateLead,
            summary="Update a lead",
            answers={200: ShownLead},
            refuses=[DuplicatePhone("+14155550100", 1)],
        ),
        Route(
            "DELETE",
            ONE,
            WRITE,
            delete,
            show_nothing,
            query=shapes.DeleteLead,
            summary="Delete a lead, or detach it from a list",
            answers={204: None},
            refuses=[NotFound("list", "list_id")],
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
)
