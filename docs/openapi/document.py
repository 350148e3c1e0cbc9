"""The OpenAPI document of one dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from leadwire import VERSION
from leadwire.edge.types import Dialect

from . import dialects, examples, health, links, operations, webhooks
from .operations import KEY, Served, Shared
from .schemas import Types

OPENAPI = "3.1.0"
TITLES = {
    "public": "Leadwire, public API (LeadTruffle)",
    "chatbot": "Leadwire, chatbot API (PollyBot)",
    "lists": "Leadwire, lists API (TopCalls)",
    "crm": "Leadwire, crm API (LeadHub)",
}
ABOUT = """\
One of the four APIs to the leads of a business: what comes in through one can be read through the others.

Bodies are JSON. Members that this document does not name are refused, and so are query parameters. A request with an \
`Idempotency-Key` has one effect and one answer, however often it is sent within 24 hours."""


def document(name: str) -> dict[str, Any]:
    served = [Served(module, dialect, route) for module, dialect in dialects.declared(name) for route in dialect.routes]
    types = Types()
    error = types.add(served[0].dialect.error_shape, "serialization")
    shared = Shared(types, error, _neighbours(name, {one.route.key for one in served}, types))
    for one in served:
        operations.declare(one, types)
    sent = webhooks.declared(name)
    for each in sent:
        types.add(each.shape, "serialization")
    schemas, components = types.schemas()
    paths = _paths(served, shared, schemas)
    links.add(paths, components)
    examples.add(name, paths, components)
    if name == health.DIALECT:
        paths, components = health.added(paths, components)
    return {
        "openapi": OPENAPI,
        "info": {"title": TITLES[name], "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": _tags(served),
        "paths": dict(sorted(paths.items())),
        "webhooks": webhooks.section(sent, types, schemas),
        "components": {
            "schemas": components,
            "responses": dict(sorted(shared.responses.items())),
            **_common(served[0].dialect),
        },
    }


def _neighbours(name: str, keys: AbstractSet[str], types: Types) -> dict[str, str]:
    """Routes that another dialect has too, and the place of its error's type: without a key either may answer (D13)."""
    return {
        route.key: types.add(dialect.error_shape, "serialization")
        for other in dialects.NAMES
        if other != name
        for _, dialect in dialects.declared(other)
        for route in dialect.routes
        if route.key in keys
    }


def _paths(served: Sequence[Served], shared: Shared, schemas: Mapping[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    ids = operations.ids(served)
    for one in served:
        made = operations.operation(one, ids[one.route.key], shared, schemas)
        paths.setdefault(one.route.path, {})[one.route.method.lower()] = made
    return paths


def _tags(served: Sequence[Served]) -> list[dict[str, str]]:
    modules = dict.fromkeys(one.module for one in served)
    return [{"name": operations.tag(module), "description": operations.about(module)} for module in modules]


def _common(dialect: Dialect) -> dict[str, Any]:
    headers = {**HEADERS, **(EXTRA_HEADERS if dialect.limit_headers else {})}
    return {
        "parameters": {"Idempotency-Key": IDEMPOTENCY_KEY},
        "headers": headers,
        "securitySchemes": {KEY: _security(dialect)},
    }


def _security(dialect: Dialect) -> dict[str, str]:
    """Where the key travels. The names in an operation's `security` are the scopes that the key must have (3.1)."""
    if dialect.key_header == "authorization":
        return {"type": "http", "scheme": "bearer"}
    return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


def _count(description: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string", "pattern": r"^\d+$"}}


HEADERS: Mapping[str, Any] = {
    "X-Request-Id": {
        "description": "Names this request, for questions about it",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": _count("Requests that the key may make in a window"),
    "X-RateLimit-Remaining": _count("Requests that are left in this window"),
    "X-RateLimit-Reset": _count("Epoch seconds at which the window ends"),
    "Retry-After": _count("Seconds to wait"),
    "Idempotency-Replayed": {
        "description": "The answer is the stored one of an earlier request with this Idempotency-Key",
        "schema": {"const": "true"},
    },
}
EXTRA_HEADERS: Mapping[str, Any] = {"X-RateLimit-Used": _count("Requests made in this window")}
IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes repeats harmless: the same key and request have one effect, and one answer for 24 hours",
    "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
}
