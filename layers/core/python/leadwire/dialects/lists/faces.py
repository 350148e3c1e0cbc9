"""How the lists dialect sends webhooks (contracts/lists.md, "Webhook delivery"; decisions.md, lists)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from leadwire import events
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import published
from leadwire.events import Event
from leadwire.json_text import json_text
from leadwire.leads import model
from leadwire.settings import Settings
from leadwire.webhooks.model import Face, Webhook

from . import shapes

STATUS_CHANGED = "lead.status_changed"
TYPES = (events.LEAD_CREATED, events.LEAD_UPDATED, events.LEAD_DELETED)


class ChangedLead(shapes.ShownLead):
    """A lead whose status has changed."""

    previous_status: shapes.Status


class Payload(TypedDict):
    """The body of every delivery: the lead as it was when it happened."""

    event: Annotated[str, published(enum=[*TYPES, STATUS_CHANGED])]
    event_id: str
    webhook_id: shapes.Id
    created_at: shapes.Time
    data: shapes.ShownLead | ChangedLead


def words(event: Event) -> Sequence[str]:
    """A status changed only if it reads otherwise in this dialect, which knows four of them."""
    if event.type not in TYPES:
        return []
    before, after = (_status(one) for one in event.changes.get("status", ("", "")))
    changed = event.type == events.LEAD_UPDATED and before != after
    return [event.type, STATUS_CHANGED] if changed else [event.type]


def fields(tenant: Tenant, event: Event) -> shapes.ShownLead | ChangedLead:
    """The payload's `data`, which is also what filters look at."""
    lead = shapes.lead(tenant, model.of_snapshot(event.lead))
    before = event.changes.get("status")
    if not before:
        return lead
    changed: ChangedLead = {**lead, "previous_status": _status(before[0])}
    return changed


def render(ctx: Ctx, event: Event, webhook: Webhook, word: str) -> str:
    body: Payload = {
        "event": word,
        "event_id": event.id,
        "webhook_id": webhook.id,
        "created_at": iso(event.at),
        "data": fields(ctx.tenant, event),
    }
    return json_text(body)


def headers(_word: str, _settings: Settings) -> dict[str, str]:
    return {}


def _status(status: str) -> shapes.Status:
    return shapes.STATUS_OUT.get(status, shapes.OTHERS)


FACE = Face(
    name="lists",
    words=words,
    render=render,
    headers=headers,
    fields=fields,
    schedule="short",
    timeout=10.0,
    limit=20,
)
FACES = (FACE,)
PAYLOADS: Mapping[str, Mapping[str, Any]] = {FACE.name: dict.fromkeys((*TYPES, STATUS_CHANGED), Payload)}
"""Face to word to the type of its bodies, for the published documents."""
