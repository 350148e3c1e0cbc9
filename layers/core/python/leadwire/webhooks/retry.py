"""When to try again: pure, from an outcome to the next step. Nothing here reads a clock or draws chance by itself."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from .model import Face, Outcome, Webhook

MINUTE = 60.0
HOUR = 60 * MINUTE

JITTER = 0.2
FLOOR = MINUTE
"""Seconds that a receiver is left alone at least after it timed out or said 429."""
PATIENCE = 2.0
"""`Retry-After` may stretch a wait up to this many times."""
GONE = 410
TOO_MANY_REQUESTS = 429


def doubling(retries: int, first: float) -> tuple[float, ...]:
    """Seconds: `first`, twice that, and so on."""
    return tuple(first * 2**n for n in range(retries))


SCHEDULES: Mapping[str, tuple[float, ...]] = {
    "v1": doubling(3, 30.0),
    "short": (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR),
    "long": (5.0, 5 * MINUTE, *(hours * HOUR for hours in (0.5, 2, 5, 10, 14, 20, 24))),
}
"""Seconds between the attempts. `long` is the example of Standard Webhooks 1.0.0: ten attempts over 75 hours."""


def waits(face: Face, webhook: Webhook) -> tuple[float, ...]:
    """The endpoint's own schedule (chatbot), or its face's."""
    if webhook.max_retries is None or webhook.retry_delay is None:
        return SCHEDULES[face.schedule]
    return doubling(webhook.max_retries, webhook.retry_delay / 1000)


@dataclass(frozen=True, slots=True)
class Done:
    """Delivered."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again at `at`, epoch milliseconds."""

    at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No attempt is left, or the receiver asked for no more."""


@dataclass(frozen=True, slots=True)
class Disable:
    """The receiver wants nothing more at this address. `delivered`: it took this one."""

    delivered: bool


type Step = Done | RetryAt | GiveUp | Disable


def next_step(
    outcome: Outcome, attempt: int, waits: Sequence[float], now_ms: int, rng: random.Random, scale: float
) -> Step:
    """What follows attempt number `attempt` (from 1), which ended at `now_ms`; `scale` multiplies the wait.

    410 and `webhook-delivery: disable` disable, `abort-message` gives up (docs.svix.com/receiving/delivery-control).
    """
    if outcome.directive == "disable" or (outcome.kind == "answered" and outcome.status == GONE):
        return Disable(delivered=outcome.delivered)
    if outcome.delivered:
        return Done()
    if outcome.directive == "abort-message" or attempt > len(waits):
        return GiveUp()
    seconds = _wait(outcome, waits[attempt - 1], now_ms, rng)
    return RetryAt(now_ms + round(seconds * scale * 1000))


def retry_after(text: str, now_ms: int) -> float | None:
    """Seconds that a `Retry-After` header asks for, in either form (RFC 9110, 10.2.3); None if it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a year or a zone of twenty digits
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now_ms / 1000


def _wait(outcome: Outcome, step: float, now_ms: int, rng: random.Random) -> float:
    wait = step * rng.uniform(1 - JITTER, 1 + JITTER)
    asked = retry_after(outcome.retry_after, now_ms)
    if asked is not None:
        wait = max(wait, min(max(asked, step), PATIENCE * step))
    impatient = outcome.kind == "timeout" or outcome.status == TOO_MANY_REQUESTS
    return max(wait, FLOOR) if impatient else wait
