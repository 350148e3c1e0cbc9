"""The error envelope of the chatbot and the public dialect: `{"success": false, "error", "code", "details"}`."""

from __future__ import annotations

from typing import Any

from leadwire.edge.types import Reply
from leadwire.errors import FieldError, InvalidInput, LeadwireError, NotFound, RateLimited, Unauthorized


def refusal(error: LeadwireError) -> Reply:
    """Codes as the chatbot dialect publishes them; DUPLICATE_EMAIL has details of its own there."""
    body: dict[str, Any] = {"success": False, "error": error.message, "code": _code(error)}
    if isinstance(error, InvalidInput):
        first, *_ = errors = [_field(one) for one in error.errors]
        body |= {"error": "Validation failed", "details": {**first, "errors": errors}}
    if isinstance(error, RateLimited):
        body["retryAfter"] = error.retry_after
    return Reply(error.status, body)


def _field(error: FieldError) -> dict[str, Any]:
    return {"field": error.path, "value": error.value, "message": error.message[:1].upper() + error.message[1:]}


def _code(error: LeadwireError) -> str:
    if isinstance(error, InvalidInput):
        return "VALIDATION_ERROR"
    if isinstance(error, Unauthorized):
        return "MISSING_AUTH_HEADER" if error.missing else "INVALID_API_KEY"
    if isinstance(error, NotFound):
        return f"{error.kind.upper()}_NOT_FOUND"
    return "RATE_LIMIT_EXCEEDED" if isinstance(error, RateLimited) else error.code
