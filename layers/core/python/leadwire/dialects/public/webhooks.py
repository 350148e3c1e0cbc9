"""V2 webhooks in the public dialect (LeadTruffle): list, create, update, delete."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict, get_args

from pydantic import Field, StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import Url, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import WebhookLimitReached
from leadwire.webhooks import service
from leadwire.webhooks.changes import Changes
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created

from . import errors, shapes
from .faces import FACE_V2

Secret = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, Field(repr=False)]
Count = Annotated[int, Field(ge=0)]
EventType = Literal["CONVERSATION_COMPLETED", "MESSAGE_REPLY", "LEAD_CREATED"]


class CreateWebhook(Body):
    """`POST /api/v2/pub/webhooks`. Without a secret one is made, and shown in this answer only."""

    eventType: EventType
    url: Url
    secret: Secret = None


class UpdateWebhook(Body):
    """`PATCH` and `PUT /api/v2/pub/webhooks/{id}`: both change only what is sent."""

    eventType: EventType | None = None
    url: Url | None = None
    secret: Secret = None
    enabled: bool | None = None
    clearErrors: bool = False


class WebhookObject(TypedDict):
    """A webhook as V2 shows it."""

    id: Annotated[str, published(format="uuid")]
    eventType: Annotated[str, published(enum=list(get_args(EventType)))]
    url: str
    enabled: bool
    hasSecret: bool
    successCount: Count
    failureCount: Count
    consecutiveFailures: Count
    lastTriggeredAt: shapes.Time | None
    lastSuccessAt: shapes.Time | None
    lastFailureAt: shapes.Time | None
    lastError: str | None
    createdAt: shapes.Time
    updatedAt: shapes.Time


class NewWebhook(WebhookObject):
    secret: shapes.Secret


class Deleted(TypedDict):
    success: Literal[True]
    message: Literal["Webhook deleted successfully"]


def every(ctx: Ctx, _request: Request) -> list[Webhook]:
    return service.every(ctx, FACE_V2)


def show_all(_tenant: Tenant, webhooks: list[Webhook]) -> Reply[Success[list[WebhookObject]]]:
    return Reply(200, {"success": True, "data": [webhook(one) for one in webhooks]})


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateWebhook = request.body
    wanted = frozenset({str(body.eventType)})
    return service.create(ctx, FACE_V2, event_types=wanted, url=body.url, secret=body.secret or None)


def show_created(_tenant: Tenant, created: Created) -> Reply[Success[NewWebhook]]:
    return Reply(201, {"success": True, "data": {**webhook(created.webhook), "secret": created.secret}})


def update(ctx: Ctx, request: Request) -> Webhook:
    body: UpdateWebhook = request.body
    changes = Changes(
        event_types=frozenset({str(body.eventType)}) if body.eventType else None,
        url=body.url,
        enabled=body.enabled,
        secret=body.secret or None,
        clear_errors=body.clearErrors,
    )
    return service.update(ctx, FACE_V2, request.path["id"], changes)


def show(_tenant: Tenant, changed: Webhook) -> Reply[Success[WebhookObject]]:
    return Reply(200, {"success": True, "data": webhook(changed)})


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE_V2, request.path["id"])


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply[Deleted]:
    return Reply(200, {"success": True, "message": "Webhook deleted successfully"})


def webhook(webhook: Webhook) -> WebhookObject:
    return {
        "id": webhook.id,
        "eventType": next(iter(webhook.event_types)),
        "url": webhook.url,
        "enabled": webhook.enabled,
        "hasSecret": bool(webhook.secrets),
        "successCount": webhook.successes,
        "failureCount": webhook.failures,
        "consecutiveFailures": webhook.consecutive_failures,
        "lastTriggeredAt": _time(webhook.last_triggered_at),
        "lastSuccessAt": _time(webhook.last_success_at),
        "lastFailureAt": _time(webhook.last_failure_at),
        "lastError": webhook.last_error or None,
        "createdAt": iso(webhook.created_at),
        "updatedAt": iso(webhook.updated_at),
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


BASE = "/api/v2/pub/webhooks"
DIALECT = Dialect(
    name="public",
    routes=(
        Route(
            "GET",
            BASE,
            "read:webhooks",
            every,
            show_all,
            summary="List webhooks",
            answers={200: Success[list[WebhookObject]]},
        ),
        Route(
            "POST",
            BASE,
            "write:webhooks",
            create,
            show_created,
            body=CreateWebhook,
            seals=True,
            summary="Create a webhook",
            answers={201: Success[NewWebhook]},
            refuses=[WebhookLimitReached("At most 6 webhooks are allowed")],
        ),
        *(
            Route(
                method,
                BASE + "/{id}",
                "write:webhooks",
                update,
                show,
                body=UpdateWebhook,
                summary="Update a webhook",
                answers={200: Success[WebhookObject]},
            )
            for method in ("PATCH", "PUT")
        ),
        Route(
            "DELETE",
            BASE + "/{id}",
            "write:webhooks",
            delete,
            show_deleted,
            summary="Delete a webhook",
            answers={200: Deleted},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    key_header="x-api-key",
)
