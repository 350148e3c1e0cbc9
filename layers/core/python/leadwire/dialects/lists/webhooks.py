"""Webhook subscriptions in the lists dialect (TopCalls): list, create, get, delete."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypedDict, cast

from pydantic import AfterValidator, Field, SkipValidation, StringConstraints

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import Url, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import WebhookLimitReached
from leadwire.webhooks import service
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created

from . import errors
from .faces import FACE
from .shapes import Id, Time, id_in

MOST_FILTERS, MOST_VALUES = 20, 50
LONGEST = 200
FIELD = "^[A-Za-z0-9_. -]{1,100}$"

type Value = Annotated[str, published(maxLength=LONGEST)] | int | float | bool
type Values = Annotated[list[Value], published(minItems=1, maxItems=MOST_VALUES)]


def _filters(filters: dict[str, Any]) -> dict[str, list[str]]:
    """As the engine takes them: each field with its alternatives, as text."""
    if len(filters) > MOST_FILTERS:
        raise ValueError(f"must not have more than {MOST_FILTERS} fields")
    return {name: _patterns(name, wanted) for name, wanted in filters.items()}


def _patterns(name: str, wanted: Any) -> list[str]:
    if not re.fullmatch(FIELD, name):
        raise ValueError("has a field name that no payload has")
    values = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(value, str | int | float) for value in values):
        raise ValueError("must have a text, a number, true or false, or a list of these, for each field")
    texts = [_text(value) for value in values]
    if not 1 <= len(texts) <= MOST_VALUES or any(len(text) > LONGEST for text in texts):
        raise ValueError(f"must have 1 to {MOST_VALUES} values of at most {LONGEST} characters for each field")
    return texts


def _text(value: str | float) -> str:
    """As payloads spell it: `3.0` is the number 3."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


Filters = Annotated[
    dict[Annotated[str, StringConstraints(strip_whitespace=False)], SkipValidation[Value | Values]],
    AfterValidator(_filters),
    published(maxProperties=MOST_FILTERS, propertyNames={"pattern": FIELD}),
]
"""What each field is to be is checked by `_filters`: of a union, errors would name each member."""
EventType = Literal["lead.status_changed", "lead.created", "lead.updated", "lead.deleted"]


class CreateSubscription(Body):
    """A filter is a value, a list of alternatives, or text with `%` for anything; fields are those of the lead."""

    event: EventType
    url: Url
    filters: Filters = Field(default_factory=dict)


def every(ctx: Ctx, _request: Request) -> list[Webhook]:
    return service.every(ctx, FACE)


def create(ctx: Ctx, request: Request) -> Created:
    body: CreateSubscription = request.body
    filters: Any = body.filters
    return service.create(ctx, FACE, event_types=frozenset({body.event}), url=body.url, filters=filters)


def get(ctx: Ctx, request: Request) -> Webhook:
    return service.get(ctx, FACE, id_in(request))


def delete(ctx: Ctx, request: Request) -> Webhook:
    return service.delete(ctx, FACE, id_in(request))


class Subscription(TypedDict):
    """The object as published, and why it sends nothing."""

    id: Id
    account_id: Id
    event: EventType
    url: str
    filters: dict[str, str | list[str]]
    enabled: bool
    disabled_because: Annotated[
        str | None, Field(description="owner, receiver (it answered 410 or asked for it) or failing.")
    ]
    deleted_at: None
    created_by_api_key_id: str
    created_at: Time


class SecretSubscription(Subscription):
    secret: Annotated[str, published(pattern="^whsec_[A-Za-z0-9+/]+=*$")]


class Subscriptions(TypedDict):
    items: list[Subscription]
    has_more: Literal[False]
    next_cursor: None


def show_all(tenant: Tenant, webhooks: list[Webhook]) -> Reply[Subscriptions]:
    return Reply(200, {"items": [shape(tenant, one) for one in webhooks], "has_more": False, "next_cursor": None})


def show_created(tenant: Tenant, created: Created) -> Reply[SecretSubscription]:
    """The published object has no secret; ours shows it this once, since every delivery is signed."""
    return Reply(201, {**shape(tenant, created.webhook), "secret": created.secret})


def show(tenant: Tenant, webhook: Webhook) -> Reply[Subscription]:
    return Reply(200, shape(tenant, webhook))


def show_deleted(_tenant: Tenant, _webhook: Webhook) -> Reply[None]:
    return Reply(204)


def shape(tenant: Tenant, webhook: Webhook) -> Subscription:
    return {
        "id": webhook.id,
        "account_id": str(ids.account_uuid(tenant.id)),
        "event": cast(EventType, next(iter(webhook.event_types))),
        "url": webhook.url,
        "filters": {name: values[0] if len(values) == 1 else list(values) for name, values in webhook.filters.items()},
        "enabled": webhook.enabled,
        "disabled_because": webhook.disabled_because or None,
        "deleted_at": None,
        "created_by_api_key_id": webhook.created_by,
        "created_at": iso(webhook.created_at),
    }


ALL, ONE = "/v1/webhooks", "/v1/webhooks/{id}"
READ, WRITE = "read:webhooks", "write:webhooks"
DIALECT = Dialect(
    name="lists",
    routes=(
        Route("GET", ALL, READ, every, show_all, summary="List webhooks", answers={200: Subscriptions}),
        Route(
            "POST",
            ALL,
            WRITE,
            create,
            show_created,
            body=CreateSubscription,
            seals=True,
            summary="Create a webhook",
            answers={201: SecretSubscription},
            refuses=[WebhookLimitReached(f"At most {FACE.limit} webhooks are allowed")],
        ),
        Route("GET", ONE, READ, get, show, summary="Get a webhook", answers={200: Subscription}),
        Route("DELETE", ONE, WRITE, delete, show_deleted, summary="Delete a webhook", answers={204: None}),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
)
