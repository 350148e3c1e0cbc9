"""Leads in the public dialect (LeadTruffle): list with and without conversations, get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import Moment
from leadwire.edge.types import Dialect, QueryString, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import history, model, service
from leadwire.leads import query as listing
from leadwire.leads.history import Message
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery, Listed

from . import errors
from .conversation import conversation
from .lead_object import lead_object

_NEXT_BEFORE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{12})Z")


class LeadList(QueryString):
    """`GET /api/v1/pub/leads`."""

    before: Annotated[str, Field(max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=10)] = 10


class LightList(LeadList):
    """`GET /api/v1/pub/leads/light`: more of them, without conversations."""

    limit: Annotated[int, Field(ge=1, le=100)] = 100


@dataclass(frozen=True, slots=True)
class Told:
    """Leads with the last messages of each, by number."""

    listed: Listed
    messages: Mapping[int, Sequence[Message]]


def every(ctx: Ctx, request: Request) -> Told:
    """Newest first, created before `before`, with their conversations."""
    listed = every_light(ctx, request)
    return Told(listed, history.recent(ctx, listed.leads))


def every_light(ctx: Ctx, request: Request) -> Listed:
    asked: LeadList = request.query
    created_before, below = _bound(asked.before) if asked.before else (None, None)
    return listing.run(ctx, LeadQuery(created_before=created_before, below=below, limit=asked.limit))


def show_page(tenant: Tenant, told: Told) -> Reply:
    return _page(told.listed, [_full(tenant, lead, told.messages[lead.number]) for lead in told.listed.leads])


def show_light_page(tenant: Tenant, listed: Listed) -> Reply:
    return _page(listed, [_light(tenant, lead) for lead in listed.leads])


def _light(tenant: Tenant, lead: Lead) -> dict[str, Any]:
    return lead_object(tenant, model.snapshot(lead))


def _full(tenant: Tenant, lead: Lead, messages: Sequence[Message]) -> dict[str, Any]:
    return {**_light(tenant, lead), **conversation(model.snapshot(lead), messages)}


def _page(listed: Listed, shown: Sequence[Mapping[str, Any]]) -> Reply:
    more = listed.total > len(shown) > 0
    following = _next_before(listed.leads[-1]) if more else None
    return Reply(200, {"success": True, "data": {"leads": shown, "hasMore": more, "nextBefore": following}})


def _next_before(lead: Lead) -> str:
    """A timestamp that carries the lead's number in its fraction, behind the milliseconds (decisions.md, public)."""
    return f"{iso(lead.created_at, 'milliseconds', '')}{lead.number:012d}Z"


def _bound(before: str) -> tuple[int | None, int | None]:
    """Creation time or number to stay below: a `nextBefore` says exactly where the page before it ended."""
    carried = _NEXT_BEFORE.fullmatch(before)
    if carried:
        return None, int(carried[1])
    try:
        return Moment.read(before).ms, None
    except ValueError as error:
        raise InvalidInput(FieldError("before", str(error), "value_error", before)) from error


def get(ctx: Ctx, request: Request) -> Told:
    lead = service.get(ctx, ids.number_of_uuid(ctx.tenant.id_key, request.path["uuid"]))
    return Told(Listed([lead], 1), history.recent(ctx, [lead]))


def show(tenant: Tenant, told: Told) -> Reply:
    (lead,) = told.listed.leads
    return Reply(200, {"success": True, "data": _full(tenant, lead, told.messages[lead.number])})


DIALECT = Dialect(
    name="public",
    routes=(
        Route("GET", "/api/v1/pub/leads", "read:leads", every, show_page, query=LeadList),
        Route("GET", "/api/v1/pub/leads/light", "read:leads", every_light, show_light_page, query=LightList),
        Route("GET", "/api/v1/pub/leads/{uuid}", "read:leads", get, show),
    ),
    render_error=errors.render,
    key_header="x-api-key",
)
