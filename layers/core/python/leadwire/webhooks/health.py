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
    """The published counters are exact, because they are added to. What steers the circuit is taken from the endpoint
    as it was read before the attempt: good enough for a fuse, and no reason for attempts to wait for one another.
    """
    changed: dict[str, Any] = {"last_triggered_at": now}
    add: dict[str, int] = {}
    if outcome.delivered:
        add |= {"successes": 1}
        changed |= {"consecutive_failures": 0, "failing_since": None, "last_success_at": now, "last_error": ""}
    else:
        add |= {"failures": 1, "consecutive_failures": 1}
        changed |= {"last_failure_at": now, "last_error": outcome.error}
        if webhook.failing_since is None:
            changed["failing_since"] = now
    return _with_circuit(webhook, outcome, now, Tally(changed, add))


def _with_circuit(webhook: Webhook, outcome: Outcome, now: int, counted: Tally) -> Tally:
    bad = 0 if outcome.delivered else 1
    fresh = webhook.window_at is None or now - webhook.window_at >= WINDOW
    attempts, failures = (1, bad) if fresh else (webhook.window_attempts + 1, webhook.window_failures + bad)
    empty: dict[str, Any] = {"window_at": now, "window_attempts": 0, "window_failures": 0}
    if webhook.open_until is not None:
        after = {"open_until": None, "trips": 0} if outcome.delivered else _opened(webhook, now)
        return Tally({**counted.set, **empty, **after}, counted.add)
    if bad and attempts >= LEAST and failures >= SHARE * attempts:
        return Tally({**counted.set, **empty, **_opened(webhook, now)}, counted.add)
    if fresh:
        window: dict[str, Any] = {"window_at": now, "window_attempts": attempts, "window_failures": failures}
        return Tally({**counted.set, **window}, counted.add)
    return Tally(counted.set, {**counted.add, "window_attempts": 1, "window_failures": bad})


def _opened(webhook: Webhook, now: int) -> dict[str, Any]:
    return {"open_until": now + OPEN, "trips": webhook.trips + 1}


def hopeless(webhook: Webhook, now: int) -> bool:
    """Whether one more failure, at `now`, is the one after which an endpoint is disabled."""
    too_many = webhook.consecutive_failures + 1 >= MOST_FAILURES
    return too_many or (webhook.failing_since is not None and now - webhook.failing_since >= LONGEST_FAILURE)


RECOVERED: Mapping[str, Any] = {
    "consecutive_failures": 0,
    "failing_since": None,
    "open_until": None,
    "trips": 0,
    "window_at": None,
    "window_attempts": 0,
    "window_failures": 0,
}
"""An endpoint that its owner enables begins anew."""
