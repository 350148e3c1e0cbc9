"""Leads in the public dialect (LeadTruffle): list with and without conversations, get."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from pydantic import Field

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import Moment, published
from leadwire.edge.types import Dialect, QueryString, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import history, model, service
from leadwire.leads import query as listing
from leadwire.leads.history import Message
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery, Listed

from . import errors
from .conversation import FullLead, conversation
from .lead_object import LeadObject, lead_object

_NEXT_BEFORE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{12})Z")
Before = Annotated[str, Field(max_length=64), published(anyOf=[{"format": "date-time"}, {"format": "date"}])]
NextBefore = Annotated[str, published(format="date-time", pattern=f"^{_NEXT_BEFORE.pattern}$")]


class LeadList(QueryString):
    """`GET /api/v1/pub/leads`."""

    before: Before | None = None
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
    created_before, below = _bound(asked.before) if asked.before is not None else (None, None)
    return listing.run(ctx, LeadQuery(created_before=created_before, below=below, limit=asked.limit))


class LeadPage[One](TypedDict):
    """Leads, newest first. `nextBefore` is the `before` of the page that follows, exactly."""

    leads: list[One]
    hasMore: bool
    nextBefore: NextBefore | None


def show_page(tenant: Tenant, told: Told) -> Reply[Success[LeadPage[FullLead]]]:
    return _page(told.listed, [_full(tenant, lead, told.messages[lead.number]) for lead in told.listed.leads])


def show_light_page(tenant: Tenant, listed: Listed) -> Reply[Success[LeadPage[LeadObject]]]:
    return _page(listed, [_light(tenant, lead) for lead in listed.leads])


def _light(tenant: Tenant, lead: Lead) -> LeadObject:
    return lead_object(tenant, model.snapshot(lead))


def _full(tenant: Tenant, lead: Lead, messages: Sequence[Message]) -> FullLead:
    return {**_light(tenant, lead), **conversation(model.snapshot(lead), messages)}


def _page[One](listed: Listed, shown: list[One]) -> Reply[Success[LeadPage[One]]]:
    more, following = listed.last is not None, _next_before(listed)
    return Reply(200, {"success": True, "data": {"leads": shown, "hasMore": more, "nextBefore": following}})


def _next_before(listed: Listed) -> str | None:
    """A timestamp that carries the last number in its fraction, behind the milliseconds (decisions.md, public).

    The number counts; the time is that of the last lead, if any of the page is still there.
    """
    if listed.last is None:
        return None
    created_at = listed.leads[-1].created_at if listed.leads else 0
    return f"{iso(created_at, 'milliseconds', '')}{listed.last:012d}Z"


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


def show(tenant: Tenant, told: Told) -> Reply[Success[FullLead]]:
    (lead,) = told.listed.leads
    return Reply(200, {"success": True, "data": _full(tenant, lead, told.messages[lead.number])})


DIALECT = Dialect(
    name="public",
    routes=(
        Route(
            "GET",
            "/api/v1/pub/leads",
            "read:leads",
            every,
            show_page,
            query=LeadList,
            summary="List leads with their conversations",
            answers={200: Success[LeadPage[FullLead]]},
        ),
        Route(
            "GET",
            "/api/v1/pub/leads/light",
            "read:leads",
            every_light,
            show_light_page,
            query=LightList,
            summary="List leads without their conversations",
            answers={200: Success[LeadPage[LeadObject]]},
        ),
        Route(
            "GET",
            "/api/v1/pub/leads/{uuid}",
            "read:leads",
            get,
            show,
            summary="Get a lead with its conversation",
            answers={200: Success[FullLead]},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    key_header="x-api-key",
)
