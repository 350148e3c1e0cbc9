"""What webhooks are made of: faces, endpoints, deliveries, outcomes, and the pure rules about them. No I/O here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from leadwire.context import Tenant
from leadwire.events import Event
from leadwire.settings import Settings


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A signing secret as the vault sealed it; `until` is the epoch millisecond after which it no longer signs."""

    sealed: bytes = field(repr=False)
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint of a tenant. Times are epoch milliseconds, None while nothing has happened."""

    id: str
    """A random uuid."""
    face: str
    event_types: frozenset[str]
    """In the face's own words."""
    url: str
    enabled: bool = True
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field of the lead to the values that pass, `%` standing for any text; every field must pass."""
    secrets: tuple[SealedSecret, ...] = ()
    """The newest first; the older ones still sign until they end."""
    sequence: int = 0
    """How many deliveries were ever made for it: the last number that a `webhook-id` carries."""
    successes: int = 0
    failures: int = 0
    consecutive_failures: int = 0
    last_triggered_at: int | None = None
    last_success_at: int | None = None
    last_failure_at: int | None = None
    last_error: str = ""
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One published way of sending webhooks, as data; the engine never asks which one it serves."""

    name: str
    types: Mapping[str, str]
    """Event of the catalogue to the face's word for it (`lead.created` to `LEAD_CREATED`)."""
    render: Callable[[Event, Tenant, Webhook], str]
    """The JSON text of the body."""
    headers: Callable[[Event, Webhook, Settings], Mapping[str, str]]
    """Headers beside the signature's three."""
    schedule: str
    """A name in `retry.SCHEDULES`."""
    timeout: float
    """Seconds for the whole exchange."""
    limit: int
    """Endpoints that a tenant may have on this face."""


State = Literal["pending", "held", "delivered", "exhausted", "closed"]
"""held: the endpoint is disabled; exhausted: given up; closed: the endpoint was deleted before it was delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint. Carries all that an attempt needs, so that later changes of a face or a
    schedule never touch what is under way.
    """

    id: str
    tenant: str
    webhook: str
    event: str
    """The event's ULID."""
    type: str
    """The event's type, in the face's own words."""
    sequence: int
    body: str
    headers: Mapping[str, str]
    timeout: float
    waits: tuple[float, ...]
    """Seconds between one attempt and the next; one attempt more than waits."""
    state: State
    attempts: int = 0
    next_at: int
    """Epoch milliseconds at which the next attempt is due."""
    created_at: int

    @property
    def message_id(self) -> str:
        """The `webhook-id`, the same on every attempt. The endpoint's own sequence is in it, and so in what is signed:
        a receiver that sees no gap has proof that it missed nothing.
        """
        return f"msg_{self.event}_{self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt at the customer's server: data, whatever it is."""

    kind: Literal["answered", "timeout", "unreachable", "refused"]
    """refused: by us, because of the URL or the address behind it."""
    ms: int
    status: int = 0
    body: str = ""
    """The first 20 KB of the answer."""
    retry_after: str = ""
    directive: str = ""
    """The answer's header `webhook-delivery`: `disable` or `abort-message`."""
    error: str = ""
    """A short sentence of ours for the owner of the endpoint; empty after a success."""

    @property
    def delivered(self) -> bool:
        return self.kind == "answered" and 200 <= self.status < 300  # noqa: PLR2004  # RFC 9110, 15.3


def delivery_id(event: str, webhook: str) -> str:
    """The same for the same event and endpoint, so that a repeated event makes nothing twice."""
    return hashlib.blake2b(f"{event}/{webhook}".encode(), digest_size=16).hexdigest()


def matches(face: Face, webhook: Webhook, event: Event) -> bool:
    """Whether the endpoint asked for this event. (An endpoint that is disabled still does: its deliveries are held.)"""
    wanted = face.types.get(event.type) in webhook.event_types
    return wanted and all(_passes(event.lead.get(name), patterns) for name, patterns in webhook.filters.items())


def _passes(value: Any, patterns: Sequence[str]) -> bool:
    values = [str(one) for one in value] if isinstance(value, list) else [str("" if value is None else value)]
    return any(_like(pattern, one) for pattern in patterns for one in values)


def _like(pattern: str, value: str) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(expression, value, re.DOTALL | re.IGNORECASE) is not None
