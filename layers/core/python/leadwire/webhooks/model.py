"""What webhooks are made of: faces, endpoints, deliveries, outcomes, and the pure rules about them. No I/O here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from leadwire.context import Ctx, Tenant
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
    disabled_because: str = ""
    """owner, receiver (410 or its own wish) or failing; empty while enabled."""
    name: str = ""
    scope: str = ""
    """What it hangs under in its dialect: a chatbot."""
    max_retries: int | None = None
    """A schedule of its own, where the dialect has that: so many, the first after `retry_delay`, doubling."""
    retry_delay: int | None = None
    """Milliseconds."""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field to the values that pass, `%` standing for any text; every field must pass (filters.py)."""
    secrets: tuple[SealedSecret, ...] = ()
    """The newest first; the older ones still sign until they end."""
    sequence: int = 0
    """How many deliveries were ever made for it: the last number that a `webhook-id` carries."""
    successes: int = 0
    failures: int = 0
    consecutive_failures: int = 0
    failing_since: int | None = None
    """The first failure after the last success."""
    last_triggered_at: int | None = None
    last_success_at: int | None = None
    last_failure_at: int | None = None
    last_error: str = ""
    slow: bool = False
    """Its last answer took long: its deliveries go through a lane of their own."""
    window_at: int | None = None
    """Where half of the circuit's window began; the next two are counted since then (health.py)."""
    window_attempts: int = 0
    window_failures: int = 0
    earlier_attempts: int = 0
    """In the half before."""
    earlier_failures: int = 0
    open_until: int | None = None
    """The circuit is open, or half-open after this time; None while it is closed."""
    trips: int = 0
    """How often it opened in a row."""
    created_by: str = ""
    """The id of the API key."""
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One published way of sending webhooks, as data; the engine never asks which one it serves."""

    name: str
    words: Callable[[Event], Sequence[str]]
    """The face's words for the event (`lead.created` is `LEAD_CREATED`); one event may be several to it, or none."""
    render: Callable[[Ctx, Event, Webhook, str], str]
    """The JSON text of the body, for one of those words."""
    headers: Callable[[str, Settings], Mapping[str, str]]
    """Headers beside the signatures, for one of those words."""
    fields: Callable[[Tenant, Event], Mapping[str, Any]]
    """What filters look at."""
    schedule: str
    """A name in `retry.SCHEDULES`, for endpoints without one of their own."""
    timeout: float
    """Seconds for the whole exchange."""
    limit: int
    """Endpoints that a tenant may have on this face."""
    signature: str = ""
    """The face's own header for `sha256=<hex>` over the body, beside the headers of Standard Webhooks."""


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
    signature: str = ""
    timeout: float
    waits: tuple[float, ...]
    """Seconds between one attempt and the next; one attempt more than waits."""
    state: State
    attempts: int = 0
    run: int = 0
    """Attempts before the last resend: the schedule starts again after them."""
    reported: bool = False
    """Operators were told that it fails, and not yet that it has recovered."""
    owed_successes: int = 0
    owed_failures: int = 0
    """Attempts that the endpoint's counters do not know yet (record.py)."""
    noted: Sequence[Mapping[str, Any]] = ()
    """Attempts that succeeded and were answered in few words: others are items of their own (attempts.py)."""
    next_at: int
    """Epoch milliseconds at which the next attempt is due."""
    created_at: int

    @property
    def untried(self) -> bool:
        """Whether it waits for its first attempt."""
        return self.state == "pending" and not self.attempts

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


def delivery_id(event: str, webhook: str, word: str) -> str:
    """The same for the same event, endpoint and word, so that a repeated event makes nothing twice."""
    return hashlib.blake2b(f"{event}/{webhook}/{word}".encode(), digest_size=16).hexdigest()
