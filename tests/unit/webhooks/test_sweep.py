from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from leadwire import keys
from leadwire.store.faults import FaultyEngine
from leadwire.webhooks import queue, retry, store
from leadwire.webhooks.queue import Due
from leadwire.webhooks.sweep import PAGE, sweep

DOWN = (500, {}, b"")
HALF_AN_HOUR = 1800.0


class Crash(BaseException):
    pass


def lost_alarms(pipeline: Any, count: int) -> None:
    """So many deliveries are born, and the queue refuses every alarm of theirs."""
    pipeline.alarms.refuse = count
    for first in range(0, count, 10):
        pipeline.publish(*(pipeline.event(number) for number in range(first + 1, min(first + 10, count) + 1)))
    pipeline.alarms.refuse = 0


def test_what_rings_within_the_next_minute_gets_an_alarm_for_that_moment(pipeline: Any, clock: Any) -> None:
    pipeline.register("https://example.com")
    lost_alarms(pipeline, 1)
    clock.advance(59)
    assert sweep(pipeline.ports) == 0
    clock.advance(31)
    assert sweep(pipeline.ports) == 1
    [(rings, _, _)] = pipeline.alarms.waiting
    assert rings == clock.now + 30


def test_what_has_an_alarm_gets_no_second_one_in_the_next_minute(pipeline: Any, clock: Any) -> None:
    pipeline.register("https://example.com")
    lost_alarms(pipeline, 1)
    clock.advance(120)
    assert [sweep(pipeline.ports) for _ in range(3)] == [1, 0, 0]
    clock.advance(60)
    assert sweep(pipeline.ports) == 0


def test_an_alarm_that_is_lost_again_is_set_again(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    lost_alarms(pipeline, 1)
    pipeline.alarms.clock.advance(120)
    sweep(pipeline.ports)
    pipeline.alarms.waiting.clear()
    pipeline.advance(17 * 60)
    assert len(receiver.received) == 1


def test_many_pages_are_swept(pipeline: Any, clock: Any) -> None:
    pipeline.register("https://example.com")
    lost_alarms(pipeline, 8 * PAGE + 200)
    clock.advance(120)
    assert sweep(pipeline.ports) == 8 * PAGE + 200
    assert sweep(pipeline.ports) == 0
    rung = [one for _, message, _ in pipeline.alarms.waiting for one in json.loads(message.body)["deliveries"]]
    assert len(rung) == len(set(rung)) == 8 * PAGE + 200


def test_what_the_queue_refuses_is_due_again_in_the_next_minute(pipeline: Any, clock: Any) -> None:
    pipeline.register("https://example.com")
    lost_alarms(pipeline, 1)
    clock.advance(30)
    lost_alarms(pipeline, 2)
    clock.advance(120)
    pipeline.alarms.refuse = 1
    refused = sweep(pipeline.ports)
    assert refused < 3
    assert sweep(pipeline.ports) == 3 - refused


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_between_alarm_and_postponing_only_rings_twice(after: Any, pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    lost_alarms(pipeline, 1)
    pipeline.alarms.clock.advance(120)
    healthy, faulty = pipeline.ports.engine, FaultyEngine(pipeline.ports.engine)
    (faulty.fail_after if after else faulty.fail_before)(9, Crash())  # eight shards are read, then one item is written
    pipeline.on(faulty)
    with pytest.raises(Crash):
        sweep(pipeline.ports)
    pipeline.on(healthy)
    pipeline.advance(3600)
    assert len(receiver.received) == 1


def test_a_late_retry_has_no_message_until_it_is_near(pipeline: Any, receiver: Any) -> None:
    receiver.answer = DOWN
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    waited = sum(retry.SCHEDULES["long"][:2])
    pipeline.advance(waited + HALF_AN_HOUR - 120)
    assert len(receiver.received) == 3
    assert pipeline.alarms.waiting == []
    pipeline.advance(121)
    assert len(receiver.received) == 4


def test_what_moves_on_while_it_is_swept_keeps_its_own_time(pipeline: Any, clock: Any) -> None:
    pipeline.register("https://example.com")
    lost_alarms(pipeline, 1)
    clock.advance(120)
    [read], now = pipeline.deliveries(), pipeline.ctx.now_ms()
    later = replace(read, next_at=now + 86_400_000)

    def attempt() -> None:
        assert store.move(pipeline.ctx.table, read, later, now)

    pipeline.alarms.before_send = attempt
    sweep(pipeline.ports)
    assert [item["g2sk"] for item in pipeline.items() if "g2sk" in item] == [keys.due_time(later.next_at)]


def test_an_alarm_never_rings_before_its_time(pipeline: Any) -> None:
    queue.send(pipeline.ports, [Due("t", f"d{wait}", 1, wait) for wait in (-5, 0, 1, 999, 1000, 1001)])
    delays = {
        one: message.delay for _, message in pipeline.alarms.sent for one in json.loads(message.body)["deliveries"]
    }
    assert delays == {"d-5": 0, "d0": 0, "d1": 1, "d999": 1, "d1000": 1, "d1001": 2}


def test_a_message_has_ten_deliveries_at_most(pipeline: Any) -> None:
    queue.send(pipeline.ports, [Due("t", str(number), 1, 0) for number in range(25)])
    assert [len(json.loads(message.body)["deliveries"]) for _, message in pipeline.alarms.sent] == [10, 10, 5]
