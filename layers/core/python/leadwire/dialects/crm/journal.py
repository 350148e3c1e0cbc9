"""The change feed and a lead's timeline in the crm dialect: what happened, in order, for whoever reads on."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from pydantic import Field

from leadwire import events, journal
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import published
from leadwire.edge.types import Dialect, QueryString, Reply, Request, Route
from leadwire.events import Event
from leadwire.journal import Chapter
from leadwire.leads import model, service

from . import errors, shapes
from .parts import NUMBERED, Count, Number, Time, Ulid, number, time

RENAMED = {"score": "lead_score", "custom": "custom_fields", "stage_id": "pipeline_stage_id"}
"""Our names of fields to theirs, where they differ."""


Change = Annotated[list[Any], Field(min_length=2, max_length=2, description="Before and after")]


class After(QueryString):
    after: Annotated[Ulid | None, Field(description="`next` of the answer before, or the id of any event")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class EventRecord(TypedDict):
    id: Ulid
    type: Annotated[str, published(enum=[*events.CATALOGUE])]
    occurred_at: Time
    lead_id: Annotated[Number | None, Field(description="null if it is about a webhook")]
    version: Annotated[Count, Field(description="Of the lead: grows by one with every change")]
    lead: Annotated[shapes.LeadRecord | None, Field(description="As it was after the event")]
    changes: Annotated[dict[str, Change], Field(description="By field")]
    about: Annotated[dict[str, Any], Field(description="What the event tells beside the lead")]
    actor: Annotated[str, Field(description="`type:id` of who did it")]
    request_id: str
    cause: Annotated[Ulid | None, Field(description="The event that led to this one")]
    hops: Annotated[Count, Field(description="How many such steps lie behind it")]


class Further(TypedDict):
    next: Annotated[Ulid, Field(description="Read on `after` it, whether there is more by now or not")]
    has_more: bool


class Events(TypedDict):
    data: list[EventRecord]
    meta: Further


def feed(ctx: Ctx, request: Request) -> Chapter:
    return journal.read(ctx, request.query.after or "", request.query.limit)


def timeline(ctx: Ctx, request: Request) -> Chapter:
    lead = service.get(ctx, number(request.path["id"]))
    return journal.of_leads(ctx, (lead.number, *lead.merged), request.query.after or "", request.query.limit)


def show(tenant: Tenant, chapter: Chapter) -> Reply[Events]:
    data = [shape(tenant, event) for event in chapter.events]
    return Reply(200, {"data": data, "meta": {"next": chapter.next, "has_more": chapter.more}})


def shape(tenant: Tenant, event: Event) -> EventRecord:
    """`about` is what the event tells beside the lead; of `webhook.*` it is all there is."""
    return {
        "id": event.id,
        "type": event.type,
        "occurred_at": time(event.at),
        "lead_id": event.number or None,
        "version": event.version,
        "lead": shapes.lead(tenant, model.of_snapshot(event.lead)) if event.lead else None,
        "changes": {RENAMED.get(name, name): values for name, values in event.changes.items()},
        "about": dict(event.about or event.webhook),
        "actor": event.actor,
        "request_id": event.request_id,
        "cause": event.cause or None,
        "hops": event.hops,
    }


LISTED = {200: Events}
DIALECT = Dialect(
    name="crm",
    routes=(
        Route(
            "GET", "/api/v1/events", "read:leads", feed, show, query=After,
            summary="Read the change feed", answers=LISTED,
        ),
        Route(
            "GET", "/api/v1/leads/{id}/timeline", "read:leads", timeline, show, query=After,
            summary="Read the timeline of a lead", answers=LISTED,
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
