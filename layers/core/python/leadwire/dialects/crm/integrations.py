"""Integrations in the crm dialect: stored and checked; secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, TypedDict

from pydantic import ConfigDict, Field

from leadwire import records
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Line, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.integrations import service
from leadwire.integrations.service import INTEGRATIONS, Integration
from leadwire.integrations.types import SETTINGS, TYPES, IntegrationType

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import CHANGES, GONE, NUMBERED, Number, One, Time, no_content, number, page, sent, time, times


def _by_type(shown: dict[str, Any]) -> None:
    """What the config is made of follows from the type: one closed object for each."""
    properties = shown.pop("properties")
    required = shown.pop("required")
    shown["oneOf"] = [
        {
            "type": "object",
            "properties": {**properties, "type": {"const": one.key}, "config": one.schema()},
            "required": [*required, *(["config"] if one.schema()["required"] else [])],
            "additionalProperties": False,
        }
        for one in TYPES.values()
    ]
    shown.pop("additionalProperties")


Type = Annotated[str, published(enum=[*TYPES])]
NAMES = {"enum": sorted({name for one in TYPES.values() for name in one.settings})}
ANY_SETTING = {"anyOf": [*SETTINGS.values(), {"type": "null", "description": "Removes it"}]}


class CreateIntegration(Body):
    """`POST /api/v1/integrations`."""

    model_config = ConfigDict(json_schema_extra=_by_type)

    type: Annotated[Line, published(enum=[*TYPES])]
    name: FilledLine
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    is_active: bool = True


class UpdateIntegration(Body):
    """`PUT` and `PATCH /api/v1/integrations/{id}`: both change only what is sent, within the config too."""

    model_config = CHANGES

    name: FilledLine = ""
    config: Annotated[dict[str, Any], published(propertyNames=NAMES, additionalProperties=ANY_SETTING)] = Field(
        default_factory=dict, repr=False
    )
    is_active: bool = True


class TypeRecord(TypedDict):
    key: Type
    name: str
    direction: Annotated[str, published(enum=["in", "out", "both"])]
    category: str
    config_schema: Annotated[dict[str, Any], Field(description="JSON Schema 2020-12 of the config")]
    secret_fields: list[str]
    inbound_url: str | None


class Types(TypedDict):
    data: list[TypeRecord]


class IntegrationRecord(TypedDict):
    id: Number
    type: Type
    name: str
    config: Annotated[
        Mapping[str, str | dict[str, str] | list[str]],
        Field(description="Secrets are shown by their last four characters"),
    ]
    is_active: bool
    inbound_url: Annotated[str | None, Field(description="What to paste at a provider that calls")]
    last_activity_at: Time | None
    last_error: str | None
    created_at: Time
    updated_at: Time


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


def show_types(_tenant: Tenant, types: list[IntegrationType]) -> Reply[Types]:
    return Reply(200, {"data": [type_shape(one) for one in types]})


def show_page(tenant: Tenant, page: Paged[Integration]) -> Reply[Page[IntegrationRecord]]:
    return paging.show(page, partial(shape, tenant))


def show_created(tenant: Tenant, integration: Integration) -> Reply[One[IntegrationRecord]]:
    return Reply(201, {"data": shape(tenant, integration)})


def show(tenant: Tenant, integration: Integration) -> Reply[One[IntegrationRecord]]:
    return Reply(200, {"data": shape(tenant, integration)})


def type_shape(one: IntegrationType) -> TypeRecord:
    return {
        "key": one.key,
        "name": one.name,
        "direction": one.direction,
        "category": one.category,
        "config_schema": one.schema(),
        "secret_fields": one.secrets,
        "inbound_url": "/hooks/{tenant}/{integration_id}/{token}" if one.takes_in else None,
    }


def shape(tenant: Tenant, integration: Integration) -> IntegrationRecord:
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
ITEM = BASE + "/{id}"
READ, WRITE = "read:integrations", "write:integrations"
LISTED, MADE, SHOWN = {200: Page[IntegrationRecord]}, {201: One[IntegrationRecord]}, {200: One[IntegrationRecord]}
DIALECT = Dialect(
    name="crm",
    routes=(
        Route(
            "GET", BASE + "/types", READ, every_type, show_types,
            summary="List types of integrations", answers={200: Types},
        ),
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List integrations", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateIntegration,
            summary="Create an integration", answers=MADE,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get an integration", answers=SHOWN),
        Route("PUT", ITEM, WRITE, update, show, body=UpdateIntegration, summary="Change an integration", answers=SHOWN),
        Route(
            "PATCH", ITEM, WRITE, update, show, body=UpdateIntegration,
            summary="Change an integration", answers=SHOWN,
        ),
        Route("DELETE", ITEM, WRITE, delete, no_content, summary="Delete an integration", answers=GONE),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
