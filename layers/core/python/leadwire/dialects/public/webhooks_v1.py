"""V1 webhooks in the public dialect (LeadTruffle): two lists of URLs, one for each way in which a lead comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, TypedDict

from pydantic import StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import Url
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput, NotFound, WebhookLimitReached
from leadwire.webhooks import service
from leadwire.webhooks.model import Face, Webhook
from leadwire.webhooks.service import Created

from . import errors, shapes
from .faces import CONVERSATION_COMPLETED, FACE_V1_CHAT_WIDGET, FACE_V1_MISSED_CALL

KnownUrl = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""The URL of a webhook that is there; another one is not found, whatever it looks like."""


class AddWebhook(Body):
    """`POST /api/v1/pub/webhooks/missed-call` and `…/chat-widget`."""

    url: Url


class RemoveWebhook(Body):
    """`DELETE` of the same paths: the URL in the body, or in the query."""

    url: KnownUrl | None = None


class RemoveQuery(QueryString):
    url: KnownUrl | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The endpoint, and its secret if it is new: adding a known URL changes nothing."""

    webhook: Webhook
    created: Created | None


@dataclass(frozen=True, slots=True)
class Both:
    missed_call: list[Webhook]
    chat_widget: list[Webhook]


def every(ctx: Ctx, _request: Request) -> Both:
    return Both(service.every(ctx, FACE_V1_MISSED_CALL), service.every(ctx, FACE_V1_CHAT_WIDGET))


def add(face: Face, ctx: Ctx, request: Request) -> Added:
    wanted = frozenset({CONVERSATION_COMPLETED})
    return _added(service.create_once(ctx.answering(_added), face, wanted, request.body.url))


def _added(found: Webhook | Created) -> Added:
    return Added(found.webhook, found) if isinstance(found, Created) else Added(found, None)


def remove(face: Face, ctx: Ctx, request: Request) -> Webhook:
    body: RemoveWebhook | None = request.body
    url = (body.url if body else None) or request.query.url
    if url is None:
        raise InvalidInput(FieldError("url", "is required", "missing"))
    return service.delete_url(ctx, face, url)


class WebhookV1(TypedDict):
    url: str
    createdAt: shapes.Time


class NewWebhookV1(WebhookV1):
    secret: shapes.Secret


class WebhooksV1(TypedDict):
    missedCall: list[WebhookV1]
    chatWidget: list[WebhookV1]


class Removed(TypedDict):
    success: Literal[True]
    message: Literal["Webhook removed successfully"]


def show_all(_tenant: Tenant, both: Both) -> Reply[Success[WebhooksV1]]:
    data: WebhooksV1 = {
        "missedCall": list(map(shape, both.missed_call)),
        "chatWidget": list(map(shape, both.chat_widget)),
    }
    return Reply(200, {"success": True, "data": data})


def show_added(_tenant: Tenant, added: Added) -> Reply[Success[WebhookV1] | Success[NewWebhookV1]]:
    """The secret is shown this once: every delivery is signed, also where this generation published no signature."""
    if added.created is None:
        return Reply(200, {"success": True, "data": shape(added.webhook)})
    data: NewWebhookV1 = {**shape(added.webhook), "secret": added.created.secret}
    return Reply(201, {"success": True, "data": data})


def show_removed(_tenant: Tenant, _webhook: Webhook) -> Reply[Removed]:
    return Reply(200, {"success": True, "message": "Webhook removed successfully"})


def shape(webhook: Webhook) -> WebhookV1:
    return {"url": webhook.url, "createdAt": iso(webhook.created_at)}


def _pair(path: str, face: Face, of: str) -> tuple[Route, Route]:
    return (
        Route(
            "POST",
            path,
            "write:webhooks",
            partial(add, face),
            show_added,
            body=AddWebhook,
            seals=True,
            summary=f"Add a webhook for leads of {of}",
            answers={200: Success[WebhookV1], 201: Success[NewWebhookV1]},
            refuses=[WebhookLimitReached(f"At most {face.limit} webhooks are allowed")],
        ),
        Route(
            "DELETE",
            path,
            "write:webhooks",
            partial(remove, face),
            show_removed,
            body=RemoveWebhook,
            query=RemoveQuery,
            summary=f"Remove a webhook for leads of {of}",
            answers={200: Removed},
            refuses=[NotFound("webhook")],
        ),
    )


BASE = "/api/v1/pub/webhooks"
DIALECT = Dialect(
    name="public",
    routes=(
        Route(
            "GET",
            BASE,
            "read:webhooks",
            every,
            show_all,
            summary="List webhooks of the first generation",
            answers={200: Success[WebhooksV1]},
        ),
        *_pair(BASE + "/missed-call", FACE_V1_MISSED_CALL, "missed calls"),
        *_pair(BASE + "/chat-widget", FACE_V1_CHAT_WIDGET, "the chat widget"),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    key_header="x-api-key",
)
