"""Webhooks of a chatbot in the chatbot dialect (PollyBot): all verbs, and what became of their deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from leadwire import chatbots
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.webhooks import log, recovery, service
from leadwire.webhooks.log import Found, Logged, Wanted
from leadwire.webhooks.model import Delivery, State, Webhook
from leadwire.webhooks.service import Changes, Created

from . import errors
from .faces import FACE
from .headers import limit_headers

RETRIES, DELAY = 3, 1000
"""As published: `maxRetries` and `retryDelay` (milliseconds) where they are not given."""
FIRST_BYTES = 500
NOTE = "Store this secret now: it is shown this once. Verify each delivery with it (docs/webhooks.md)."


def _distinct(types: list[str]) -> list[str]:
    if len(set(types)) < len(types):
        raise ValueError("must not repeat an event type")
    return types


EventType = Literal["LEAD_CREATED", "LEAD_UPDATED", "LEAD_DELETED", "MESSAGE_REPLY", "CONVERSATION_COMPLETED"]
EventTypes = Annotated[list[EventType], Field(min_length=1), AfterValidator(_distinct)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
MaxRetries = Annotated[int, Field(ge=0, le=10)]
RetryDelay = Annotated[int, Field(ge=100, le=60_000)]


class CreateWebhook(Body):
    """`POST /api/v1/chatbots/{chatbotId}/webhooks`."""

    name: FilledLine
    url: Url
    eventTypes: EventTypes  # noqa: N815  # the published spelling
    maxRetries: MaxRetries = RETRIES  # noqa: N815
    retryDelay: RetryDelay = DELAY  # noqa: N815


class ChangeWebhook(Body):
    """`PATCH …/{webhookId}`: changes only what is sent."""

    name: FilledLine | None = None
    url: Url | None = None
    eventTypes: EventTypes | None = None  # noqa: N815
    isActive: bool | None = None  # noqa: N815
    maxRetries: MaxRetries | None = None  # noqa: N815
    retryDelay: RetryDelay | None = None  # noqa: N815


class RotateSecret(Body):
    """`POST …/{webhookId}/rotate-secret`: for so long the old secret signs too."""

    overlapSeconds: Annotated[int, Field(ge=0, le=service.LONGEST_OVERLAP)] = service.OVERLAP  # noqa: N815


class DeliveryList(QueryString):
    """`GET …/{webhookId}/deliveries`, newest first."""

    status: State | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    cursor: Annotated[str, StringConstraints(max_length=100)] = ""


def every(ctx: Ctx, request: Request) -> list[Webhook]:
    return service.every(ctx, FACE, _chatbot(ctx, request))


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateWebhook = request.body
    chatbot = _chatbot(ctx, request)
    return service.create(
        ctx,
        FACE,
        event_types=frozenset(body.eventTypes),
        url=body.url,
        name=body.name,
        scope=chatbot,
        filters={"chatbot": [chatbot, ""] if chatbot == chatbots.DEFAULT else [chatbot]},
        max_retries=body.maxRetries,
        retry_delay=body.retryDelay,
    )


def get(ctx: Ctx, request: Request) -> Webhook:
    return service.get(ctx, FACE, request.path["webhookId"], _chatbot(ctx, request))


def change(ctx: Ctx, request: Request) -> Webhook:
    body: ChangeWebhook = request.body
    changes = Changes(
        event_types=frozenset(body.eventTypes) if body.eventTypes else None,
        url=body.url,
        name=body.name,
        enabled=body.isActive,
        max_retries=body.maxRetries,
        retry_delay=body.retryDelay,
    )
    return service.update(ctx, FACE, request.path["webhookId"], changes, _chatbot(ctx, request))


def rotate(ctx: Ctx, request: Request) -> Created:
    chatbot = _chatbot(ctx, request)
    return service.rotate(ctx, FACE, request.path["webhookId"], request.body.overlapSeconds, chatbot)


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE, request.path["webhookId"], _chatbot(ctx, request))


def test(ctx: Ctx, request: Request) -> Delivery:
    return recovery.ping(ctx, FACE, get(ctx, request))


def deliveries(ctx: Ctx, request: Request) -> Found:
    asked: DeliveryList = request.query
    return log.page(ctx, Wanted(webhook=get(ctx, request).id, state=asked.status), asked.limit, asked.cursor)


def _chatbot(ctx: Ctx, request: Request) -> str:
    """Raises NotFound."""
    chatbot = request.path["chatbotId"]
    chatbots.get(ctx, chatbot)
    return chatbot


# --- shapes -----------------------------------------------------------------------------------------------------------


def show_all(_tenant: Tenant, webhooks: list[Webhook]) -> Reply:
    return Reply(200, {"webhooks": [shape(one) for one in webhooks], "total": len(webhooks)})


def show(_tenant: Tenant, webhook: Webhook) -> Reply:
    return Reply(200, {"webhook": shape(webhook)})


def show_created(_tenant: Tenant, created: Created) -> Reply:
    return Reply(201, _with_secret("Webhook created successfully", created))


def show_changed(_tenant: Tenant, webhook: Webhook) -> Reply:
    return Reply(200, {"message": "Webhook updated successfully", "webhook": shape(webhook)})


def show_rotated(_tenant: Tenant, created: Created) -> Reply:
    return Reply(200, _with_secret("Webhook secret rotated successfully", created))


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply:
    return Reply(200, {"message": "Webhook deleted successfully"})


def show_tested(_tenant: Tenant, delivery: Delivery) -> Reply:
    return Reply(202, {"message": "Test delivery is on its way", "delivery": delivery_shape(Logged(delivery, []))})


def show_deliveries(_tenant: Tenant, found: Found) -> Reply:
    return Reply(200, {"deliveries": [delivery_shape(one) for one in found.logged], "nextCursor": found.next})


def _with_secret(message: str, created: Created) -> dict[str, Any]:
    webhook = {**shape(created.webhook), "secret": created.secret}
    return {"message": message, "webhook": webhook, "security": {"note": NOTE}}


def shape(webhook: Webhook) -> dict[str, Any]:
    """The webhook as published, and why it is inactive."""
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "eventTypes": sorted(webhook.event_types),
        "isActive": webhook.enabled,
        "disabledBecause": webhook.disabled_because or None,
        "maxRetries": webhook.max_retries,
        "retryDelay": webhook.retry_delay,
        "successCount": webhook.successes,
        "failureCount": webhook.failures,
        "lastTriggeredAt": _time(webhook.last_triggered_at),
        "lastSuccessAt": _time(webhook.last_success_at),
        "lastFailureAt": _time(webhook.last_failure_at),
        "createdAt": _time(webhook.created_at),
        "updatedAt": _time(webhook.updated_at),
    }


def delivery_shape(logged: Logged) -> dict[str, Any]:
    delivery = logged.delivery
    return {
        "id": delivery.id,
        "messageId": delivery.message_id,
        "eventType": delivery.type,
        "eventId": delivery.event,
        "sequence": delivery.sequence,
        "status": delivery.state,
        "nextAttemptAt": _time(delivery.next_at) if delivery.state == "pending" else None,
        "createdAt": _time(delivery.created_at),
        "attempts": [
            {
                "attempt": number,
                "at": _time(attempt["at"]),
                "statusCode": attempt["status"] or None,
                "durationMs": attempt["ms"],
                "response": attempt["body"][:FIRST_BYTES] or None,
                "error": attempt["error"] or None,
                "nextAttemptAt": _time(attempt["next_at"]),
            }
            for number, attempt in enumerate(logged.attempts, start=1)
        ],
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else iso(ms, "milliseconds")


BASE = "/api/v1/chatbots/{chatbotId}/webhooks"
ONE = BASE + "/{webhookId}"
READ, WRITE = "read:webhooks", "write:webhooks"
DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route("GET", BASE, READ, every, show_all),
        Route("POST", BASE, WRITE, create, show_created, body=CreateWebhook, seals=True),
        Route("GET", ONE, READ, get, show),
        Route("PATCH", ONE, WRITE, change, show_changed, body=ChangeWebhook),
        Route("DELETE", ONE, WRITE, delete, show_deleted),
        Route("POST", ONE + "/rotate-secret", WRITE, rotate, show_rotated, body=RotateSecret, seals=True),
        Route("POST", ONE + "/test", WRITE, test, show_tested),
        Route("GET", ONE + "/deliveries", READ, deliveries, show_deliveries, query=DeliveryList),
    ),
    render_error=errors.render,
    limit_headers=limit_headers,
)
