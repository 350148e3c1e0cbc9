"""Tenant B beside tenant A's backlog, in the simulation of bench/webhooks/fairness.py, which says what it simulates."""

from __future__ import annotations

from bench.webhooks import fairness
from bench.webhooks.fairness import BACKLOG, Worker

WORKER = Worker(change_lane=0.010, deliver=0.100)
"""As measured by `python -m bench.webhooks.fairness`, rounded up."""


def test_a_backlog_of_a_hundred_thousand_slow_deliveries_leaves_other_tenants_within_twice_of_an_idle_system() -> None:
    idle = fairness.p99(fairness.simulate(WORKER, backlog=0, lane=True))
    beside = fairness.p99(fairness.simulate(WORKER, backlog=BACKLOG, lane=True))
    assert beside <= 2 * idle


def test_without_a_lane_for_slow_receivers_it_would_not() -> None:
    idle = fairness.p99(fairness.simulate(WORKER, backlog=0, lane=False))
    assert fairness.p99(fairness.simulate(WORKER, backlog=BACKLOG, lane=False)) > 2 * idle
