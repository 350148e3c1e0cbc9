"""Every error that a caller of Leadwire can meet: a name, a code, a status. Each dialect has one renderer for them.

LeadwireError
├── Unauthorized            401  no key, or one that is unknown, revoked, expired or of another dialect
├── Forbidden               403  the key lacks the scope
├── NotFound                404  no such record, or another tenant's: the same answer (D10)
├── InvalidInput            400  fields of the request, all of them at once (422 in crm)
├── TooLarge                413  the body is over its limit
├── UnsupportedMediaType    415  the body is not JSON
├── Conflict                409  the request is right but the state forbids it
│   ├── DuplicateEmail      409  another lead of the tenant has this e-mail address
│   ├── DuplicatePhone      409  another lead of the tenant has this phone number
│   └── WebhookLimitReached 409  the tenant has as many webhooks as it may have
├── IdempotencyMismatch     422  the Idempotency-Key was used with another request (D8)
├── IdempotencyInProgress   409  the first request with this Idempotency-Key is still running (D8)
├── RateLimited             429  the key's, or the company's, window is used up
├── Unready                 503  the table is throttled or away; trying again is right
└── Broken                  500  a bug of ours; the log line with the request id says where
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class LeadwireError(Exception):
    """Base of the errors that are answers. `code` is the neutral name that dialects map to their own."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthorized(LeadwireError):
    code = "UNAUTHORIZED"
    status = 401

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing
        """No key was sent at all (chatbot: MISSING_AUTH_HEADER)."""


class Forbidden(LeadwireError):
    code = "FORBIDDEN"
    status = 403


class NotFound(LeadwireError):
    """`kind` is the kind of record in the tenant's own words: lead, list, chatbot, webhook, client …"""

    code = "NOT_FOUND"
    status = 404

    def __init__(self, kind: str, field: str = "") -> None:
        super().__init__(f"{kind.capitalize()} not found")
        self.kind = kind
        self.field = field
        """The field of the request that named it, if it was not the path."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. `path` is dotted (`metadata.a`, `leads.3.name`), `code` a stable word."""

    path: str
    message: str
    code: str
    value: object = None


class InvalidInput(LeadwireError):
    code = "INVALID_INPUT"
    status = 400

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(": ".join(filter(None, (error.path, error.message))) for error in errors))
        self.errors = errors


class TooLarge(LeadwireError):
    code = "PAYLOAD_TOO_LARGE"
    status = 413


class UnsupportedMediaType(LeadwireError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class Conflict(LeadwireError):
    code = "CONFLICT"
    status = 409


class WebhookLimitReached(Conflict):
    code = "WEBHOOK_LIMIT_REACHED"


class DuplicateEmail(Conflict):
    code = "DUPLICATE_EMAIL"

    def __init__(self, email: str, number: int) -> None:
        super().__init__("A lead with this email already exists")
        self.email = email
        self.number = number


class DuplicatePhone(Conflict):
    code = "DUPLICATE_PHONE"

    def __init__(self, phone: str, number: int) -> None:
        super().__init__("A lead with this phone number already exists")
        self.phone = phone
        self.number = number


class IdempotencyMismatch(LeadwireError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422


class IdempotencyInProgress(LeadwireError):
    code = "IDEMPOTENCY_KEY_IN_USE"
    status = 409


class RateLimited(LeadwireError):
    code = "RATE_LIMITED"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Rate limit exceeded; try again in {retry_after} seconds")
        self.retry_after = retry_after


class Unready(LeadwireError):
    code = "UNAVAILABLE"
    status = 503


class Broken(LeadwireError):
    code = "SERVER_ERROR"
    status = 500
