"""How the public dialect sends webhooks (contracts/public.md, "Webhook delivery"; decisions.md, public)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypedDict

from leadwire import events
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import published
from leadwire.events import Event
from leadwire.json_text import json_text
from leadwire.leads import history, model
from leadwire.leads.history import Message
from leadwire.settings import Settings
from leadwire.webhooks.model import Face, Webhook

from .conversation import Conversation, FullLead, ShownMessage, conversation, shown
from .lead_object import COMPLETED, QUALIFICATION, LeadBody, lead_object
from .shapes import Time

CONVERSATION_COMPLETED = "CONVERSATION_COMPLETED"
MESSAGE_REPLY, LEAD_CREATED = "MESSAGE_REPLY", "LEAD_CREATED"
TYPES_V2 = {events.LEAD_CREATED: (LEAD_CREATED,), events.MESSAGE_REPLIED: (MESSAGE_REPLY,)}
MISSED_CALL = "missed_call"
"""The source of the leads that a missed call makes."""

WORDS_V2 = (CONVERSATION_COMPLETED, MESSAGE_REPLY, LEAD_CREATED)


class PayloadV1(FullLead):
    """The body of a delivery of the first generation."""

    timestamp: Time


class EventV2(TypedDict):
    """What tells the events of the second generation apart."""

    type: Annotated[str, published(enum=[word.lower() for word in WORDS_V2])]
    timestamp: Time
    eventType: Annotated[str, published(enum=[*WORDS_V2])]
    webhookId: Annotated[str, published(format="uuid")]
    eventId: str


class PayloadV2(LeadBody, Conversation, EventV2):
    """The body of a delivery: that of the first generation, and its event."""


class ReplyV2(PayloadV2):
    reply: ShownMessage


def words_v2(event: Event) -> Sequence[str]:
    return (*TYPES_V2.get(event.type, ()), *([CONVERSATION_COMPLETED] if completed(event) else ()))


def words_v1(event: Event, *, missed_call: bool) -> Sequence[str]:
    """V1 has one kind of event, and two lists of endpoints for it, by where the lead came from."""
    ours = (event.lead.get("source") == MISSED_CALL) is missed_call
    return [CONVERSATION_COMPLETED] if ours and completed(event) else []


def completed(event: Event) -> bool:
    """Whether the event made the lead's qualification complete, in a conversation or in the open map."""
    if event.type == events.CONVERSATION_COMPLETED:
        return True
    if event.type not in (events.LEAD_CREATED, events.LEAD_UPDATED) or not _complete(event.lead.get("custom")):
        return False
    before, _ = event.changes.get("custom", (event.lead.get("custom"), None))
    return event.type == events.LEAD_CREATED or not _complete(before)


def render_v1(ctx: Ctx, event: Event, _webhook: Webhook, _word: str) -> str:
    body: PayloadV1 = {**_lead(ctx, event), "timestamp": iso(event.at)}
    return json_text(body)


def render_v2(ctx: Ctx, event: Event, webhook: Webhook, word: str) -> str:
    """The payload of V1, and what tells V2's events apart."""
    body: PayloadV2 = {
        **_lead(ctx, event),
        "type": word.lower(),
        "timestamp": iso(event.at),
        "eventType": word,
        "webhookId": webhook.id,
        "eventId": event.id,
    }
    if word != MESSAGE_REPLY:
        return json_text(body)
    replied: ReplyV2 = {**body, "reply": _reply(event.about["message"])}
    return json_text(replied)


def _lead(ctx: Ctx, event: Event) -> FullLead:
    """The lead object and its conversation, with the messages that there are when the delivery is made."""
    lead = model.of_snapshot(event.lead)
    messages = [] if event.type == events.LEAD_CREATED else history.recent(ctx, [lead])[lead.number]
    return {**lead_object(ctx.tenant, event.lead), **conversation(event.lead, messages)}


def _reply(message: Mapping[str, Any]) -> ShownMessage:
    return shown(Message(**{**message, "media": ()}))


def headers_v1(_word: str, settings: Settings) -> dict[str, str]:
    return {"x-origin": settings.origin}


def headers_v2(word: str, settings: Settings) -> dict[str, str]:
    return {"x-origin": settings.origin, "x-event-type": word}


def fields(_tenant: Tenant, event: Event) -> Mapping[str, Any]:
    return event.lead


def _complete(custom: Mapping[str, Any] | None) -> bool:
    return str((custom or {}).get(QUALIFICATION, "")).upper() == COMPLETED


FACE_V2 = Face(
    name="public_v2",
    words=words_v2,
    render=render_v2,
    headers=headers_v2,
    fields=fields,
    schedule="long",
    timeout=10.0,
    limit=6,
)
FACE_V1_MISSED_CALL = Face(
    name="public_v1_missed_call",
    words=functools.partial(words_v1, missed_call=True),
    render=render_v1,
    headers=headers_v1,
    fields=fields,
    schedule="v1",
    timeout=10.0,
    limit=20,
)
FACE_V1_CHAT_WIDGET = replace(
    FACE_V1_MISSED_CALL, name="public_v1_chat_widget", words=functools.partial(words_v1, missed_call=False)
)
FACES = (FACE_V2, FACE_V1_MISSED_CALL, FACE_V1_CHAT_WIDGET)
PAYLOADS: Mapping[str, Mapping[str, Any]] = {
    FACE_V2.name: {CONVERSATION_COMPLETED: PayloadV2, MESSAGE_REPLY: ReplyV2, LEAD_CREATED: PayloadV2},
    FACE_V1_MISSED_CALL.name: {CONVERSATION_COMPLETED: PayloadV1},
    FACE_V1_CHAT_WIDGET.name: {CONVERSATION_COMPLETED: PayloadV1},
}
"""Face to word to the type of its bodies, for the published documents."""
