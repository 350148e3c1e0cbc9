"""Attempts written down, together and when the endpoint cannot be counted on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from leadwire.store.faults import FaultyEngine
from leadwire.store.types import TransactionConflict
from leadwire.webhooks import record, recovery, store
from leadwire.webhooks.attempts import Made
from leadwire.webhooks.model import Outcome
from leadwire.webhooks.retry import Done

DOWN = (500, {}, b"down")
GOOD = Outcome(kind="answered", ms=1, status=200)


@pytest.mark.parametrize("answer", [(204, {}, b""), DOWN], ids=["success", "failure"])
def test_what_an_attempt_owes_is_paid_by_the_next_one(answer: Any, pipeline: Any, receiver: Any) -> None:
    receiver.answers = [answer]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    faulty = FaultyEngine(pipeline.ports.engine)
    for again in range(3, 11):
        faulty.fail_before(again, TransactionConflict())
    pipeline.on(faulty)
    pipeline.deliver()
    recovery.resend(pipeline.ctx, pipeline.deliveries()[0].id)
    pipeline.deliver()
    counted = pipeline.webhook(webhook)
    assert (counted.successes, counted.failures) == ((2, 0) if answer is not DOWN else (1, 1))
    pipeline.advance(600)
    assert pipeline.webhook(webhook) == counted


def test_of_attempts_that_end_together_the_known_are_left_out_and_the_rest_counted(pipeline: Any) -> None:
    webhook = pipeline.register("https://example.com/hook")
    pipeline.publish(*(pipeline.event(number) for number in range(3)))
    webhook, now = pipeline.webhook(webhook), pipeline.ctx.now_ms()
    made = [Made(webhook, delivery, GOOD, Done(), now, now) for delivery in pipeline.deliveries()]
    record.record(pipeline.ctx.table, webhook, made[1:2], now)
    first, known, last = record.record(pipeline.ctx.table, webhook, made, now).deliveries
    assert known is None
    assert first
    assert last
    assert (first.owed_successes, last.owed_successes) == (0, 0)
    assert pipeline.webhook(webhook).successes == 3
    assert [delivery.attempts for delivery in pipeline.deliveries()] == [1, 1, 1]


@pytest.mark.parametrize(
    "changed",
    [{"attempts": 1}, {"state": "delivered"}, {"run": 1}, {"owed_successes": 1}, {"owed_failures": 1}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_delivery_that_somebody_has_changed_since_it_was_read_is_not_moved(changed: Any, pipeline: Any) -> None:
    pipeline.register("https://example.com/hook")
    pipeline.publish(pipeline.event())
    [read] = pipeline.deliveries()
    now = pipeline.ctx.now_ms()
    assert store.move(pipeline.ctx.table, read, replace(read, **changed), now)
    assert not store.move(pipeline.ctx.table, read, replace(read, next_at=now + 60_000), now)
    assert store.move_all(pipeline.ctx.table, [(read, replace(read, next_at=now + 60_000))], now) == []
    assert pipeline.deliveries() == [replace(read, **changed)]


def test_what_is_owed_is_paid_once(pipeline: Any) -> None:
    webhook = pipeline.register("https://example.com/hook")
    pipeline.publish(pipeline.event())
    [read] = pipeline.deliveries()
    owing, now = replace(read, state="delivered", attempts=1, owed_successes=1), pipeline.ctx.now_ms()
    assert store.move(pipeline.ctx.table, read, owing, now)
    for _ in range(2):  # two alarms, two workers
        record.pay(pipeline.ctx.table, owing, now)
    assert pipeline.webhook(webhook).successes == 1
