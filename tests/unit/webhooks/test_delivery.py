from __future__ import annotations

import io
import itertools
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Library

from leadwire.dialects.public.faces import FACE_V2
from leadwire.ports import Message
from leadwire.store.faults import FaultyEngine
from leadwire.webhooks import queue, retry, service
from leadwire.webhooks.changes import Changes
from leadwire.webhooks.queue import Due

DOWN = (500, {}, b"down")
STEPS = retry.SCHEDULES["long"]


class Crash(BaseException):
    """The worker dies here: nothing in it may catch this."""


def test_an_event_reaches_its_endpoint_signed(pipeline: Any, receiver: Any, clock: Any) -> None:
    clock.now = time.time()
    made = pipeline.created(receiver.url)
    event = pipeline.event(7, first_name="Ana")
    pipeline.publish(event)
    pipeline.deliver()
    [(headers, body)] = receiver.received
    assert Library(made.secret).verify(body, headers)["leadInformation"]["firstName"] == "Ana"
    assert headers["webhook-id"] == f"msg_{event.id}_1"
    assert (headers["x-origin"], headers["x-event-type"]) == ("leadtruffle", "LEAD_CREATED")


def test_a_success_is_recorded_and_counted(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    [delivery], [attempt], after = pipeline.deliveries(), pipeline.attempts(), pipeline.webhook(webhook)
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    assert (attempt["status"], attempt["kind"], attempt["next_at"]) == (204, "answered", None)
    assert (after.successes, after.failures, after.consecutive_failures, after.last_error) == (1, 0, 0, "")
    assert after.last_success_at == after.last_triggered_at == pipeline.ctx.now_ms()
    assert pipeline.alarms.waiting == []


def test_a_delivered_event_leaves_the_due_index(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    pipeline.advance(3600)
    assert len(receiver.received) == 1
    assert not [item for item in pipeline.items() if "g2pk" in item]


def test_every_retry_comes_at_the_second_of_its_schedule_with_the_same_id(
    pipeline: Any, receiver: Any, clock: Any
) -> None:
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    pipeline.advance(sum(STEPS) + 3600)
    times = [int(headers["webhook-timestamp"]) for headers, _ in receiver.received]
    assert [later - sooner for sooner, later in itertools.pairwise(times)] == list(STEPS)
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert [delivery.state for delivery in pipeline.deliveries()] == ["exhausted"]
    assert len(pipeline.attempts()) == 10


def test_failures_are_counted_until_a_success_comes(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [DOWN, DOWN, (201, {}, b"")]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(6)
    between = pipeline.webhook(webhook)
    assert (between.failures, between.consecutive_failures) == (2, 2)
    assert between.last_error == "the answer was HTTP 500"
    pipeline.advance(301)
    after = pipeline.webhook(webhook)
    assert (after.successes, after.failures, after.consecutive_failures, after.last_error) == (1, 2, 0, "")


def test_retry_after_moves_the_next_attempt(pipeline: Any, receiver: Any, clock: Any) -> None:
    date = format_datetime(datetime.fromtimestamp(clock.now + 5 + 500, UTC), usegmt=True)
    receiver.answers = [DOWN, (503, {"retry-after": date}, b"")]
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    start = clock.now
    pipeline.advance(3600)
    times = [int(headers["webhook-timestamp"]) - start for headers, _ in receiver.received]
    assert times == [0, 5, 505]


@pytest.mark.parametrize("wish", ["Thu, 01 Jan 99999999999999999999 00:00:00 GMT", "\xff", "9" * 5000])
def test_no_wish_of_a_receiver_is_a_fault_of_ours(wish: str, pipeline: Any, receiver: Any) -> None:
    receiver.answers = [(503, {"retry-after": wish, "webhook-delivery": wish}, b"\xff")]
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(30)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]
    assert (len(receiver.received), len(pipeline.attempts())) == (2, 2)


def test_the_scale_of_the_settings_shortens_waits(pipeline: Any, receiver: Any, clock: Any) -> None:
    receiver.answer = DOWN
    settings = replace(pipeline.ports.settings, schedule_scale=0.001)
    pipeline.ports = replace(pipeline.ports, settings=settings)
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(sum(STEPS) * 0.001 + 10)
    assert len(receiver.received) == 10


def test_gone_disables_the_endpoint_and_keeps_the_event(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [(410, {}, b"")]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(7200)
    assert not pipeline.webhook(webhook).enabled
    assert [delivery.state for delivery in pipeline.deliveries()] == ["held"]
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=True))
    pipeline.deliver()
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]
    assert len(receiver.received) == 2


def test_the_receiver_may_disable_with_a_success(pipeline: Any, receiver: Any) -> None:
    receiver.answer = (200, {"webhook-delivery": "disable"}, b"")
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    assert not pipeline.webhook(webhook).enabled
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]


def test_the_receiver_may_refuse_one_message(pipeline: Any, receiver: Any) -> None:
    receiver.answer = (500, {"webhook-delivery": "abort-message"}, b"")
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.advance(7200)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["exhausted"]
    assert len(receiver.received) == 1


def test_while_disabled_events_are_held_and_enabling_sends_them_in_order(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=False))
    for number in range(1, 4):
        pipeline.publish(pipeline.event(number))
        pipeline.advance(3600)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["held"] * 3
    assert receiver.received == []
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=True))
    pipeline.deliver()
    assert sorted(json.loads(body)["clientId"] for _, body in receiver.received) == ["1", "2", "3"]
    assert not [item for item in pipeline.items() if "g3pk" in item]


def test_an_event_under_way_is_held_when_its_endpoint_is_disabled(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=False))
    pipeline.deliver()
    assert [delivery.state for delivery in pipeline.deliveries()] == ["held"]
    assert receiver.received == []


def test_a_held_event_that_releasing_missed_follows_within_a_day(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.base.lag_indexes(3600)
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=False))
    pipeline.publish(pipeline.event())
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=True))
    pipeline.base.lag_indexes(0)
    pipeline.advance(23 * 3600)
    assert receiver.received == []
    pipeline.advance(2 * 3600)
    assert len(receiver.received) == 1


def test_deleting_an_endpoint_stops_its_events_at_once_and_keeps_the_log(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    service.delete(pipeline.ctx, FACE_V2, webhook.id)
    pipeline.deliver()
    pipeline.advance(7200)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["closed"]
    assert receiver.received == []


def test_an_alarm_that_rings_twice_makes_one_attempt(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.alarms.waiting *= 2
    [first, second] = pipeline.alarms.take()
    for alarm in (first, second):
        pipeline.alarms.waiting.append(alarm)
        pipeline.deliver()
    assert len(receiver.received) == 1
    assert len(pipeline.alarms.waiting) == 1


def test_an_alarm_before_the_time_makes_no_attempt(pipeline: Any, receiver: Any, clock: Any) -> None:
    """One of the due index, say, which knows no number; or an event's, that comes again after a retry was put off."""
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    [delivery] = pipeline.deliveries()
    queue.send(pipeline.ports, [Due(delivery.tenant, delivery.id, 0, 3000)])
    start = clock.now
    pipeline.advance(5)
    assert [int(headers["webhook-timestamp"]) - start for headers, _ in receiver.received] == [0, 5]


def test_an_alarm_of_an_attempt_that_was_made_makes_no_other_one_when_that_is_due(pipeline: Any, receiver: Any) -> None:
    """The next attempt has an alarm of its own, which may be in the hands of another worker at that moment."""
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    [first] = pipeline.alarms.waiting
    pipeline.deliver()
    [second] = pipeline.alarms.waiting
    pipeline.alarms.waiting = [first]
    pipeline.alarms.clock.advance(5)
    pipeline.deliver()
    assert (len(receiver.received), pipeline.alarms.waiting) == (1, [])
    pipeline.alarms.waiting = [second]
    pipeline.deliver()
    assert len(receiver.received) == 2


def test_ten_messages_are_a_hundred_deliveries_in_one_batch(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    for first in range(0, 100, 10):
        pipeline.publish(*(pipeline.event(number) for number in range(first, first + 10)))
    assert pipeline.deliver() == 10
    counted = pipeline.webhook(webhook)
    assert (counted.successes, counted.failures, len(receiver.received)) == (100, 0, 100)
    assert sorted(d.sequence for d in pipeline.deliveries() if d.state == "delivered") == list(range(1, 101))


def test_alarms_of_one_delivery_in_one_batch_make_one_attempt(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.alarms.waiting *= 3
    pipeline.deliver()
    assert len(receiver.received) == 1
    assert len(pipeline.alarms.waiting) == 1


def test_attempts_that_end_together_are_one_transaction(pipeline: Any, receiver: Any) -> None:
    together = threading.Barrier(8, timeout=10)

    def meet(request: Any) -> None:
        together.wait()
        request.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    receiver.behave = meet
    webhook = pipeline.register(receiver.url)
    pipeline.publish(*(pipeline.event(number) for number in range(8)))
    counting = FaultyEngine(pipeline.ports.engine)
    pipeline.on(counting)
    pipeline.deliver()
    assert pipeline.webhook(webhook).successes == 8
    assert counting.calls <= 2 + 8, "two reads, and as few writes as there were endings"


def test_an_alarm_of_a_delivery_that_is_gone_is_nothing(pipeline: Any) -> None:
    body = json.dumps({"tenant": pipeline.ctx.tenant.id, "deliveries": ["0" * 32], "attempt": 1})
    pipeline.ports.queue.send("queue", [Message(body, "t")])
    pipeline.deliver()
    assert pipeline.alarms.waiting == []


def test_one_message_of_our_own_fault_fails_alone(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event(1))
    pipeline.ports.queue.send("queue", [Message("no json", "t")])
    pipeline.deliver()
    assert len(receiver.received) == 1
    assert [message.body for _, message, _ in pipeline.alarms.waiting] == ["no json"]


def test_a_batch_is_sent_at_once(pipeline: Any, receiver: Any) -> None:
    together = threading.Barrier(5, timeout=10)

    def meet(request: Any) -> None:
        together.wait()
        request.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    receiver.behave = meet
    pipeline.register(receiver.url)
    pipeline.publish(*(pipeline.event(number) for number in range(1, 6)))
    pipeline.deliver()
    assert {delivery.state for delivery in pipeline.deliveries()} == {"delivered"}


def test_the_log_line_holds_nothing_personal(pipeline: Any, receiver: Any, log: io.StringIO) -> None:
    receiver.answer = (500, {}, b"echo: zoe@example.org")
    made = pipeline.created(receiver.url + "?token=hush")
    pipeline.publish(pipeline.event(1, first_name="Zoe", email="zoe@example.org", phone="+15125550101"))
    pipeline.deliver()
    said = log.getvalue()
    assert '"webhook.attempted"' in said
    for private in ("zoe@example.org", "Zoe", "5125550101", "hush", made.secret):
        assert private not in said


def test_a_failure_of_ours_is_logged_without_data(pipeline: Any, log: io.StringIO) -> None:
    pipeline.ports.queue.send("queue", [Message('{"tenant": "zoe@example.org"}', "t")])
    pipeline.deliver()
    said = log.getvalue()
    assert '"delivery.failed"' in said
    assert "zoe@example.org" not in said


@pytest.mark.parametrize("answer", [(204, {}, b""), DOWN], ids=["success", "failure"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("request_number", range(1, 4))
def test_a_crash_at_any_request_to_the_table_loses_nothing_and_repeats_at_most_once(
    request_number: int, after: Any, answer: Any, pipeline: Any, receiver: Any
) -> None:
    receiver.answers = [answer, answer] if answer is DOWN else []
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    faulty = FaultyEngine(pipeline.ports.engine)
    (faulty.fail_after if after else faulty.fail_before)(request_number, Crash())
    pipeline.on(faulty)
    with pytest.raises(Crash):
        pipeline.deliver()
    pipeline.advance(7200)
    [delivery] = pipeline.deliveries()
    assert delivery.state == "delivered"
    assert delivery.attempts <= len(receiver.received) <= delivery.attempts + 1
    assert len(pipeline.attempts()) == delivery.attempts


@pytest.mark.parametrize("seen_again", [True, False], ids=["the message is seen again", "the message is lost too"])
def test_a_crash_between_record_and_ring_is_mended(seen_again: Any, pipeline: Any, receiver: Any) -> None:
    receiver.answers = [DOWN]
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())

    def die() -> None:
        raise Crash

    pipeline.alarms.before_send = die
    with pytest.raises(Crash):
        pipeline.deliver()
    pipeline.alarms.before_send = lambda: None
    if not seen_again:
        pipeline.alarms.waiting.clear()
    pipeline.advance(5)
    assert len(receiver.received) == 1 + seen_again, "a message that is seen again rings in time"
    pipeline.advance(600)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]
    assert len(receiver.received) == 2
