"""V2 webhooks in the public dialect (LeadTruffle): list, create, update, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.webhooks import service
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Changes, Created

from . import errors
from .faces import FACE_V2

Url = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Secret = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, Field(repr=False)]
EventType = Literal["CONVERSATION_COMPLETED", "MESSAGE_REPLY", "LEAD_CREATED"]


class CreateWebhook(Body):
    """`POST /api/v2/pub/webhooks`. Without a secret one is made, and shown in this answer only."""

    eventType: EventType  # noqa: N815  # the published spelling
    url: Url
    secret: Secret = None


class UpdateWebhook(Body):
    """`PATCH` and `PUT /api/v2/pub/webhooks/{id}`: both change only what is sent."""

    eventType: EventType | None = None  # noqa: N815
    url: Url | None = None
    secret: Secret = None
    enabled: bool | None = None
    clearErrors: bool = False  # noqa: N815


def every(ctx: Ctx, _request: Request) -> list[Webhook]:
    return service.every(ctx, FACE_V2)


def show_all(_tenant: Tenant, webhooks: list[Webhook]) -> Reply:
    return Reply(200, {"success": True, "data": [webhook(one) for one in webhooks]})


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateWebhook = request.body
    wanted = frozenset({str(body.eventType)})
    return service.create(ctx, FACE_V2, event_types=wanted, url=body.url, secret=body.secret or None)


def show_created(_tenant: Tenant, created: Created) -> Reply:
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


def show(_tenant: Tenant, changed: Webhook) -> Reply:
    return Reply(200, {"success": True, "data": webhook(changed)})


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE_V2, request.path["id"])


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply:
    return Reply(200, {"success": True, "message": "Webhook deleted successfully"})


def webhook(webhook: Webhook) -> dict[str, Any]:
    """The V2 object (decisions.md, public)."""
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
        Route("GET", BASE, "read:webhooks", every, show_all),
        Route("POST", BASE, "write:webhooks", create, show_created, body=CreateWebhook, seals=True),
        Route("PATCH", BASE + "/{id}", "write:webhooks", update, show, body=UpdateWebhook),
        Route("PUT", BASE + "/{id}", "write:webhooks", update, show, body=UpdateWebhook),
        Route("DELETE", BASE + "/{id}", "write:webhooks", delete, show_deleted),
    ),
    render_error=errors.render,
    key_header="x-api-key",
)
