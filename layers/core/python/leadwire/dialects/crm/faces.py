"""How the crm dialect sends webhooks (contracts/crm.md, "Outbound webhooks")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from leadwire import events, keys
from leadwire.context import Ctx, Tenant, iso
from leadwire.events import Event
from leadwire.settings import Settings
from leadwire.store.types import Key
from leadwire.webhooks.model import Face, Webhook

TYPES = (events.LEAD_CREATED, events.LEAD_UPDATED, events.LEAD_DELETED, events.FORM_SUBMITTED)
STAGE_CHANGED = "lead.stage_changed"
ASSIGNED = "lead.assigned"
CHANGES = {"stage_id": STAGE_CHANGED, "assigned_user_id": ASSIGNED}
SHOWN = ("first_name", "last_name", "email", "phone", "source")


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
    names = _names(ctx, lead)
    body = {
        "event": word,
        "occurred_at": iso(event.at),
        "lead": {
            "id": lead["number"],
            **{name: lead.get(name) or None for name in SHOWN},
            "status": lead["status"],
            "lead_score": lead.get("score", 0),
            **names,
            "tags": list(lead.get("tags", ())),
            "created_at": iso(lead["created_at"]),
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def headers(_word: str, _settings: Settings) -> dict[str, str]:
    return {}


def _names(ctx: Ctx, lead: Mapping[str, Any]) -> dict[str, str | None]:
    tenant = ctx.tenant.id
    wanted = {
        "pipeline": (keys.pipelines(tenant), lead.get("pipeline_id"), "name"),
        "stage": (keys.stages(tenant), lead.get("stage_id"), "name"),
        "assigned_to": (keys.users(tenant), lead.get("assigned_user_id"), "email"),
    }
    places = {word: Key(pk, keys.numbered(number)) for word, (pk, number, _) in wanted.items() if number}
    found = ctx.table.batch_get(list(places.values())) if places else {}
    return {
        word: found[places[word]].get(shown) if word in places and places[word] in found else None
        for word, (_, _, shown) in wanted.items()
    }


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
