"""The change feed and a lead's timeline in the crm dialect: what happened, in order, for whoever reads on."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadwire import journal
from leadwire.context import Ctx, Tenant
from leadwire.edge.types import QueryString, Reply, Request
from leadwire.events import Event
from leadwire.journal import Chapter
from leadwire.leads import model, service

from . import shapes
from .parts import number, time

RENAMED = {"score": "lead_score", "custom": "custom_fields", "stage_id": "pipeline_stage_id"}
"""Our names of fields to theirs, where they differ."""


class After(QueryString):
    """`after` is the `next` of the answer before, or the id of any event."""

    after: Annotated[str, Field(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 100


def feed(ctx: Ctx, request: Request) -> Chapter:
    return journal.read(ctx, request.query.after, request.query.limit)


def timeline(ctx: Ctx, request: Request) -> Chapter:
    lead = service.get(ctx, number(request.path["id"]))
    return journal.of_lead(ctx, lead.number, request.query.after, request.query.limit)


def show(tenant: Tenant, chapter: Chapter) -> Reply:
    data = [shape(tenant, event) for event in chapter.events]
    return Reply(200, {"data": data, "meta": {"next": chapter.next, "has_more": chapter.more}})


def shape(tenant: Tenant, event: Event) -> dict[str, Any]:
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
