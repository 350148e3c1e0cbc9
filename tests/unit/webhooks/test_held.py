"""What was held while an endpoint was disabled, in shares: however much it is, the owner's request answers in time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from leadwire.dialects.public.faces import FACE_V2
from leadwire.store.faults import FaultyEngine
from leadwire.webhooks import held, queue, service
from leadwire.webhooks.changes import Changes

HOUR = 3600


@pytest.fixture(autouse=True)
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "SHARE", 3)
    monkeypatch.setattr(held, "PAGE", 2)


def disabled(pipeline: Any, url: str, count: int) -> Any:
    """An endpoint for which so many deliveries are held."""
    webhook = pipeline.register(url)
    switch(pipeline, webhook, enabled=False)
    pipeline.publish(*(pipeline.event(number) for number in range(count)))
    assert states(pipeline, webhook) == {"held": count}
    return webhook


def switch(pipeline: Any, webhook: Any, *, enabled: bool) -> None:
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=enabled))


def states(pipeline: Any, webhook: Any) -> Counter[str]:
    return Counter(delivery.state for delivery in pipeline.deliveries() if delivery.webhook == webhook.id)


def test_enabling_releases_a_share_at_once_and_the_workers_the_rest(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 8)
    switch(pipeline, webhook, enabled=True)
    assert states(pipeline, webhook) == {"pending": 3, "held": 5}
    pipeline.advance(3)
    assert states(pipeline, webhook) == {"delivered": 8}
    assert len(receiver.received) == 8
    pipeline.advance(25 * HOUR)
    assert len(receiver.received) == 8
    assert not [item for item in pipeline.items() if "g2pk" in item or "g3pk" in item]


def test_what_is_released_comes_in_the_order_of_its_events(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 5)
    switch(pipeline, webhook, enabled=True)
    released = [delivery.sequence for delivery in pipeline.deliveries() if delivery.state == "pending"]
    assert released == [1, 2, 3]


def test_a_share_is_all_that_a_request_works_on(pipeline: Any) -> None:
    calls = []
    for count in (8, 40):
        webhook = disabled(pipeline, "https://example.com/hook", count)
        engine = FaultyEngine(pipeline.ports.engine)
        ctx = replace(pipeline.ctx, table=replace(pipeline.ctx.table, engine=engine))
        service.update(ctx, FACE_V2, webhook.id, Changes(enabled=True))
        service.delete(ctx, FACE_V2, webhook.id)
        calls.append(engine.calls)
    assert calls[0] == calls[1]


def test_who_enables_twice_releases_once(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 2)
    pipeline.base.lag_indexes(HOUR)
    for _ in range(2):
        switch(pipeline, webhook, enabled=True)
    assert len(pipeline.alarms.sent) == 1
    pipeline.deliver()
    assert len(receiver.received) == 2


def test_an_endpoint_that_is_disabled_again_keeps_what_was_not_released(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 5)
    switch(pipeline, webhook, enabled=True)
    switch(pipeline, webhook, enabled=False)
    pipeline.advance(HOUR)
    assert (states(pipeline, webhook), receiver.received) == ({"held": 5}, [])


def test_what_the_workers_could_not_be_told_of_follows_within_a_day(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 5)
    pipeline.alarms.refuse = 3  # two pages of alarms, and what is left
    switch(pipeline, webhook, enabled=True)
    assert pipeline.alarms.waiting == []
    pipeline.advance(25 * HOUR)
    assert states(pipeline, webhook) == {"delivered": 5}
    assert len(receiver.received) == 5


def test_a_worker_that_cannot_hand_on_what_is_left_is_told_again(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 9)
    switch(pipeline, webhook, enabled=True)
    pipeline.deliver()
    pipeline.alarms.clock.advance(1)
    pipeline.alarms.refuse = 3  # two pages of alarms, and what is left
    pipeline.deliver()
    assert [times for _, _, times in pipeline.alarms.waiting] == [2]
    pipeline.advance(10)
    assert states(pipeline, webhook)["held"] == 0
    pipeline.advance(300)
    assert states(pipeline, webhook) == {"delivered": 9}


def test_an_endpoint_that_is_gone_is_not_released(pipeline: Any, receiver: Any) -> None:
    webhook = disabled(pipeline, receiver.url, 5)
    service.delete(pipeline.ctx, FACE_V2, webhook.id)
    assert states(pipeline, webhook) == {"closed": 3, "held": 2}
    queue.release(pipeline.ports, pipeline.ctx.tenant.id, webhook.id)
    pipeline.advance(HOUR)
    assert states(pipeline, webhook) == {"closed": 3, "held": 2}
    pipeline.advance(25 * HOUR)
    assert states(pipeline, webhook) == {"closed": 5}
    assert receiver.received == []
    assert not [item for item in pipeline.items() if "g2pk" in item or "g3pk" in item]
