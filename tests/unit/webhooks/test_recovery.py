"""Resend, recover since, replay missing, ping, dry run, and the log that shows what became of it all."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks import Webhook as Library

from leadwire import events, ids
from leadwire.dialects.public.faces import FACE_V2
from leadwire.errors import Conflict, InvalidInput, NotFound
from leadwire.store.table import Meter
from leadwire.webhooks import log, recovery, retry, service, store
from leadwire.webhooks.changes import Changes
from leadwire.webhooks.log import Wanted
from tests.unit.webhooks.conftest import BY_NAME

DOWN = (500, {}, b"down")
DAY = 86_400
ALL_TRIES = sum(retry.SCHEDULES["long"]) + 3600


def exhausted(pipeline: Any, receiver: Any, count: int = 1) -> Any:
    """An endpoint whose deliveries were all given up, one a day, and which works again since."""
    receiver.answer = DOWN
    webhook = pipeline.register(receiver.url)
    for number in range(count):
        pipeline.publish(pipeline.event(number))
        pipeline.advance(60)
    pipeline.advance(ALL_TRIES)
    assert {delivery.state for delivery in pipeline.deliveries()} == {"exhausted"}
    receiver.answer = (204, {}, b"")
    receiver.received.clear()
    return webhook


def start_of(event: str) -> str:
    return ids.first_ulid(ids.ulid_ms(event))


def test_a_delivery_is_resent_under_its_own_id_with_its_whole_schedule(pipeline: Any, receiver: Any) -> None:
    exhausted(pipeline, receiver)
    [delivery] = pipeline.deliveries()
    receiver.answers = [DOWN, DOWN]
    recovery.resend(pipeline.ctx, delivery.id)
    pipeline.advance(400)
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {delivery.message_id}
    [after] = pipeline.deliveries()
    assert (after.state, after.attempts, len(receiver.received)) == ("delivered", 13, 3)
    recovery.resend(pipeline.ctx, delivery.id)
    pipeline.deliver()
    assert [event.type for event in pipeline.told()][-2:] == ["webhook.exhausted", "webhook.recovered"], "once"


def test_what_was_delivered_can_be_resent(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    recovery.resend(pipeline.ctx, pipeline.deliveries()[0].id)
    pipeline.deliver()
    assert len(receiver.received) == 2
    assert pipeline.told() == []


def test_a_delivery_that_is_resent_again_and_again_stays_small_and_shows_every_attempt(
    pipeline: Any, receiver: Any
) -> None:
    receiver.answer = (200, {}, b"ok")
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    for _ in range(14):
        recovery.resend(pipeline.ctx, pipeline.deliveries()[0].id)
        pipeline.alarms.clock.advance(1)
        pipeline.deliver()
    [delivery] = pipeline.deliveries()
    assert (delivery.attempts, len(delivery.noted)) == (15, 10)
    at = [attempt["at"] for attempt in pipeline.attempts()]
    assert (len(set(at)), at) == (15, sorted(at))


def test_resending_what_is_not_there_or_cannot_be_sent_is_refused(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    for unknown in ("0" * 32, "../x", ""):
        with pytest.raises(NotFound):
            recovery.resend(pipeline.ctx, unknown)
    service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=False))
    with pytest.raises(Conflict):
        recovery.resend(pipeline.ctx, pipeline.deliveries()[0].id)


def test_recover_counts_first_and_then_resends_what_was_given_up_since(pipeline: Any, receiver: Any) -> None:
    webhook = exhausted(pipeline, receiver, count=4)
    events = sorted(delivery.event for delivery in pipeline.deliveries())
    since = start_of(events[1])
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=True) == recovery.Again(3, None)
    assert receiver.received == []
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=False) == recovery.Again(3, None)
    pipeline.advance(2000)
    assert [delivery.state for delivery in pipeline.deliveries()] == ["exhausted"] + ["delivered"] * 3
    assert len(receiver.received) == 3
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=True) == recovery.Again(0, None)


def test_recovering_many_takes_few_round_trips(pipeline: Any, receiver: Any) -> None:
    webhook = exhausted(pipeline, receiver, count=5)
    since = start_of(min(delivery.event for delivery in pipeline.deliveries()))
    ctx = replace(pipeline.ctx, table=replace(pipeline.ctx.table, meter=Meter()))
    assert recovery.recover(ctx, webhook.id, since, count=False).deliveries == 5
    assert ctx.table.meter.trips == 4, "the endpoint, the index, the deliveries, and all of their writes"


def test_what_the_index_still_calls_given_up_is_not_resent_again(pipeline: Any, receiver: Any) -> None:
    webhook = exhausted(pipeline, receiver)
    since = start_of(pipeline.deliveries()[0].event)
    pipeline.base.lag_indexes(DAY)
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=False).deliveries == 1
    pipeline.deliver()
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=True).deliveries == 1, "the index lags"
    assert recovery.recover(pipeline.ctx, webhook.id, since, count=False).deliveries == 0
    pipeline.deliver()
    assert len(receiver.received) == 1


def test_what_was_erased_is_not_replayed(pipeline: Any, receiver: Any) -> None:
    event = pipeline.event(1, first_name="Zoe")
    [item] = [item for item in pipeline.items() if item["sk"] == f"EVT#{event.id}"]
    pipeline.ctx.table.write(events.emptied(item))
    webhook = pipeline.register(receiver.url)
    again = recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, start_of(event.id), count=False)
    assert (again.deliveries, pipeline.deliveries()) == (0, [])


def test_a_call_that_stops_says_where_and_the_next_one_goes_on(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MOST", 2)
    webhook = exhausted(pipeline, receiver, count=5)
    low, counts = start_of(min(delivery.event for delivery in pipeline.deliveries())), []
    while low:
        again = recovery.recover(pipeline.ctx, webhook.id, low, count=False)
        counts.append(again.deliveries)
        low = again.next
    assert counts == [2, 2, 1]
    pipeline.advance(2000)
    assert {delivery.state for delivery in pipeline.deliveries()} == {"delivered"}


def test_replay_missing_makes_what_the_endpoint_never_got_and_nothing_twice(pipeline: Any, receiver: Any) -> None:
    early = [pipeline.event(number, source="web" if number % 2 else "phone") for number in range(6)]
    pipeline.advance(2 * DAY)
    webhook = pipeline.register(receiver.url, filters={"source": ["web"]})
    late = pipeline.event(7, source="web")
    pipeline.publish(late)
    since = start_of(early[0].id)
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=True).deliveries == 3
    assert len(pipeline.deliveries()) == 1
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=False).deliveries == 3
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=False).deliveries == 0
    pipeline.advance(60)
    assert len(receiver.received) == 4
    assert sorted(delivery.sequence for delivery in pipeline.deliveries()) == [1, 2, 3, 4]


def test_replay_missing_walks_the_journal_in_steps(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MOST", 3)
    first = pipeline.event(0)
    for number in range(1, 8):
        pipeline.advance(DAY / 2)
        pipeline.event(number)
    webhook = pipeline.register(receiver.url)
    low, made = start_of(first.id), 0
    while low:
        again = recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, low, count=False)
        made, low = made + again.deliveries, again.next
    assert made == 8 == len(pipeline.deliveries())


def test_a_page_ends_with_an_event_so_that_counting_in_steps_counts_each_once(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MOST_COUNTED", 3)
    webhook = exhausted(pipeline, receiver, count=2)
    low = start_of(min(delivery.event for delivery in pipeline.deliveries()))
    for delivery in pipeline.deliveries():  # an event that is two words to its endpoint
        twin = replace(delivery, id=delivery.id[::-1], sequence=delivery.sequence + 100)
        pipeline.ctx.table.write(store.new_delivery(twin, due=False))
    first = recovery.recover(pipeline.ctx, webhook.id, low, count=True)
    assert first == recovery.Again(4, None)


def test_first_alarms_that_somebody_deleted_are_set_again_by_replay_missing(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    event = pipeline.event()
    pipeline.publish(event)
    pipeline.alarms.waiting.clear()
    since = start_of(event.id)
    pipeline.advance(1800)
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=True).deliveries == 0, "may come yet"
    pipeline.advance(1801)
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=True).deliveries == 1
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=False).deliveries == 1
    pipeline.advance(60)
    assert len(receiver.received) == 1
    assert recovery.replay_missing(pipeline.ctx, BY_NAME, webhook.id, since, count=False).deliveries == 0


def test_a_ping_is_signed_sent_once_and_takes_a_number(pipeline: Any, receiver: Any, clock: Any) -> None:
    clock.now = time.time()
    made = pipeline.created(receiver.url)
    receiver.answer = DOWN
    recovery.ping(pipeline.ctx, FACE_V2, made.webhook)
    pipeline.advance(7200)
    [(headers, body)] = receiver.received
    assert headers["webhook-id"].endswith("_1")
    assert f'"webhookId":"{made.webhook.id}"' in body
    [delivery] = pipeline.deliveries()
    assert (delivery.type, delivery.state) == ("ping", "exhausted")
    clock.now = time.time()
    Library(made.secret).verify(body, {**headers, **_signed_now(pipeline, made, delivery)})


def _signed_now(pipeline: Any, made: Any, delivery: Any) -> dict[str, str]:
    from leadwire.webhooks import signing  # noqa: PLC0415  # only here

    return signing.headers(delivery.message_id, int(time.time()), delivery.body, [made.secret])


def test_a_disabled_endpoint_is_not_pinged(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    disabled = service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=False))
    with pytest.raises(Conflict):
        recovery.ping(pipeline.ctx, FACE_V2, disabled)


def test_a_dry_run_tells_what_would_be_sent_and_why_not(pipeline: Any, receiver: Any) -> None:
    plain = pipeline.register(receiver.url)
    filtered = pipeline.register(receiver.url, filters={"source": ["web"]})
    other = service.create(pipeline.ctx, FACE_V2, event_types=frozenset({"MESSAGE_REPLY"}), url=receiver.url).webhook
    off = pipeline.register(receiver.url)
    service.update(pipeline.ctx, FACE_V2, off.id, Changes(enabled=False))
    event = pipeline.event(1, source="phone")
    verdicts = {one.webhook.id: one for one in recovery.dry_run(pipeline.ctx, BY_NAME, event.id)}
    assert verdicts[plain.id].because == []
    assert verdicts[filtered.id].because == ["the filter on source does not pass"]
    assert verdicts[other.id].because == ["the webhook did not ask for LEAD_CREATED"]
    assert verdicts[off.id].because == ["the webhook is disabled: the delivery would be held"]
    assert receiver.received == []
    pipeline.publish(event)
    [known] = next(v for v in recovery.dry_run(pipeline.ctx, BY_NAME, event.id) if v.webhook.id == plain.id).deliveries
    assert known.state == "pending"


@pytest.mark.parametrize("event", ["01M80000000000000000000001", "nonsense", "", "0" * 26])
def test_a_dry_run_of_an_event_that_never_was_is_refused(event: str, pipeline: Any) -> None:
    with pytest.raises(NotFound):
        recovery.dry_run(pipeline.ctx, BY_NAME, event)


def test_since_reaches_back_as_far_as_deliveries_are_kept(pipeline: Any) -> None:
    now = pipeline.ctx.now_ms()
    assert recovery.since(now - 89 * DAY * 1000, now)
    for beyond in (now - 91 * DAY * 1000, now + 1):
        with pytest.raises(InvalidInput):
            recovery.since(beyond, now)


# --- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_shows_each_attempt_of_every_endpoint_newest_event_first(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [(500, {}, b"first words"), (204, {}, b"")]
    pipeline.register(receiver.url)
    pipeline.register(receiver.url + "2")
    pipeline.publish(pipeline.event(1))
    pipeline.advance(10)
    pipeline.publish(pipeline.event(2))
    pipeline.advance(10)
    found = log.page(pipeline.ctx, Wanted(), 10)
    assert [one.delivery.event for one in found.logged] == sorted(
        (d.event for d in pipeline.deliveries()), reverse=True
    )
    assert found.next is None
    [first] = [one.attempts[0] for one in found.logged if len(one.attempts) == 2]
    assert (first["status"], first["body"], first["error"]) == (500, "first words", "the answer was HTTP 500")
    assert first["next_at"] > first["at"]
    assert first["ms"] >= 0


def test_pages_of_the_log_neither_skip_nor_repeat(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.register(receiver.url + "2")
    for number in range(7):
        pipeline.publish(pipeline.event(number))
        pipeline.advance(1)
    seen, after = [], ""
    while True:
        found = log.page(pipeline.ctx, Wanted(), 3, after)
        seen += [one.delivery.id for one in found.logged]
        if found.next is None:
            break
        after = found.next
    assert len(seen) == len(set(seen)) == 14


def test_the_log_is_filtered_by_endpoint_state_type_and_time(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [DOWN]
    webhook = pipeline.register(receiver.url)
    other = pipeline.register(receiver.url + "2")
    service.update(pipeline.ctx, FACE_V2, other.id, Changes(enabled=False))
    pipeline.publish(pipeline.event(1))
    pipeline.deliver()
    at = pipeline.ctx.now_ms()
    pipeline.alarms.clock.advance(2)
    pipeline.publish(pipeline.event(2))

    def count(**wanted: Any) -> int:
        return len(log.page(pipeline.ctx, Wanted(**wanted), 10).logged)

    assert (count(), count(webhook=webhook.id), count(state="held"), count(state="pending")) == (4, 2, 2, 2)
    assert (count(type="LEAD_CREATED"), count(type="ping")) == (4, 0)
    assert (count(since=at + 1000), count(until=at + 1000)) == (2, 2)


@pytest.mark.parametrize("cursor", ["x", "a.b.c", "..", "01M80000000000000000000001"])
def test_a_cursor_that_is_none_is_refused(cursor: str, pipeline: Any) -> None:
    with pytest.raises(InvalidInput):
        log.page(pipeline.ctx, Wanted(), 10, cursor)


def test_the_log_of_another_tenant_is_not_there(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    [delivery] = pipeline.deliveries()
    from tests import factories  # noqa: PLC0415  # only here

    stranger = factories.ctx(pipeline.ports, factories.tenant(pipeline.ports, "other"))
    with pytest.raises(NotFound):
        log.find(replace(stranger), delivery.id)
    assert log.page(stranger, Wanted(webhook=delivery.webhook), 10).logged == []


def test_deliveries_and_attempts_are_kept_for_ninety_days(pipeline: Any, receiver: Any) -> None:
    receiver.answers = [DOWN]
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    kept = [i for i in pipeline.items() if i["sk"] == "DLV" or i["sk"].startswith("ATT#")]
    assert [item["expires_at"] for item in kept] == [pipeline.ctx.now_ms() // 1000 + 90 * DAY] * 2
