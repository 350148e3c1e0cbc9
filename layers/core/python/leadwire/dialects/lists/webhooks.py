"""Webhook subscriptions in the lists dialect (TopCalls): list, create, get, delete."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.webhooks import service
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created

from . import errors
from .faces import FACE

MOST_FILTERS, MOST_VALUES = 20, 50
LONGEST = 200
_FIELD = re.compile(r"[A-Za-z0-9_.\- ]{1,100}")

type Value = str | int | float | bool


def _filters(filters: dict[str, Value | list[Value]]) -> dict[str, list[str]]:
    """As the engine takes them: each field with its alternatives, as text."""
    if len(filters) > MOST_FILTERS:
        raise ValueError(f"must not have more than {MOST_FILTERS} fields")
    return {name: _patterns(name, wanted) for name, wanted in filters.items()}


def _patterns(name: str, wanted: Value | list[Value]) -> list[str]:
    if not _FIELD.fullmatch(name):
        raise ValueError("has a field name that no payload has")
    values = wanted if isinstance(wanted, list) else [wanted]
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    if not 1 <= len(texts) <= MOST_VALUES or any(len(text) > LONGEST for text in texts):
        raise ValueError(f"must have 1 to {MOST_VALUES} values of at most {LONGEST} characters for each field")
    return texts


class CreateSubscription(Body):
    """`POST /v1/webhooks`. A filter is a value, a list of alternatives, or text with `%` for anything."""

    event: Literal["lead.status_changed", "lead.created", "lead.updated", "lead.deleted"]
    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    filters: Annotated[dict[str, Value | list[Value]], AfterValidator(_filters)] = Field(default_factory=dict)


def every(ctx: Ctx, _request: Request) -> list[Webhook]:
    return service.every(ctx, FACE)


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateSubscription = request.body
    filters: Any = body.filters
    return service.create(ctx, FACE, event_types=frozenset({body.event}), url=body.url, filters=filters)


def get(ctx: Ctx, request: Request) -> Webhook:
    return service.get(ctx, FACE, request.path["id"])


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE, request.path["id"])


def show_all(tenant: Tenant, webhooks: list[Webhook]) -> Reply:
    return Reply(200, {"items": [shape(tenant, one) for one in webhooks], "has_more": False, "next_cursor": None})


def show_created(tenant: Tenant, created: Created) -> Reply:
    """The published object has no secret; ours shows it this once, since every delivery is signed."""
    return Reply(201, {**shape(tenant, created.webhook), "secret": created.secret})


def show(tenant: Tenant, webhook: Webhook) -> Reply:
    return Reply(200, shape(tenant, webhook))


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply:
    return Reply(204)


def shape(tenant: Tenant, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "account_id": str(ids.account_uuid(tenant.id)),
        "event": next(iter(webhook.event_types)),
        "url": webhook.url,
        "filters": {name: values[0] if len(values) == 1 else list(values) for name, values in webhook.filters.items()},
        "enabled": webhook.enabled,
        "disabled_because": webhook.disabled_because or None,
        "deleted_at": None,
        "created_by_api_key_id": webhook.created_by,
        "created_at": iso(webhook.created_at),
    }


BASE = "/v1/webhooks"
DIALECT = Dialect(
    name="lists",
    routes=(
        Route("GET", BASE, "read:webhooks", every, show_all),
        Route("POST", BASE, "write:webhooks", create, show_created, body=CreateSubscription, seals=True),
        Route("GET", BASE + "/{id}", "read:webhooks", get, show),
        Route("DELETE", BASE + "/{id}", "write:webhooks", delete, show_deleted),
    ),
    render_error=errors.render,
)
