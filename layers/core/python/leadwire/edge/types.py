"""What a dialect declares (routes and an error renderer) and what passes between it and the edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from leadwire.admission import Admission
from leadwire.context import Ctx, Tenant
from leadwire.errors import LeadwireError

KIB = 1024
BODY_LIMIT = 256 * KIB


class Body(BaseModel):
    """Base of request bodies: JSON types are not converted, unknown fields are refused (decision D9)."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    optional: ClassVar[bool] = False
    """Whether a request may come without it."""
    takes_forms: ClassVar[bool] = False
    """Whether a browser's form post is taken too, besides JSON."""


class QueryString(BaseModel):
    """Base of query strings: values are text and converted, unknown parameters are refused (decision D9)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was let in: parsed, authenticated, counted."""

    path: Mapping[str, str]
    query: Any
    """An instance of the route's `query` model."""
    body: Any
    """An instance of the route's `body` model, or None if it has none."""
    url: str = ""
    """Scheme, host and path as the caller sees them, for links."""
    scopes: frozenset[str] = frozenset()
    """What the caller's key may do beyond this request."""


@dataclass(frozen=True, slots=True)
class Reply[Shape = Any]:
    """An answer in the making; `body` is JSON-able, None for no body at all.

    A render that is annotated with the shape of its body is held to it by the type checker.
    """

    status: int
    body: Shape | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    unfinished: bool = False
    """The work is not done: the same request, sent again, continues it, also under the same Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Route:
    """One published operation. `call` does it, `render` shows its result; both are the dialect's, neither decides."""

    method: str
    path: str
    """As in the template: `/v1/leads/{id}`."""
    scope: str
    call: Callable[[Ctx, Request], Any]
    render: Callable[[Tenant, Any], Reply]
    body: type[Body] | None = None
    query: type[QueryString] = QueryString
    body_limit: int = BODY_LIMIT
    seals: bool = False
    """Its answer shows a secret: what is stored for a repeat under the same Idempotency-Key is sealed."""
    summary: str = ""
    """What it does, in the published document: `List tags`."""
    answers: Mapping[int, Any] = field(default_factory=dict)
    """What success looks like: the type of the body by status, None for no body. For the published document."""
    refuses: Sequence[LeadwireError] = ()
    """Its own errors, one example of each, beside those that follow from its shape (key, scope, parameters, body)."""

    @property
    def key(self) -> str:
        """As API Gateway spells it: `POST /v1/leads`."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One published API: its routes, where its key travels, and how it shows errors."""

    name: str
    """public, chatbot, lists or crm: also the family of its keys."""
    routes: Sequence[Route]
    render_error: Callable[[Tenant | None, LeadwireError, str], Reply]
    """The third argument is the request id."""
    key_header: str = "authorization"
    error_shape: Any = None
    """The type of the body that `render_error` makes, for the published document."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Types of what paths name, where it is more than text (`{id}` is a number). For the published document."""
    limit_headers: Callable[[Admission], Mapping[str, str]] | None = None
    """Headers beyond the common three, where the dialect publishes more (chatbot: X-RateLimit-Used)."""
