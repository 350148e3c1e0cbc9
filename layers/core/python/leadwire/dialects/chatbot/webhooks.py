"""Webhooks of a chatbot in the chatbot dialect (PollyBot): list, create, get, update, delete, rotate the secret.

What became of their deliveries is in deliveries.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from leadwire import chatbots
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import WHOLE, FilledLine, Url, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import WebhookLimitReached
from leadwire.webhooks import service
from leadwire.webhooks.changes import LONGEST_OVERLAP, OVERLAP, Changes
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created

from . import errors
from .faces import FACE
from .headers import limit_headers
from .webhook_shapes import (
    DELAY,
    RETRIES,
    ChangedWebhook,
    CreatedWebhook,
    EventType,
    MaxRetries,
    Message,
    OneWebhook,
    RetryDelay,
    Webhooks,
    shape,
    with_secret,
)


def _distinct(types: list[str]) -> list[str]:
    if len(set(types)) < len(types):
        raise ValueError("must not repeat an event type")
    return types


EventTypes = Annotated[list[EventType], Field(min_length=1), AfterValidator(_distinct), published(uniqueItems=True)]


class CreateWebhook(Body):
    name: FilledLine
    url: Url
    eventTypes: EventTypes
    maxRetries: MaxRetries = RETRIES
    retryDelay: RetryDelay = DELAY


class ChangeWebhook(Body):
    """What is not sent, or null, stays."""

    name: FilledLine | None = None
    url: Url | None = None
    eventTypes: EventTypes | None = None
    isActive: bool | None = None
    maxRetries: MaxRetries | None = None
    retryDelay: RetryDelay | None = None


class RotateSecret(Body):
    overlapSeconds: Annotated[
        int, Field(ge=0, le=LONGEST_OVERLAP, description="For so long the old secret signs too."), WHOLE
    ] = OVERLAP


def every(ctx: Ctx, request: Request) -> list[Webhook]:
    return service.every(ctx, FACE, chatbot_of(ctx, request))


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateWebhook = request.body
    chatbot = chatbot_of(ctx, request)
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
        requires=[chatbots.exists(ctx, chatbot)],
    )


def get(ctx: Ctx, request: Request) -> Webhook:
    return service.get(ctx, FACE, request.path["webhookId"], chatbot_of(ctx, request))


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
    return service.update(ctx, FACE, request.path["webhookId"], changes, chatbot_of(ctx, request))


def rotate(ctx: Ctx, request: Request) -> Created:
    chatbot = chatbot_of(ctx, request)
    return service.rotate(ctx, FACE, request.path["webhookId"], request.body.overlapSeconds, chatbot)


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE, request.path["webhookId"], chatbot_of(ctx, request))


def chatbot_of(ctx: Ctx, request: Request) -> str:
    """The id of the chatbot in the path. Raises NotFound."""
    chatbot = request.path["chatbotId"]
    chatbots.get(ctx, chatbot)
    return chatbot


# --- shapes -----------------------------------------------------------------------------------------------------------


def show_all(_tenant: Tenant, webhooks: list[Webhook]) -> Reply[Webhooks]:
    return Reply(200, {"webhooks": [shape(one) for one in webhooks], "total": len(webhooks)})


def show(_tenant: Tenant, webhook: Webhook) -> Reply[OneWebhook]:
    return Reply(200, {"webhook": shape(webhook)})


def show_created(_tenant: Tenant, created: Created) -> Reply[CreatedWebhook]:
    return Reply(201, with_secret("Webhook created successfully", created))


def show_changed(_tenant: Tenant, webhook: Webhook) -> Reply[ChangedWebhook]:
    return Reply(200, {"message": "Webhook updated successfully", "webhook": shape(webhook)})


def show_rotated(_tenant: Tenant, created: Created) -> Reply[CreatedWebhook]:
    return Reply(200, with_secret("Webhook secret rotated successfully", created))


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply[Message]:
    return Reply(200, {"message": "Webhook deleted successfully"})


BASE = "/api/v1/chatbots/{chatbotId}/webhooks"
ONE = BASE + "/{webhookId}"
READ, WRITE = "read:webhooks", "write:webhooks"
LIMIT = WebhookLimitReached(f"At most {FACE.limit} webhooks are allowed")
DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route("GET", BASE, READ, every, show_all, summary="List webhooks", answers={200: Webhooks}),
        Route(
            "POST",
            BASE,
            WRITE,
            create,
            show_created,
            body=CreateWebhook,
            seals=True,
            summary="Create a webhook",
            answers={201: CreatedWebhook},
            refuses=[LIMIT],
        ),
        Route("GET", ONE, READ, get, show, summary="Get a webhook", answers={200: OneWebhook}),
        Route(
            "PATCH",
            ONE,
            WRITE,
            change,
            show_changed,
            body=ChangeWebhook,
            summary="Update a webhook",
            answers={200: ChangedWebhook},
        ),
        Route("DELETE", ONE, WRITE, delete, show_deleted, summary="Delete a webhook", answers={200: Message}),
        Route(
            "POST",
            ONE + "/rotate-secret",
            WRITE,
            rotate,
            show_rotated,
            body=RotateSecret,
            seals=True,
            summary="Rotate a webhook's secret",
            answers={200: CreatedWebhook},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    limit_headers=limit_headers,
)
