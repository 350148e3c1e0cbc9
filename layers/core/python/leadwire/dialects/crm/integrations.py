"""Integrations in the crm dialect: stored and checked; secrets go in and never come out."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from leadwire import records
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Line
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.integrations import service
from leadwire.integrations.service import INTEGRATIONS, Integration
from leadwire.integrations.types import TYPES, IntegrationType

from . import errors, paging
from .paging import Paged, PageQuery
from .parts import no_content, number, page, sent, time, times


class CreateIntegration(Body):
    """`POST /api/v1/integrations`."""

    type: Line
    name: FilledLine
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    is_active: bool = True


class UpdateIntegration(Body):
    """`PUT` and `PATCH /api/v1/integrations/{id}`: both change only what is sent, within the config too."""

    name: FilledLine = ""
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    is_active: bool = True


def every_type(_ctx: Ctx, _request: Request) -> list[IntegrationType]:
    return [*TYPES.values()]


def every(ctx: Ctx, request: Request) -> Paged[Integration]:
    return page(request, records.every(ctx, INTEGRATIONS))


def create(ctx: Ctx, request: Request) -> Integration:
    return service.create(ctx, Integration(**sent(request.body)))


def get(ctx: Ctx, request: Request) -> Integration:
    return records.find(ctx, INTEGRATIONS, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> Integration:
    return service.update(ctx, number(request.path["id"]), sent(request.body))


def delete(ctx: Ctx, request: Request) -> Integration:
    return service.delete(ctx, number(request.path["id"]))


def show_types(_tenant: Tenant, types: list[IntegrationType]) -> Reply:
    return Reply(200, {"data": [type_shape(one) for one in types]})


def show_page(tenant: Tenant, page: Paged[Integration]) -> Reply:
    return paging.show(page, partial(shape, tenant))


def show_created(tenant: Tenant, integration: Integration) -> Reply:
    return Reply(201, {"data": shape(tenant, integration)})


def show(tenant: Tenant, integration: Integration) -> Reply:
    return Reply(200, {"data": shape(tenant, integration)})


def type_shape(one: IntegrationType) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "direction": one.direction,
        "category": one.category,
        "config_schema": one.schema(),
        "secret_fields": one.secrets,
        "inbound_url": "/hooks/{tenant}/{integration_id}/{token}" if one.takes_in else None,
    }


def shape(tenant: Tenant, integration: Integration) -> dict[str, Any]:
    active = integration.last_activity_at
    return {
        "id": integration.id,
        "type": integration.type,
        "name": integration.name,
        "config": integration.config,
        "is_active": integration.is_active,
        "inbound_url": service.inbound_path(tenant.slug, integration),
        "last_activity_at": None if active is None else time(active),
        "last_error": integration.last_error or None,
        **times(integration),
    }


BASE = "/api/v1/integrations"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE + "/types", "read:integrations", every_type, show_types),
        Route("GET", BASE, "read:integrations", every, show_page, query=PageQuery),
        Route("POST", BASE, "write:integrations", create, show_created, body=CreateIntegration),
        Route("GET", BASE + "/{id}", "read:integrations", get, show),
        Route("PUT", BASE + "/{id}", "write:integrations", update, show, body=UpdateIntegration),
        Route("PATCH", BASE + "/{id}", "write:integrations", update, show, body=UpdateIntegration),
        Route("DELETE", BASE + "/{id}", "write:integrations", delete, no_content),
    ),
    render_error=errors.render,
)
