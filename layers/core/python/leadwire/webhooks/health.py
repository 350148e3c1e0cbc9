"""When an endpoint is left alone: the circuit that opens for half a minute, and disabling. Pure.

    closed ── 70 % of at least 10 attempts in 5 minutes failed ──▶ open ── 30 s ──▶ half-open: one attempt goes through
      ▲                                                             ▲                    │
      └───────────────────────── it succeeds ───────────────────────┼────────────────────┤
                                                                    └──── it fails ──────┘

Deliveries that meet an open circuit are put off without losing an attempt. The longer it stays open, the wider they are
spread, so that a dead endpoint with a long backlog costs little, and one that comes back is not run over.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .model import Outcome, Webhook

MINUTE = 60_000
WINDOW = 5 * MINUTE
LEAST = 10
SHARE = 0.7
OPEN = MINUTE // 2
WIDEST = 14 * MINUTE
"""Of the spread; an SQS delay carries 15 minutes."""
SLOW = 1000
"""Milliseconds from which an answer counts as slow."""
MOST_FAILURES = 100
"""In a row."""
LONGEST_FAILURE = 5 * 24 * 60 * MINUTE
"""Of nothing but failures."""

type Gate = Literal["closed", "open", "half-open"]


def gate(webhook: Webhook, now: int) -> Gate:
    if webhook.open_until is None:
        return "closed"
    return "open" if now < webhook.open_until else "half-open"


def put_off(webhook: Webhook, now: int, rng: random.Random) -> int:
    """When a delivery that found the circuit open, or was not let through, looks again."""
    spread = min(WIDEST, OPEN * max(1, webhook.trips))
    return max(now, webhook.open_until or now) + round(rng.uniform(0, 1) * spread)


@dataclass(frozen=True, slots=True)
class Tally:
    """What an attempt changes on its endpoint: attributes to set, counters to add to."""

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)


def tally(webhook: Webhook, outcome: Outcome, now: int) -> Tally:
    """What is written in the attempt's transaction. What a failure means for the circuit is written after it, by
    `endpoints.blow`: there the exact numbers are known.
    """
    slow = outcome.ms >= SLOW
    if not outcome.delivered:
        since = {"failing_since": now} if webhook.failing_since is None else {}
        failed = {"last_failure_at": now, "last_error": outcome.error, "slow": slow}
        changed = {"last_triggered_at": now, **failed, **since}
        return Tally(changed, {"failures": 1, "consecutive_failures": 1})
    fine = {"consecutive_failures": 0, "failing_since": None, "last_error": ""}
    changed = {"last_triggered_at": now, "last_success_at": now, "slow": slow, **fine}
    if webhook.open_until is None:
        return Tally(changed, {"successes": 1, "window_attempts": 1})
    return Tally({**changed, **CLOSED}, {"successes": 1})


def in_window(webhook: Webhook, now: int) -> bool:
    return webhook.window_at is not None and now - webhook.window_at < WINDOW


def blows(webhook: Webhook) -> bool:
    """Whether the failures of the window open the circuit."""
    return webhook.window_attempts >= LEAST and webhook.window_failures >= SHARE * webhook.window_attempts


def opened(webhook: Webhook, now: int) -> Mapping[str, Any]:
    empty = {"window_at": now, "window_attempts": 0, "window_failures": 0}
    return {"open_until": now + OPEN, "trips": webhook.trips + 1, **empty}


def hopeless(webhook: Webhook, now: int) -> bool:
    """Whether an endpoint whose last attempt failed is to be disabled."""
    too_long = webhook.failing_since is not None and now - webhook.failing_since >= LONGEST_FAILURE
    return too_long or webhook.consecutive_failures >= MOST_FAILURES


CLOSED: Mapping[str, Any] = {
    "open_until": None,
    "trips": 0,
    "window_at": None,
    "window_attempts": 0,
    "window_failures": 0,
}
RECOVERED: Mapping[str, Any] = {**CLOSED, "consecutive_failures": 0, "failing_since": None}
"""An endpoint that its owner enables begins anew."""
