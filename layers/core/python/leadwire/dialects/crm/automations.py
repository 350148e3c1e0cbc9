"""Automations in the crm dialect: stored and checked; what they do is not the dialect's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadwire import records
from leadwire.automations import service
from leadwire.automations.service import AUTOMATIONS, STEPS, Automation
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Text
from leadwire.edge.types import Body, Dialect, Reply, Request, Route

from . import errors, paging
from .paging import Paged, PageQuery
from .parts import no_content, number, page, sent, times

Steps = Annotated[list[dict[str, Any]], Field(max_length=STEPS)]


class CreateAutomation(Body):
    """`POST /api/v1/automations`: `{type, config}` of the trigger, `{type, condition | action, config}` of a step."""

    name: FilledLine
    description: Text | None = None
    is_active: bool = True
    respect_business_hours: bool = False
    trigger: dict[str, Any]
    steps: Steps = Field(default_factory=list)


class UpdateAutomation(CreateAutomation):
    """`PUT` and `PATCH /api/v1/automations/{id}`: both change only what is sent."""

    name: FilledLine = ""
    trigger: dict[str, Any] = Field(default_factory=dict)


def every(ctx: Ctx, request: Request) -> Paged[Automation]:
    return page(request, records.every(ctx, AUTOMATIONS))


def create(ctx: Ctx, request: Request) -> Automation:
    return service.create(ctx, Automation(**_values(request.body)))


def get(ctx: Ctx, request: Request) -> Automation:
    return records.find(ctx, AUTOMATIONS, number(request.path["id"]))


def update(ctx: Ctx, request: Request) -> Automation:
    return service.update(ctx, number(request.path["id"]), _values(request.body))


def delete(ctx: Ctx, request: Request) -> Automation:
    return service.delete(ctx, number(request.path["id"]))


def _values(body: CreateAutomation) -> dict[str, Any]:
    values = sent(body)
    if "respect_business_hours" in values:
        values["business_hours"] = values.pop("respect_business_hours")
    if "description" in values:
        values["description"] = values["description"] or ""
    return values


def show_page(_tenant: Tenant, page: Paged[Automation]) -> Reply:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, automation: Automation) -> Reply:
    return Reply(201, {"data": shape(automation)})


def show(_tenant: Tenant, automation: Automation) -> Reply:
    return Reply(200, {"data": shape(automation)})


def shape(automation: Automation) -> dict[str, Any]:
    return {
        "id": automation.id,
        "name": automation.name,
        "description": automation.description or None,
        "is_active": automation.is_active,
        "respect_business_hours": automation.business_hours,
        "trigger": automation.trigger,
        "steps": [service.shown(step) for step in automation.steps],
        **times(automation),
    }


BASE = "/api/v1/automations"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, "read:automations", every, show_page, query=PageQuery),
        Route("POST", BASE, "write:automations", create, show_created, body=CreateAutomation),
        Route("GET", BASE + "/{id}", "read:automations", get, show),
        Route("PUT", BASE + "/{id}", "write:automations", update, show, body=UpdateAutomation),
        Route("PATCH", BASE + "/{id}", "write:automations", update, show, body=UpdateAutomation),
        Route("DELETE", BASE + "/{id}", "delete:automations", delete, no_content),
    ),
    render_error=errors.render,
)
