"""Chatbots in the chatbot dialect (decisions.md, chatbot): create, list, get, rename, delete."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, TypedDict

from leadwire import chatbots, ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.envelope import Success
from leadwire.dialects.fields import FilledLine, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import Conflict
from leadwire.named import Named
from leadwire.webhooks import service

from . import errors
from .faces import FACE
from .headers import limit_headers
from .shapes import Time, WorkspaceId


class ChatbotBody(Body):
    name: FilledLine


def create(ctx: Ctx, request: Request) -> Named:
    return chatbots.create(ctx, request.body.name)


def every(ctx: Ctx, _request: Request) -> list[Named]:
    return chatbots.every(ctx)


def get(ctx: Ctx, request: Request) -> Named:
    return chatbots.get(ctx, request.path["id"])


def rename(ctx: Ctx, request: Request) -> Named:
    return chatbots.rename(ctx, request.path["id"], request.body.name, lambda record: record)


def delete(ctx: Ctx, request: Request) -> str:
    """With its webhooks."""
    chatbot = request.path["id"]
    return service.delete_scope(ctx, FACE, chatbot, partial(chatbots.delete, ctx, chatbot))


ChatbotId = Annotated[str, published(pattern="^(default|cb_[0-9a-f]{16})$")]


class Chatbot(TypedDict):
    id: ChatbotId
    name: str
    createdAt: Time
    updatedAt: Time
    workspaceId: WorkspaceId


class Chatbots(TypedDict):
    chatbots: list[Chatbot]


class GoneChatbot(TypedDict):
    id: ChatbotId


class DeletedChatbot(TypedDict):
    success: Literal[True]
    data: GoneChatbot
    message: Literal["Chatbot deleted successfully"]


def show_created(tenant: Tenant, record: Named) -> Reply[Success[Chatbot]]:
    return Reply(201, {"success": True, "data": _shape(tenant, record)})


def show_all(tenant: Tenant, records: list[Named]) -> Reply[Success[Chatbots]]:
    return Reply(200, {"success": True, "data": {"chatbots": [_shape(tenant, one) for one in records]}})


def show(tenant: Tenant, record: Named) -> Reply[Success[Chatbot]]:
    return Reply(200, {"success": True, "data": _shape(tenant, record)})


def show_deleted(_tenant: Tenant, chatbot_id: str) -> Reply[DeletedChatbot]:
    return Reply(200, {"success": True, "message": "Chatbot deleted successfully", "data": {"id": chatbot_id}})


def _shape(tenant: Tenant, record: Named) -> Chatbot:
    return {
        "id": record.id,
        "name": record.name,
        "createdAt": iso(record.created_at, "milliseconds"),
        "updatedAt": iso(record.updated_at, "milliseconds"),
        "workspaceId": ids.workspace_id(tenant.id),
    }


BASE = "/api/v1/chatbots"
READ, WRITE = "read:chatbots", "write:chatbots"
ONE = {200: Success[Chatbot]}
DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route("GET", BASE, READ, every, show_all, summary="List chatbots", answers={200: Success[Chatbots]}),
        Route(
            "POST",
            BASE,
            WRITE,
            create,
            show_created,
            body=ChatbotBody,
            summary="Create a chatbot",
            answers={201: Success[Chatbot]},
        ),
        Route("GET", BASE + "/{id}", READ, get, show, summary="Get a chatbot", answers=ONE),
        Route("PATCH", BASE + "/{id}", WRITE, rename, show, body=ChatbotBody, summary="Rename a chatbot", answers=ONE),
        Route(
            "DELETE",
            BASE + "/{id}",
            "delete:chatbots",
            delete,
            show_deleted,
            summary="Delete a chatbot; its leads stay",
            answers={200: DeletedChatbot},
            refuses=[Conflict("The default chatbot cannot be deleted: the paths without a chatbot mean it")],
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
    limit_headers=limit_headers,
)
