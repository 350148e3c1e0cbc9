"""How the crm dialect sends webhooks (contracts/crm.md, "Outbound webhooks")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from leadwire import events, keys
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import published
from leadwire.events import Event
from leadwire.json_text import json_text
from leadwire.leads.model import STATUSES
from leadwire.settings import Settings
from leadwire.store.types import Key
from leadwire.webhooks.model import Face, Webhook

TYPES = (events.LEAD_CREATED, events.LEAD_UPDATED, events.LEAD_DELETED, events.FORM_SUBMITTED)
STAGE_CHANGED = "lead.stage_changed"
ASSIGNED = "lead.assigned"
CHANGES = {"stage_id": STAGE_CHANGED, "assigned_user_id": ASSIGNED}
Time = Annotated[
    str,
    published(format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", examples=["2026-11-21T10:30:00Z"]),
]


class Names(TypedDict):
    """The lead's pipeline and stage by their names, its owner by the e-mail address."""

    pipeline: str | None
    stage: str | None
    assigned_to: str | None


class ToldLead(Names):
    id: int
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    source: str | None
    status: Annotated[str, published(enum=[*STATUSES])]
    lead_score: int
    tags: list[str]
    created_at: Time


class Payload(TypedDict):
    """The body of every delivery: the lead as it was when it happened."""

    event: Annotated[str, published(enum=[*TYPES, *CHANGES.values()])]
    occurred_at: Time
    lead: ToldLead


def words(event: Event) -> Sequence[str]:
    """A change of stage or owner is an event of its own beside the update; so is a lead that is born with an owner."""
    if event.type not in TYPES:
        return []
    changed = [word for field, word in CHANGES.items() if field in event.changes]
    if event.type == events.LEAD_CREATED:
        changed = [ASSIGNED] if event.lead.get("assigned_user_id") else []
    return [event.type, *changed] if event.type in (events.LEAD_CREATED, events.LEAD_UPDATED) else [event.type]


def fields(_tenant: Tenant, event: Event) -> Mapping[str, Any]:
    return event.lead


def render(ctx: Ctx, event: Event, _webhook: Webhook, word: str) -> str:
    """As published: the pipeline, the stage and the owner by their names, as they are called by now."""
    lead = event.lead
    body: Payload = {
        "event": word,
        "occurred_at": iso(event.at),
        "lead": {
            "id": lead["number"],
            "first_name": lead.get("first_name") or None,
            "last_name": lead.get("last_name") or None,
            "email": lead.get("email") or None,
            "phone": lead.get("phone") or None,
            "source": lead.get("source") or None,
            "status": lead["status"],
            "lead_score": lead.get("score", 0),
            **_names(ctx, lead),
            "tags": list(lead.get("tags", ())),
            "created_at": iso(lead["created_at"]),
        },
    }
    return json_text(body)


def headers(_word: str, _settings: Settings) -> dict[str, str]:
    return {}


def _names(ctx: Ctx, lead: Mapping[str, Any]) -> Names:
    tenant = ctx.tenant.id
    wanted = {
        "pipeline": (keys.pipelines(tenant), lead.get("pipeline_id"), "name"),
        "stage": (keys.stages(tenant), lead.get("stage_id"), "name"),
        "assigned_to": (keys.users(tenant), lead.get("assigned_user_id"), "email"),
    }
    places = {word: Key(pk, keys.numbered(number)) for word, (pk, number, _) in wanted.items() if number}
    found = ctx.table.batch_get(list(places.values())) if places else {}

    def name(word: str) -> str | None:
        return found[places[word]].get(wanted[word][2]) if word in places and places[word] in found else None

    return {"pipeline": name("pipeline"), "stage": name("stage"), "assigned_to": name("assigned_to")}


FACE = Face(
    name="crm",
    words=words,
    render=render,
    headers=headers,
    fields=fields,
    schedule="long",
    timeout=10.0,
    limit=20,
    signature="X-LeadHub-Signature",
)
FACES = (FACE,)
PAYLOADS: Mapping[str, Mapping[str, Any]] = {FACE.name: dict.fromkeys((*TYPES, *CHANGES.values()), Payload)}
"""Face to word to the type of its bodies, for the published documents."""
