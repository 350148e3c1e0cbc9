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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal

from .model import Outcome, Webhook

MINUTE = 60_000
WINDOW = 5 * MINUTE
HALF = WINDOW // 2
LEAST = 10
SHARE = 0.7
OPEN = MINUTE // 2
WIDEST = 14 * MINUTE
"""Of the spread; an SQS delay carries 15 minutes."""
SLOW = 1000
"""Milliseconds from which an answer counts as slow."""
MOST_FAILURES = 100
"""In a row, for no less than SHORTEST_FAILURE."""
SHORTEST_FAILURE = 60 * MINUTE
LONGEST_FAILURE = 5 * 24 * 60 * MINUTE
"""Of nothing but failures."""

AS_READ = ("open_until", "window_at")
"""What nobody may have changed when attempts are counted: they would be counted into another window."""

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
    """What attempts change on their endpoint: attributes to set, counters to add to, and those that must be as read."""

    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    as_read: Sequence[str] = ()


def tally(webhook: Webhook, outcomes: Sequence[Outcome], now: int, *, probe: bool) -> Tally:
    """What is written in the transaction of these attempts, in the order in which they ended. `probe`: a half-open
    circuit let them through.
    """
    good = sum(outcome.delivered for outcome in outcomes)
    streak = len(list(takewhile(lambda outcome: not outcome.delivered, reversed(outcomes))))
    last, window = outcomes[-1], _window(webhook, len(outcomes), len(outcomes) - good, now, probe=probe)
    changed = {"last_triggered_at": now, "last_error": last.error, "slow": last.ms >= SLOW}
    add = {"successes": good, "failures": len(outcomes) - good}
    if good:
        changed |= {"last_success_at": now, "consecutive_failures": streak, "failing_since": now if streak else None}
    else:
        changed |= {"failing_since": now} if webhook.failing_since is None else {}
        add |= {"consecutive_failures": streak}
    if good < len(outcomes):
        changed |= {"last_failure_at": now}
    return Tally({**changed, **window.set}, {**add, **window.add}, window.as_read)


def after(webhook: Webhook, tally: Tally) -> Webhook:
    """The endpoint with these attempts counted."""
    added = {name: getattr(webhook, name) + by for name, by in tally.add.items()}
    return replace(webhook, **tally.set, **added)


def _window(webhook: Webhook, attempts: int, failures: int, now: int, *, probe: bool) -> Tally:
    """The circuit looks at this half of its window and the one before: at the last 2.5 to 5 minutes. What was under way
    when it opened changes nothing about it.
    """
    if webhook.open_until is not None:
        return Tally(CLOSED if probe and attempts > failures else {}, as_read=AS_READ)
    counts, at = {"window_attempts": attempts, "window_failures": failures}, webhook.window_at
    if at is not None and now - at < HALF:
        return Tally(add=counts, as_read=AS_READ)
    if at is None or now - at >= WINDOW:
        nothing = {"earlier_attempts": 0, "earlier_failures": 0}
        return Tally({"window_at": now, **counts, **nothing}, as_read=AS_READ)
    before = {"earlier_attempts": webhook.window_attempts, "earlier_failures": webhook.window_failures}
    return Tally({"window_at": at + HALF, **counts, **before}, as_read=[*AS_READ, *counts])


def blows(webhook: Webhook) -> bool:
    """Whether the failures of the window open the circuit."""
    attempts = webhook.window_attempts + webhook.earlier_attempts
    return attempts >= LEAST and webhook.window_failures + webhook.earlier_failures >= SHARE * attempts


def opened(webhook: Webhook, now: int) -> Mapping[str, Any]:
    return {**CLOSED, "open_until": now + OPEN, "trips": webhook.trips + 1}


def hopeless(webhook: Webhook, now: int) -> bool:
    """Whether an endpoint whose last attempt failed is to be disabled."""
    too_long = webhook.failing_since is not None and now - webhook.failing_since >= LONGEST_FAILURE
    return too_long or too_often(webhook, now)


def too_often(webhook: Webhook, now: int) -> bool:
    """A hundred in a row may be one short outage of a receiver that is sent much."""
    for_a_while = webhook.failing_since is not None and now - webhook.failing_since >= SHORTEST_FAILURE
    return for_a_while and webhook.consecutive_failures >= MOST_FAILURES


CLOSED: Mapping[str, Any] = {
    "open_until": None,
    "trips": 0,
    "window_at": None,
    "window_attempts": 0,
    "window_failures": 0,
    "earlier_attempts": 0,
    "earlier_failures": 0,
}
RECOVERED: Mapping[str, Any] = {**CLOSED, "consecutive_failures": 0, "failing_since": None}
"""An endpoint that its owner enables begins anew."""
