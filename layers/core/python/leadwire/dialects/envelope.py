"""The envelopes of the chatbot and the public dialect: `{"success": true, "data"}`, and for errors
`{"success": false, "error", "code", "details"}`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from leadwire.edge.types import Reply
from leadwire.errors import FieldError, InvalidInput, LeadwireError, NotFound, RateLimited, Unauthorized


class Success[Data](TypedDict):
    success: Literal[True]
    data: Data


class Failure[Details](TypedDict):
    success: Literal[False]
    error: Annotated[str, Field(description="A sentence for people.")]
    code: Annotated[str, Field(pattern="^[A-Z_]+$")]
    details: NotRequired[Details]
    retryAfter: NotRequired[Annotated[int, Field(ge=1, description="Seconds, with RATE_LIMIT_EXCEEDED.")]]


class Problem(TypedDict):
    """What is wrong with one field of the request."""

    field: Annotated[str, Field(description="Dotted: `metadata.a`. Empty if it is the whole body.")]
    value: Annotated[Any, Field(description="As sent, or the beginning of it.")]
    message: str


class Problems(Problem):
    """The first problem, and all of them."""

    errors: Annotated[list[Problem], Field(min_length=1)]


def refusal(error: LeadwireError) -> Reply[Failure[Problems]]:
    """Codes as the chatbot dialect publishes them; DUPLICATE_EMAIL has details of its own there."""
    body: Failure[Problems] = {"success": False, "error": error.message, "code": _code(error)}
    if isinstance(error, InvalidInput):
        first, *_ = errors = [_problem(one) for one in error.errors]
        body["error"] = "Validation failed"
        body["details"] = {**first, "errors": errors}
    if isinstance(error, RateLimited):
        body["retryAfter"] = error.retry_after
    return Reply(error.status, body)


def _problem(error: FieldError) -> Problem:
    return {"field": error.path, "value": error.value, "message": error.message[:1].upper() + error.message[1:]}


def _code(error: LeadwireError) -> str:
    if isinstance(error, InvalidInput):
        return "VALIDATION_ERROR"
    if isinstance(error, Unauthorized):
        return "MISSING_AUTH_HEADER" if error.missing else "INVALID_API_KEY"
    if isinstance(error, NotFound):
        return f"{error.kind.upper()}_NOT_FOUND"
    return "RATE_LIMIT_EXCEEDED" if isinstance(error, RateLimited) else error.code
