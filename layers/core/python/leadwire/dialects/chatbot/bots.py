"""Chatbots in the chatbot dialect (decisions.md, chatbot): create, list, get, rename, delete."""

from __future__ import annotations

from typing import Any

from leadwire import chatbots, ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.named import Named

from . import errors
from .headers import limit_headers


class ChatbotBody(Body):
    """`POST /api/v1/chatbots`, `PATCH /api/v1/chatbots/{id}`."""

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
    return chatbots.delete(ctx, request.path["id"])


def show_created(tenant: Tenant, record: Named) -> Reply:
    return Reply(201, {"success": True, "data": _shape(tenant, record)})


def show_all(tenant: Tenant, records: list[Named]) -> Reply:
    return Reply(200, {"success": True, "data": {"chatbots": [_shape(tenant, one) for one in records]}})


def show(tenant: Tenant, record: Named) -> Reply:
    return Reply(200, {"success": True, "data": _shape(tenant, record)})


def show_deleted(_tenant: Tenant, chatbot_id: str) -> Reply:
    return Reply(200, {"success": True, "message": "Chatbot deleted successfully", "data": {"id": chatbot_id}})


def _shape(tenant: Tenant, record: Named) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "createdAt": iso(record.created_at, "milliseconds"),
        "updatedAt": iso(record.updated_at, "milliseconds"),
        "workspaceId": ids.workspace_id(tenant.id),
    }


BASE = "/api/v1/chatbots"
DIALECT = Dialect(
    name="chatbot",
    routes=(
        Route("GET", BASE, "read:chatbots", every, show_all),
        Route("POST", BASE, "write:chatbots", create, show_created, body=ChatbotBody),
        Route("GET", BASE + "/{id}", "read:chatbots", get, show),
        Route("PATCH", BASE + "/{id}", "write:chatbots", rename, show, body=ChatbotBody),
        Route("DELETE", BASE + "/{id}", "delete:chatbots", delete, show_deleted),
    ),
    render_error=errors.render,
    limit_headers=limit_headers,
)
