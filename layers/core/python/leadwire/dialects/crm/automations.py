"""Automations in the crm dialect: a trigger, and conditions, actions and delays as its steps.

Here they are records, checked word by word; their runs are in runs.py.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from pydantic import Field

from leadwire import records
from leadwire.automations import schema, service
from leadwire.automations.service import AUTOMATIONS, MOST, STEPS, Automation
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Text
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import Conflict

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import CHANGES, GONE, NUMBERED, Number, One, Time, no_content, number, page, sent, times


def _trigger(shown: dict[str, Any]) -> None:
    shown.clear()
    shown |= schema.trigger()


def _step(shown: dict[str, Any]) -> None:
    shown.clear()
    shown |= schema.step()


type Trigger = Annotated[dict[str, Any], Field(json_schema_extra=_trigger)]
type Step = Annotated[dict[str, Any], Field(json_schema_extra=_step)]
"""The vocabulary reads both (automations/vocabulary.py); here they are any objects."""


class CreateAutomation(Body):
    """`POST /api/v1/automations`: `{type, config}` of the trigger, `{type, condition | action, config}` of a step."""

    name: FilledLine
    description: Text | None = None
    is_active: bool = True
    respect_business_hours: bool = False
    trigger: Trigger
    steps: Annotated[list[Step], Field(max_length=STEPS)] = Field(default_factory=list)


class UpdateAutomation(CreateAutomation):
    """`PUT` and `PATCH /api/v1/automations/{id}`: both change only what is sent."""

    model_config = CHANGES

    name: FilledLine = ""
    trigger: Trigger = Field(default_factory=dict)


class AutomationRecord(TypedDict):
    id: Number
    name: str
    description: str | None
    is_active: bool
    respect_business_hours: bool
    trigger: Trigger
    steps: Annotated[list[Step], Field(description="A secret is shown by its last four characters")]
    created_at: Time
    updated_at: Time


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


def show_page(_tenant: Tenant, page: Paged[Automation]) -> Reply[Page[AutomationRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, automation: Automation) -> Reply[One[AutomationRecord]]:
    return Reply(201, {"data": shape(automation)})


def show(_tenant: Tenant, automation: Automation) -> Reply[One[AutomationRecord]]:
    return Reply(200, {"data": shape(automation)})


def shape(automation: Automation) -> AutomationRecord:
    return {
        "id": automation.id,
        "name": automation.name,
        "description": automation.description or None,
        "is_active": automation.is_active,
        "respect_business_hours": automation.business_hours,
        "trigger": dict(automation.trigger),
        "steps": [service.shown(step) for step in automation.steps],
        **times(automation),
    }


BASE = "/api/v1/automations"
ITEM = BASE + "/{id}"
READ, WRITE, DELETE = "read:automations", "write:automations", "delete:automations"
LISTED, MADE, SHOWN = {200: Page[AutomationRecord]}, {201: One[AutomationRecord]}, {200: One[AutomationRecord]}
FULL = (Conflict(f"At most {MOST} automations are allowed"),)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List automations", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateAutomation,
            summary="Create an automation", answers=MADE, refuses=FULL,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get an automation", answers=SHOWN),
        Route("PUT", ITEM, WRITE, update, show, body=UpdateAutomation, summary="Change an automation", answers=SHOWN),
        Route("PATCH", ITEM, WRITE, update, show, body=UpdateAutomation, summary="Change an automation", answers=SHOWN),
        Route("DELETE", ITEM, DELETE, delete, no_content, summary="Delete an automation", answers=GONE),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
