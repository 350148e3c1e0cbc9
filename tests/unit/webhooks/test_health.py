"""The circuit, disabling, and what operators are told: on the real socket, on a clock that the test moves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadwire import events
from leadwire.dialects.public.faces import FACE_V2
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Put, TransactionConflict
from leadwire.webhooks import endpoints, health, record, service, store
from leadwire.webhooks.attempts import Made
from leadwire.webhooks.changes import Changes
from leadwire.webhooks.model import Delivery, Outcome, Webhook
from leadwire.webhooks.retry import Done

DOWN = (500, {}, b"down")
NOW = 1_795_262_400_000
WEBHOOK = Webhook(id="w", face="public_v2", event_types=frozenset({"LEAD_CREATED"}), url="https://example.com")
GOOD, BAD = Outcome(kind="answered", ms=1, status=200), Outcome(kind="answered", ms=1, status=500, error="HTTP 500")


def after(ctx: Any, *outcomes: Outcome) -> Webhook:
    """The endpoint after these attempts, one after the other, at the time of the clock."""
    table, tenant = ctx.table, ctx.tenant.id
    if endpoints.find(table, tenant, "w") is None:
        table.write(Put(endpoints.item(tenant, WEBHOOK)))
    for outcome in outcomes:
        together(ctx, outcome)
    last = endpoints.find(table, tenant, "w")
    assert last
    return last


def together(ctx: Any, *outcomes: Outcome) -> None:
    """Attempts that end at the same time."""
    before = endpoints.find(ctx.table, ctx.tenant.id, "w")
    assert before
    _count(ctx, before, outcomes)


def _count(ctx: Any, before: Webhook, outcomes: Sequence[Outcome]) -> None:
    now = ctx.now_ms()
    made = [Made(before, delivery(ctx), outcome, Done(), now, now) for outcome in outcomes]
    ctx.table.write(endpoints.counted(before, made, endpoints.tally(before, made, now)))
    if not all(outcome.delivered for outcome in outcomes):
        endpoints.fuse(ctx.table, ctx.tenant.id, before, now)


def delivery(ctx: Any) -> Delivery:
    return Delivery(
        id="d",
        tenant=ctx.tenant.id,
        webhook="w",
        event="e",
        type="LEAD_CREATED",
        sequence=1,
        body="{}",
        headers={},
        timeout=10.0,
        waits=(),
        state="pending",
        next_at=NOW,
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("failures", "successes", "gate"),
    [(7, 3, "open"), (6, 4, "closed"), (9, 0, "closed"), (10, 0, "open"), (14, 6, "open"), (13, 7, "closed")],
)
def test_the_circuit_opens_at_seventy_percent_of_ten_attempts(
    failures: int, successes: int, gate: str, ctx: Any
) -> None:
    webhook = after(ctx, BAD, *[GOOD] * successes, *[BAD] * (failures - 1))
    assert health.gate(webhook, ctx.now_ms()) == gate


def test_failures_of_more_than_five_minutes_ago_do_not_open_the_circuit(ctx: Any, clock: Any) -> None:
    after(ctx, *[BAD] * 9)
    clock.advance(300)
    webhook = after(ctx, BAD)
    assert (health.gate(webhook, ctx.now_ms()), webhook.window_attempts) == ("closed", 1)


def test_the_circuit_is_open_for_thirty_seconds_then_half_open_and_a_success_closes_it(ctx: Any, clock: Any) -> None:
    webhook, now = after(ctx, *[BAD] * 10), ctx.now_ms()
    assert [health.gate(webhook, now + ms) for ms in (0, 29_999, 30_000)] == ["open", "open", "half-open"]
    clock.advance(30)
    again = after(ctx, BAD)
    assert (health.gate(again, ctx.now_ms() + 29_999), again.trips) == ("open", 2)
    clock.advance(30)
    closed = after(ctx, GOOD)
    assert (health.gate(closed, ctx.now_ms()), closed.trips) == ("closed", 0)


def test_attempts_that_fail_at_the_same_time_open_the_circuit_once(ctx: Any) -> None:
    before = after(ctx, *[BAD] * 9)
    together(ctx, BAD, BAD)
    for _ in range(2):
        endpoints.fuse(ctx.table, ctx.tenant.id, before, ctx.now_ms())
    assert after(ctx).trips == 1


def test_what_was_under_way_when_the_circuit_opened_neither_closes_it_nor_counts(ctx: Any) -> None:
    before = after(ctx)
    opened = after(ctx, *[BAD] * 10)
    for number, outcome in enumerate((GOOD, BAD)):
        born = replace(delivery(ctx), id=f"{number:032d}")
        ctx.table.write(store.new_delivery(born, due=False))
        record.record(ctx.table, before, [Made(before, born, outcome, Done(), NOW, NOW)], ctx.now_ms())
    assert after(ctx).open_until == opened.open_until
    assert after(ctx).window_attempts == 0


def test_ten_failures_among_many_successes_do_not_open_the_circuit(ctx: Any) -> None:
    webhook = after(ctx, *[GOOD] * 20, *[BAD] * 10)
    assert (health.gate(webhook, ctx.now_ms()), webhook.window_attempts) == ("closed", 30)


def test_the_circuit_remembers_the_last_two_and_a_half_minutes_at_least_and_five_at_most(ctx: Any, clock: Any) -> None:
    after(ctx, GOOD)
    clock.advance(140)
    after(ctx, *[BAD] * 9)
    clock.advance(150)
    assert health.gate(after(ctx, BAD), ctx.now_ms()) == "open", "nine of them 150 s ago"


def test_attempts_that_end_together_count_like_attempts_one_after_the_other(ctx: Any) -> None:
    after(ctx, BAD)
    together(ctx, BAD, GOOD, BAD, BAD)
    webhook = after(ctx)
    assert (webhook.successes, webhook.failures, webhook.consecutive_failures) == (1, 4, 2)
    assert webhook.failing_since == webhook.last_failure_at == webhook.last_success_at == ctx.now_ms()
    assert webhook.last_error == BAD.error


def test_what_is_put_off_is_spread_wider_the_longer_the_circuit_stays_open_and_never_beyond_a_queue_delay() -> None:
    rng = random.Random(1)
    for trips in (1, 5, 100):
        webhook = replace(WEBHOOK, open_until=NOW + 30_000, trips=trips)
        times = [health.put_off(webhook, NOW, rng) - NOW for _ in range(200)]
        assert min(times) >= 30_000
        widest = min(health.WIDEST, 30_000 * trips)
        assert 0.9 * widest <= max(times) - 30_000 <= widest <= 870_000


def test_an_open_circuit_spares_the_receiver_loses_no_attempt_and_closes_with_the_first_success(
    pipeline: Any, receiver: Any
) -> None:
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    pipeline.publish(*(pipeline.event(number) for number in range(10)))
    pipeline.deliver()
    assert health.gate(pipeline.webhook(webhook), pipeline.ctx.now_ms()) == "open"
    pipeline.advance(29)
    assert len(receiver.received) == 10
    assert {delivery.attempts for delivery in pipeline.deliveries()} == {1}
    receiver.answer = (204, {}, b"")
    pipeline.advance(600)
    assert {(delivery.state, delivery.attempts) for delivery in pipeline.deliveries()} == {("delivered", 2)}
    assert pipeline.webhook(webhook).open_until is None


def test_a_half_open_circuit_lets_one_attempt_through(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    pipeline.publish(*(pipeline.event(number) for number in range(10)))
    pipeline.deliver()
    half_open = pipeline.webhook(webhook)
    pipeline.alarms.clock.advance(30)
    now = pipeline.ctx.now_ms()
    claims = [endpoints.claim_probe(pipeline.ctx.table, pipeline.ctx.tenant.id, half_open, now) for _ in range(3)]
    assert [claim is not None for claim in claims] == [True, False, False]
    assert health.gate(pipeline.webhook(webhook), now) == "open"
    pipeline.alarms.clock.advance(endpoints.PROBE / 1000)
    assert health.gate(pipeline.webhook(webhook), pipeline.ctx.now_ms()) == "half-open", "a prober that died"


def test_a_hundred_failures_in_a_row_disable_and_enabling_begins_anew(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    number = 0
    while pipeline.webhook(webhook).enabled:
        number += 1
        pipeline.publish(pipeline.event(number))
        pipeline.advance(301)
    disabled = pipeline.webhook(webhook)
    assert len(receiver.received) == disabled.failures == disabled.consecutive_failures == 100
    assert disabled.disabled_because == "failing"
    [told] = [event for event in pipeline.told() if event.type == events.WEBHOOK_DISABLED]
    assert told.webhook == {"id": webhook.id, "reason": "failing"}
    receiver.answer = (204, {}, b"")
    enabled = service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=True))
    assert (enabled.consecutive_failures, enabled.failing_since, enabled.disabled_because) == (0, None, "")
    pipeline.advance(90_000)
    states = {delivery.state for delivery in pipeline.deliveries()}
    assert states == {"delivered"}, "what was held is released, nothing is lost"


def test_a_hundred_failures_within_an_hour_do_not_disable(ctx: Any, clock: Any) -> None:
    webhook = after(ctx, *[BAD] * 150)
    assert not health.hopeless(webhook, ctx.now_ms())
    clock.advance(3600)
    assert health.hopeless(webhook, ctx.now_ms())


def test_a_success_that_comes_while_an_endpoint_is_being_given_up_keeps_it(ctx: Any, clock: Any) -> None:
    failing = after(ctx, *[BAD] * 5)
    clock.advance(1)
    after(ctx, GOOD, BAD)
    assert not endpoints.disable(ctx.table, delivery(ctx), "failing", NOW + 1, endpoints.still_failing(failing))
    assert after(ctx).enabled
    assert endpoints.disable(ctx.table, delivery(ctx), "failing", NOW + 1, endpoints.still_failing(after(ctx)))
    assert not after(ctx).enabled


def test_five_days_of_nothing_but_failures_disable(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    for number in range(1, 7):
        assert pipeline.webhook(webhook).enabled
        pipeline.publish(pipeline.event(number))
        pipeline.advance(86_400)
    assert pipeline.webhook(webhook).disabled_because == "failing"
    assert pipeline.webhook(webhook).consecutive_failures < health.MOST_FAILURES


def test_one_success_within_the_five_days_keeps_it(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    for number in range(1, 9):
        receiver.answers = [(204, {}, b"")] if number == 4 else []
        pipeline.publish(pipeline.event(number))
        pipeline.advance(86_400)
    assert pipeline.webhook(webhook).enabled


def test_a_receiver_that_disables_itself_is_told_once(pipeline: Any, receiver: Any) -> None:
    receiver.answer = (410, {}, b"")
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event(1), pipeline.event(2))
    pipeline.deliver()
    assert [event.type for event in pipeline.told()] == [events.WEBHOOK_DISABLED]
    assert pipeline.webhook(webhook).disabled_because == "receiver"


def test_operators_are_told_of_the_fourth_failure_and_of_the_recovery(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [DOWN] * 5
    webhook = pipeline.register(receiver.url)
    event = pipeline.event()
    pipeline.publish(event)
    pipeline.advance(2100)
    assert pipeline.told() == []
    pipeline.advance(200_000)
    failing, recovered = pipeline.told()
    assert (failing.type, recovered.type) == (events.WEBHOOK_FAILING, events.WEBHOOK_RECOVERED)
    assert (failing.webhook["attempts"], recovered.webhook["attempts"]) == (4, 6)
    assert (failing.webhook["id"], failing.cause, failing.webhook["error"]) == (
        webhook.id,
        event.id,
        "the answer was HTTP 500",
    )


def test_operators_are_told_of_the_last_failure(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(4 * 86_400)
    assert [event.type for event in pipeline.told()] == [events.WEBHOOK_FAILING, events.WEBHOOK_EXHAUSTED]
    journal = [item["g1pk"] for item in pipeline.items() if item["sk"].startswith("EVT#") and "webhook" in item]
    assert [pk.startswith(f"T#{pipeline.ctx.tenant.id}#JOURNAL#") for pk in journal] == [True, True]


def test_operators_events_are_never_sent_to_webhooks(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [(410, {}, b"")]
    webhook = pipeline.register(receiver.url)
    pipeline.register(receiver.url + "2")
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    assert pipeline.publish(*pipeline.told()) == []
    assert len(pipeline.deliveries()) == 2
    assert pipeline.webhook(webhook).sequence == 1


@pytest.mark.parametrize("answer", [(204, {}, b""), DOWN], ids=["success", "failure"])
def test_counters_are_exact_even_if_the_endpoint_is_too_busy_to_be_counted_on(
    answer: Any, pipeline: Any, receiver: Any
) -> None:
    receiver.answers = [answer]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    faulty = FaultyEngine(pipeline.ports.engine)
    faulty.fail_before(3, TransactionConflict())
    for again in range(4, 11):
        faulty.fail_before(again, TransactionConflict())
    pipeline.on(faulty)
    pipeline.deliver()
    [delivery] = pipeline.deliveries()
    assert delivery.attempts == 1
    assert delivery.owed_successes + delivery.owed_failures == 1
    assert pipeline.webhook(webhook).successes + pipeline.webhook(webhook).failures == 0
    pipeline.advance(600)
    counted, made = pipeline.webhook(webhook), pipeline.attempts()
    delivered = [attempt for attempt in made if attempt["status"] == 204]
    assert (counted.successes, counted.failures) == (len(delivered), len(made) - len(delivered))
    assert len(receiver.received) == len(made), "nothing was sent twice for a counter's sake"
    assert not [item for item in pipeline.items() if "g2pk" in item]


def slow_lane(pipeline: Any, receiver: Any) -> Webhook:
    """An endpoint that was slow the last time."""
    settings = replace(pipeline.ports.settings, slow_queue_url="slow")
    pipeline.ports = replace(pipeline.ports, settings=settings)
    webhook = pipeline.register(receiver.url)
    pipeline.table.write(Put(endpoints.item(pipeline.ctx.tenant.id, replace(pipeline.webhook(webhook), slow=True))))
    return webhook


def test_a_slow_receiver_gets_a_lane_of_its_own_from_its_second_delivery_on(pipeline: Any, receiver: Any) -> None:
    webhook = slow_lane(pipeline, receiver)
    pipeline.publish(*(pipeline.event(number) for number in range(5)))
    counting = FaultyEngine(pipeline.ports.engine)
    pipeline.on(counting)
    pipeline.deliver()
    assert (receiver.received, counting.calls) == ([], 1), "its endpoint is all that was read"
    assert [lane for lane, _ in pipeline.alarms.sent] == ["queue", "slow"]
    pipeline.deliver()
    assert len(receiver.received) == 5
    assert not pipeline.webhook(webhook).slow, "it answered at once: back to the others"


def test_a_late_retry_of_a_slow_receiver_changes_lanes_too(pipeline: Any, receiver: Any) -> None:
    slow_lane(pipeline, receiver)
    pipeline.alarms.refuse = 1
    pipeline.publish(pipeline.event())
    pipeline.advance(240)
    assert [lane for lane, _ in pipeline.alarms.sent] == ["queue", "queue", "slow"]
    assert len(receiver.received) == 1


def test_an_alarm_that_the_other_lane_refuses_comes_again(pipeline: Any, receiver: Any) -> None:
    slow_lane(pipeline, receiver)
    pipeline.publish(pipeline.event())
    pipeline.alarms.refuse = 1
    pipeline.deliver()
    assert [times for _, _, times in pipeline.alarms.waiting] == [2]
    pipeline.deliver()
    pipeline.deliver()
    assert len(receiver.received) == 1


def test_an_answer_that_takes_a_second_counts_as_slow(ctx: Any) -> None:
    assert after(ctx, replace(GOOD, ms=1000)).slow
    assert not after(ctx, replace(GOOD, ms=999)).slow
    assert after(ctx, replace(BAD, ms=3000)).slow
