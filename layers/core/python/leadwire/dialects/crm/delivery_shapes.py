"""Webhook deliveries as the crm dialect shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from pydantic import Field, StringConstraints

from leadwire.context import iso
from leadwire.dialects.fields import published
from leadwire.webhooks.log import Logged
from leadwire.webhooks.model import State
from leadwire.webhooks.recovery import Verdict

from .parts import Count, Number, Ulid

FIRST_BYTES = 500

Cursor = Annotated[str, StringConstraints(pattern=r"^[0-6][0-9A-HJKMNP-TV-Z]{25}\.[0-9a-f]{32}$")]
TimeMs = Annotated[str, published(format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")]


class Attempt(TypedDict):
    attempt: Number
    at: TimeMs
    status: Annotated[int | None, Field(description="null if there was no answer")]
    ms: Count
    response: Annotated[str | None, Field(description=f"In lists the first {FIRST_BYTES} characters")]
    error: str | None
    next_attempt_at: TimeMs | None


class DeliveryRecord(TypedDict):
    id: Annotated[str, published(pattern="^[0-9a-f]{32}$")]
    webhook_id: str
    message_id: Annotated[str, Field(description="The header `webhook-id`, the same on every attempt")]
    event: Annotated[str, Field(description="Its type, in the words of the webhook's API")]
    event_id: Ulid
    sequence: Annotated[Number, Field(description="Counts the webhook's deliveries: a receiver sees gaps by it")]
    status: State
    next_attempt_at: TimeMs | None
    created_at: TimeMs
    attempts: list[Attempt]


class WholeDelivery(DeliveryRecord):
    body: Annotated[str, Field(description="What is sent")]


class Following(TypedDict):
    next_cursor: Cursor | None


class Deliveries(TypedDict):
    data: list[DeliveryRecord]
    meta: Following


class Redone(TypedDict):
    deliveries: Count
    next_cursor: Annotated[Ulid | None, Field(description="Where to go on; null at the end")]


class KnownDelivery(TypedDict):
    id: str
    status: State


class Judgement(TypedDict):
    webhook_id: str
    events: Annotated[list[str], Field(description="What the event is to the webhook, of what it asked for")]
    would_be_sent: bool
    because: Annotated[list[str], Field(description="Why it would not be sent")]
    deliveries: list[KnownDelivery]


class Judgements(TypedDict):
    """Of each webhook."""

    data: list[Judgement]


def shape(logged: Logged, most: int | None) -> DeliveryRecord:
    delivery = logged.delivery
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook,
        "message_id": delivery.message_id,
        "event": delivery.type,
        "event_id": delivery.event,
        "sequence": delivery.sequence,
        "status": delivery.state,
        "next_attempt_at": _time(delivery.next_at) if delivery.state == "pending" else None,
        "created_at": _time(delivery.created_at),
        "attempts": [_attempt(number, made, most) for number, made in enumerate(logged.attempts, start=1)],
    }


def _attempt(number: int, made: Mapping[str, Any], most: int | None) -> Attempt:
    return {
        "attempt": number,
        "at": _time(made["at"]),
        "status": made["status"] or None,
        "ms": made["ms"],
        "response": made["body"][:most] or None,
        "error": made["error"] or None,
        "next_attempt_at": _time(made["next_at"]) if made["next_at"] is not None else None,
    }


def judgement(verdict: Verdict) -> Judgement:
    return {
        "webhook_id": verdict.webhook.id,
        "events": list(verdict.words),
        "would_be_sent": not verdict.because,
        "because": list(verdict.because),
        "deliveries": [{"id": one.id, "status": one.state} for one in verdict.deliveries],
    }


def _time(ms: int) -> str:
    return iso(ms, "milliseconds", "+00:00")
