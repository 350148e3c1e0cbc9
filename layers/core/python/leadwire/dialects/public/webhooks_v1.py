"""V1 webhooks in the public dialect (LeadTruffle): two lists of URLs, one for each way in which a lead comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.webhooks import service
from leadwire.webhooks.model import Face, Webhook
from leadwire.webhooks.service import Created

from . import errors
from .faces import CONVERSATION_COMPLETED, FACE_V1_CHAT_WIDGET, FACE_V1_MISSED_CALL

Url = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class AddWebhook(Body):
    """`POST /api/v1/pub/webhooks/missed-call` and `…/chat-widget`."""

    url: Url


class RemoveWebhook(Body):
    """`DELETE` of the same paths: the URL in the body, or in the query."""

    url: Url | None = None


class RemoveQuery(QueryString):
    url: Url | None = None


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
    url: str = request.body.url
    for webhook in service.every(ctx, face):
        if webhook.url == url:
            return Added(webhook, None)
    made = service.create(ctx, face, event_types=frozenset({CONVERSATION_COMPLETED}), url=url)
    return Added(made.webhook, made)


def remove(face: Face, ctx: Ctx, request: Request) -> Webhook:
    body: RemoveWebhook | None = request.body
    url = (body.url if body else None) or request.query.url
    if url is None:
        raise InvalidInput(FieldError("url", "is required", "missing"))
    return service.delete_url(ctx, face, url)


def show_all(_tenant: Tenant, both: Both) -> Reply:
    data = {"missedCall": list(map(shape, both.missed_call)), "chatWidget": list(map(shape, both.chat_widget))}
    return Reply(200, {"success": True, "data": data})


def show_added(_tenant: Tenant, added: Added) -> Reply:
    """The secret is shown this once: every delivery is signed, also where this generation published no signature."""
    if added.created is None:
        return Reply(200, {"success": True, "data": shape(added.webhook)})
    return Reply(201, {"success": True, "data": {**shape(added.webhook), "secret": added.created.secret}})


def show_removed(_tenant: Tenant, _webhook: Webhook) -> Reply:
    return Reply(200, {"success": True, "message": "Webhook removed successfully"})


def shape(webhook: Webhook) -> dict[str, Any]:
    return {"url": webhook.url, "createdAt": iso(webhook.created_at)}


def _pair(path: str, face: Face) -> tuple[Route, Route]:
    adding, removing = partial(add, face), partial(remove, face)
    return (
        Route("POST", path, "write:webhooks", adding, show_added, body=AddWebhook, seals=True),
        Route("DELETE", path, "write:webhooks", removing, show_removed, body=RemoveWebhook, query=RemoveQuery),
    )


BASE = "/api/v1/pub/webhooks"
DIALECT = Dialect(
    name="public",
    routes=(
        Route("GET", BASE, "read:webhooks", every, show_all),
        *_pair(BASE + "/missed-call", FACE_V1_MISSED_CALL),
        *_pair(BASE + "/chat-widget", FACE_V1_CHAT_WIDGET),
    ),
    render_error=errors.render,
    key_header="x-api-key",
)
