"""How the chatbot dialect sends webhooks (contracts/chatbot.md, "Webhook delivery"; decisions.md, chatbot)."""

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

WORDS = {
    events.LEAD_CREATED: "LEAD_CREATED",
    events.LEAD_UPDATED: "LEAD_UPDATED",
    events.LEAD_DELETED: "LEAD_DELETED",
    events.MESSAGE_REPLIED: "MESSAGE_REPLY",
    events.CONVERSATION_COMPLETED: "CONVERSATION_COMPLETED",
}


class Payload(TypedDict):
    """The body of every delivery: the lead as it was when it happened."""

    eventType: Annotated[str, published(enum=[*WORDS.values()])]
    eventId: str
    webhookId: Annotated[str, published(format="uuid")]
    chatbotId: str
    timestamp: shapes.Time
    data: shapes.ShownLead


def words(event: Event) -> Sequence[str]:
    return [WORDS[event.type]] if event.type in WORDS else []


def render(ctx: Ctx, event: Event, webhook: Webhook, word: str) -> str:
    body: Payload = {
        "eventType": word,
        "eventId": event.id,
        "webhookId": webhook.id,
        "chatbotId": webhook.scope,
        "timestamp": iso(event.at, "milliseconds"),
        "data": shapes.lead(ctx.tenant, model.of_snapshot(event.lead)),
    }
    return json_text(body)


def headers(_word: str, _settings: Settings) -> dict[str, str]:
    return {}


def fields(_tenant: Tenant, event: Event) -> Mapping[str, Any]:
    """Which chatbot the lead came through; other dialects' leads have none, and belong to the default one."""
    return event.lead


FACE = Face(
    name="chatbot",
    words=words,
    render=render,
    headers=headers,
    fields=fields,
    schedule="long",
    timeout=30.0,
    limit=20,
    signature="X-Webhook-Signature",
)
FACES = (FACE,)
PAYLOADS: Mapping[str, Mapping[str, Any]] = {FACE.name: dict.fromkeys(WORDS.values(), Payload)}
"""Face to word to the type of its bodies, for the published documents."""
