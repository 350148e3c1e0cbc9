"""Errors as the documents show them: those that follow from a route's shape, and its own, in the dialect's words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from leadwire import errors
from leadwire.admission import Admission
from leadwire.context import Tenant
from leadwire.edge.http import UNSAFE
from leadwire.edge.types import KIB, Dialect, QueryString, Reply, Route
from leadwire.errors import FieldError, LeadwireError, NotFound

JSON = "application/json"
REQUEST_ID = "3f0c9a52-8f7e-4d0b-9c55-0d6a4d5f2e11"
TENANT = Tenant("0123456789abcdef", "acme", bytes(32))
ADMISSION = Admission("", "", TENANT, frozenset(), 0, 0, 0)
KEYLESS = (errors.Unauthorized.status, errors.Broken.status, errors.Unready.status)
"""What is answered so may have come before anybody knew whose key it is."""
ALWAYS: Sequence[LeadwireError] = (
    errors.Unauthorized("No API key was sent", missing=True),
    errors.Unauthorized("The API key is invalid, revoked or expired"),
    errors.Forbidden("The API key lacks the scope of this operation"),
    errors.RateLimited(42),
    errors.Broken("Something went wrong on our side"),
    errors.Unready("The store is busy; try again"),
)
WRITING: Sequence[LeadwireError] = (
    errors.IdempotencyInProgress("The first request with this Idempotency-Key is still running"),
    errors.IdempotencyMismatch("This Idempotency-Key was used with another request"),
)
BODIED: Sequence[LeadwireError] = (errors.UnsupportedMediaType("Send the body as application/json"),)
MISSING = errors.InvalidInput(FieldError("name", "is required", "missing"))
UNKNOWN = errors.InvalidInput(FieldError("colour", "is not a known field", "unknown_field", "blue"))
_NAMED = re.compile(r"/([a-z-]+)/\{\w+\}")
"""A resource and the parameter that names one record of it."""

type Example = tuple[LeadwireError, Reply]


def derived(route: Route) -> Iterator[LeadwireError]:
    """What any route of this shape can refuse."""
    yield from ALWAYS
    yield MISSING if route.body or _required(route.query) else UNKNOWN
    if route.method in UNSAFE:
        yield from (*WRITING, errors.TooLarge(f"The body is larger than {route.body_limit // KIB} KiB"))
    yield from BODIED if route.body else ()
    yield from (NotFound(singular(resource)) for resource in _NAMED.findall(route.path))


def responses(dialect: Dialect, route: Route, schema: Any) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Status, name (empty if only this route refuses so) and response. `schema` is the one of the error's body."""
    own: dict[int, list[Example]] = defaultdict(list)
    common: dict[int, list[Example]] = defaultdict(list)
    for found, refused in ((common, derived(route)), (own, iter(route.refuses))):
        for error in refused:
            reply = dialect.render_error(TENANT, error, REQUEST_ID)
            found[reply.status].append((error, reply))
    for status in sorted({*common, *own}):
        examples = [*common[status], *own[status]]
        name = "" if own[status] else "Or".join(dict.fromkeys(_name(error) for error, _ in examples))
        yield status, name, _response(status, examples, schema, _headers(dialect, status))


def limits(dialect: Dialect) -> Iterator[str]:
    """Names of the headers that say where the key's window stands: of every answer to a key that is good."""
    yield from ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    more: Callable[[Admission], Mapping[str, str]] | None = dialect.limit_headers
    yield from more(ADMISSION) if more else ()


def _headers(dialect: Dialect, status: int) -> Iterator[str]:
    if status not in KEYLESS:
        yield from limits(dialect)
    yield "X-Request-Id"
    if status == errors.RateLimited.status:
        yield "Retry-After"


def _response(status: int, examples: Sequence[Example], schema: Any, headers: Iterator[str]) -> dict[str, Any]:
    kind = next(iter(examples))[1].headers.get("content-type", JSON)
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {kind: {"schema": schema, "examples": _examples(examples)}},
    }


def _examples(examples: Sequence[Example]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for error, reply in examples:
        name = _name(error)
        used = sum(one.rstrip("0123456789") == name for one in found)
        found[f"{name}{used + 1}" if used else name] = {"summary": error.message, "value": reply.body}
    return found


def _name(error: LeadwireError) -> str:
    if error is UNKNOWN:
        return "UnknownParameter"
    return f"{error.kind.title().replace(' ', '')}NotFound" if isinstance(error, NotFound) else type(error).__name__


def _required(query: type[QueryString]) -> bool:
    return any(field.is_required() for field in query.model_fields.values())


def singular(resource: str) -> str:
    """The record that a path's resource holds: `webhook-deliveries` is delivery."""
    word = resource.rpartition("-")[2]
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
