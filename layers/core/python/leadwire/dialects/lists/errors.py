"""Errors of the lists dialect: problem details (RFC 9457) with the published extra members."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, NotRequired, TypedDict

from pydantic import Field

from leadwire.context import Tenant
from leadwire.dialects.fields import published
from leadwire.edge.types import Reply
from leadwire.errors import DuplicatePhone, FieldError, InvalidInput, LeadwireError, NotFound

TYPE = "https://api.leadwire.dev/errors/"
MEDIA_TYPE = {"content-type": "application/problem+json"}


class Problem(TypedDict):
    """What is wrong with one field of the request."""

    path: Annotated[str, Field(description="Dotted: `metadata.a`, `ids.3`. Empty if it is the whole body.")]
    message: str
    code: str


class Refusal(TypedDict):
    """Problem details (RFC 9457)."""

    type: Annotated[str, published(format="uri")]
    title: Annotated[str, Field(description="The phrase of the status.")]
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(description="The request's id, as in `X-Request-Id`.")]
    errors: NotRequired[Annotated[list[Problem], Field(min_length=1)]]


def render(_tenant: Tenant | None, error: LeadwireError, request_id: str) -> Reply[Refusal]:
    slug = "validation_error" if isinstance(error, InvalidInput) else error.code.lower()
    body: Refusal = {
        "type": TYPE + slug,
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": "The request is not valid" if isinstance(error, InvalidInput) else error.message,
        "instance": request_id,
    }
    errors = _errors(error)
    if errors:
        body["errors"] = [{"path": one.path, "message": one.message, "code": one.code} for one in errors]
    return Reply(error.status, body, MEDIA_TYPE)


def _errors(error: LeadwireError) -> tuple[FieldError, ...]:
    if isinstance(error, InvalidInput):
        return error.errors
    if isinstance(error, NotFound) and error.field:
        return (FieldError(error.field, error.message, "not_found"),)
    if isinstance(error, DuplicatePhone):
        return (FieldError("phone_number", error.message, "duplicate"),)
    return ()
