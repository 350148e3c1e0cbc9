"""Deliveries of a chatbot's webhook in the chatbot dialect (PollyBot): a test, and what became of those before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict, cast

from pydantic import Field, StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import published
from leadwire.edge.types import Dialect, QueryString, Reply, Request, Route
from leadwire.errors import Conflict
from leadwire.webhooks import log, recovery
from leadwire.webhooks.log import Found, Logged, Wanted
from leadwire.webhooks.model import Delivery, State

from . import errors, webhooks
from .faces import FACE
from .headers import limit_headers
from .shapes import Time
from .webhook_shapes import Count, EventType, Message, time

FIRST_BYTES = 500


class DeliveryList(QueryString):
    """`GET …/{webhookId}/deliveries`, newest first."""

    status: State | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    cursor: Annotated[str, StringConstraints(max_length=100), published(pattern=r"^([0-9A-Za-z]+\.[0-9A-Za-z]+)?$")] = (
        ""
    )


def test(ctx: Ctx, request: Request) -> Delivery:
    return recovery.ping(ctx, FACE, webhooks.get(ctx, request))


def deliveries(ctx: Ctx, request: Request) -> Found:
    asked: DeliveryList = request.query
    webhook = webhooks.get(ctx, request).id
    return log.page(ctx, Wanted(webhook=webhook, state=asked.status), asked.limit, asked.cursor)


# --- shapes -----------------------------------------------------------------------------------------------------------


class Attempt(TypedDict):
    attempt: Annotated[int, Field(ge=1)]
    at: Time
    statusCode: int | None
    durationMs: Count
    response: Annotated[str | None, Field(description=f"The first {FIRST_BYTES} characters of it.")]
    error: str | None
    nextAttemptAt: Time | None


class ShownDelivery(TypedDict):
    id: Annotated[str, published(pattern="^[0-9a-f]{32}$")]
    messageId: Annotated[str, Field(description="The header `webhook-id`, the same on every attempt.")]
    eventType: EventType | Literal["ping"]
    eventId: Annotated[str, published(pattern="^[0-9A-Z]{26}$")]
    sequence: Annotated[int, Field(ge=1, description="Counts the webhook's deliveries: a receiver sees gaps by it.")]
    status: State
    nextAttemptAt: Time | None
    createdAt: Time
    attempts: list[Attempt]


class TestDelivery(Message):
    delivery: ShownDelivery


class Deliveries(TypedDict):
    deliveries: list[ShownDelivery]
    nextCursor: str | None


def show_tested(_tenant: Tenant, delivery: Delivery) -> Reply[TestDelivery]:
    return Reply(202, {"message": "Test delivery is on its way", "delivery": shape(Logged(delivery, []))})


def show_deliveries(_tenant: Tenant, found: Found) -> Reply[Deliveries]:
    return Reply(200, {"deliveries": [shape(one) for one in found.logged], "nextCursor": found.next})


def shape(logged: Logged) -> ShownDelivery:
    delivery = logged.delivery
    return {
        "id": delivery.id,
        "messageId": delivery.message_id,
        "eventType": cast(EventType | Literal["ping"], delivery.type),
        "eventId": delivery.event,
        "sequence": delivery.sequence,
        "status": delivery.state,
        "nextAttemptAt": time(delivery.next_at) if delivery.state == "pending" else None,
        "createdAt": iso(delivery.created_at, "milliseconds"),
        "attempts": [_attempt(number, attempt) for number, attempt in enumerate(logged.attempts, start=1)],
    }


def _attempt(number: int, attempt: Mapping[str, Any]) -> Attempt:
    return {
        "attempt": number,
        "at": iso(attempt["at"], "milliseconds"),
        "statusCode": attempt["status"] or None,
        "durationMs": attempt["ms"],
        "response": attempt["body"][:FIRST_BYTES] or None,
        "error": attempt["error"] or None,
        "nextAttemptAt": time(attempt["next_at"]),
    }


BASE = webhooks.ONE
DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route(
            "POST",
            BASE + "/test",
            "write:webhooks",
            test,
            show_tested,
            summary="Send a test delivery",
            answers={202: TestDelivery},
            refuses=[Conflict("The webhook is deleted or disabled")],
        ),
        Route(
            "GET",
            BASE + "/deliveries",
            "read:webhooks",
            deliveries,
            show_deliveries,
            query=DeliveryList,
            summary="List a webhook's deliveries",
            answers={200: Deliveries},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    limit_headers=limit_headers,
)
