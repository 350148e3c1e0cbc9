"""Webhooks as the chatbot dialect shows them."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict, cast

from pydantic import Field

from leadwire.context import iso
from leadwire.dialects.fields import WHOLE, published
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created

from .shapes import Time

RETRIES, DELAY = 3, 1000
"""As published: `maxRetries` and `retryDelay` (milliseconds) where they are not given."""
NOTE = "Store this secret now: it is shown this once. Verify each delivery with it (docs/webhooks.md)."

EventType = Literal["LEAD_CREATED", "LEAD_UPDATED", "LEAD_DELETED", "MESSAGE_REPLY", "CONVERSATION_COMPLETED"]
MaxRetries = Annotated[int, Field(ge=0, le=10), WHOLE]
RetryDelay = Annotated[int, Field(ge=100, le=60_000), WHOLE]
WebhookId = Annotated[str, published(format="uuid")]
Secret = Annotated[str, published(pattern="^whsec_[A-Za-z0-9+/]+=*$")]
Count = Annotated[int, Field(ge=0)]


class ShownWebhook(TypedDict):
    """The webhook as published, and why it is inactive."""

    id: WebhookId
    name: str
    url: str
    eventTypes: list[EventType]
    isActive: bool
    disabledBecause: Annotated[
        str | None, Field(description="owner, receiver (it answered 410 or asked for it) or failing.")
    ]
    maxRetries: MaxRetries
    retryDelay: RetryDelay
    successCount: Count
    failureCount: Count
    lastTriggeredAt: Time | None
    lastSuccessAt: Time | None
    lastFailureAt: Time | None
    createdAt: Time
    updatedAt: Time


class SecretWebhook(ShownWebhook):
    secret: Secret


class Security(TypedDict):
    note: str


class Webhooks(TypedDict):
    webhooks: list[ShownWebhook]
    total: Count


class OneWebhook(TypedDict):
    webhook: ShownWebhook


class Message(TypedDict):
    message: str


class ChangedWebhook(Message, OneWebhook):
    pass


class CreatedWebhook(Message):
    webhook: SecretWebhook
    security: Security


def with_secret(message: str, created: Created) -> CreatedWebhook:
    webhook: SecretWebhook = {**shape(created.webhook), "secret": created.secret}
    return {"message": message, "webhook": webhook, "security": {"note": NOTE}}


def shape(webhook: Webhook) -> ShownWebhook:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "eventTypes": cast(list[EventType], sorted(webhook.event_types)),
        "isActive": webhook.enabled,
        "disabledBecause": webhook.disabled_because or None,
        "maxRetries": webhook.max_retries if webhook.max_retries is not None else RETRIES,
        "retryDelay": webhook.retry_delay if webhook.retry_delay is not None else DELAY,
        "successCount": webhook.successes,
        "failureCount": webhook.failures,
        "lastTriggeredAt": time(webhook.last_triggered_at),
        "lastSuccessAt": time(webhook.last_success_at),
        "lastFailureAt": time(webhook.last_failure_at),
        "createdAt": iso(webhook.created_at, "milliseconds"),
        "updatedAt": iso(webhook.updated_at, "milliseconds"),
    }


def time(ms: int | None) -> str | None:
    return None if ms is None else iso(ms, "milliseconds")
