"""Errors of the crm dialect (contracts/crm.md): `{"status": "error", "message", "code", "errors"}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from leadwire.context import Tenant
from leadwire.dialects.fields import published
from leadwire.edge.types import Reply
from leadwire.errors import FieldError, InvalidInput, LeadwireError, NotFound, Unready

VALIDATION_FAILED = 422
CODES = (
    "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE",
    "VALIDATION_FAILED", "IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_KEY_IN_USE", "RATE_LIMITED", "SERVER_ERROR",
)  # fmt: skip

type ByField = dict[str, list[str]]
"""Sentences about each field, by its dotted name; `body` if it is the whole body."""


class Failure(TypedDict):
    status: Literal["error"]
    message: str
    code: Annotated[str, published(enum=[*CODES])]
    errors: NotRequired[ByField]


def render(_tenant: Tenant | None, error: LeadwireError, _request_id: str) -> Reply[Failure]:
    fields = problems(error)
    if fields:
        body = _body("The given data was invalid.", "VALIDATION_FAILED")
        body["errors"] = by_field(fields)
        return Reply(VALIDATION_FAILED, body)
    code = "SERVER_ERROR" if isinstance(error, Unready) else error.code
    return Reply(error.status, _body(error.message, code))


def by_field(problems: Sequence[FieldError]) -> ByField:
    """The sentences about each field."""
    errors: ByField = {}
    for problem in problems:
        errors.setdefault(problem.path or "body", []).append(_sentence(problem))
    return errors


def problems(error: LeadwireError) -> tuple[FieldError, ...]:
    """A record that the body names and that is not there is a wrong field (decisions.md, crm)."""
    if isinstance(error, InvalidInput):
        return error.errors
    if isinstance(error, NotFound) and error.field:
        return (FieldError(error.field, f"does not name a {error.kind}", "not_found"),)
    return ()


def _sentence(problem: FieldError) -> str:
    end = "" if problem.message.endswith("?") else "."
    return f"The {problem.path or 'body'} field {problem.message}{end}"


def _body(message: str, code: str) -> Failure:
    return {"status": "error", "message": message, "code": code}
