from __future__ import annotations

import json
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadwire import events
from leadwire.dialects.public.faces import FACE_V2
from leadwire.store.faults import FaultyEngine
from leadwire.store.limits import LARGEST_TRANSACTION, MOST_TRANSACTED
from leadwire.store.types import Put
from leadwire.webhooks import endpoints, fanout, service
from leadwire.webhooks.changes import Changes
from leadwire.webhooks.model import Webhook
from tests import factories

HOOK = "https://example.com/hook"
BODIES = {size: "x" * size for size in (10, 290_000, 1_000_000)}


class Crash(BaseException):
    pass


def sequences(pipeline: Any) -> list[int]:
    return sorted(delivery.sequence for delivery in pipeline.deliveries())


def test_every_endpoint_that_wants_the_event_gets_a_delivery(pipeline: Any) -> None:
    wanted = {pipeline.register(HOOK).id, pipeline.register(HOOK + "2").id}
    service.create(pipeline.ctx, FACE_V2, event_types=frozenset({"MESSAGE_REPLY"}), url=HOOK)
    pipeline.publish(pipeline.event())
    assert {delivery.webhook for delivery in pipeline.deliveries()} == wanted


def test_the_body_carries_the_lead_the_event_and_the_endpoint(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    event = pipeline.event(3, first_name="Ana", last_name="Ruiz", source="popup", custom={"utm_source": "bing", "m": 1})
    pipeline.publish(event)
    [delivery] = pipeline.deliveries()
    body = json.loads(delivery.body)
    assert (body["eventType"], body["webhookId"], body["eventId"]) == ("LEAD_CREATED", webhook.id, event.id)
    assert (body["clientId"], body["companyId"]) == ("3", pipeline.ctx.tenant.id)
    assert body["leadInformation"]["name"] == "Ana Ruiz"
    assert body["leadInformation"]["additionalData"] == {"source": "popup", "m": 1}
    assert body["trackingData"] == {"source": "popup", "utm_source": "bing"}
    assert body["timestamp"].endswith("Z")


def test_sequences_number_the_deliveries_of_an_endpoint_without_gaps(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    pipeline.publish(*(pipeline.event(number) for number in range(1, 11)))
    pipeline.publish(pipeline.event(11))
    assert sequences(pipeline) == list(range(1, 12))
    assert pipeline.webhook(webhook).sequence == 11


def test_a_repeated_event_makes_nothing_twice_and_burns_no_number(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    first, second = pipeline.event(1), pipeline.event(2)
    pipeline.publish(first)
    assert pipeline.publish(first, second, second) == []
    assert sequences(pipeline) == [1, 2]
    assert pipeline.webhook(webhook).sequence == 2


def test_fan_outs_that_race_leave_no_gap(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    batches = [[pipeline.event(10 * batch + n) for n in range(5)] for batch in range(1, 9)]
    threads = [threading.Thread(target=pipeline.publish, args=batch) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sequences(pipeline) == list(range(1, 41))
    assert pipeline.webhook(webhook).sequence == 40


@given(st.lists(st.sampled_from(list(BODIES)), max_size=130))
@example([10] * 130)
def test_a_transaction_takes_no_more_deliveries_and_bytes_than_the_table_allows(sizes: list[int]) -> None:
    drafts: Any = [SimpleNamespace(number=at, body=BODIES[size]) for at, size in enumerate(sizes)]
    portions = list(fanout.portions(drafts))
    assert [draft for some in portions for draft in some] == drafts
    for some in portions:
        assert 1 <= len(some) <= fanout.PORTION < MOST_TRANSACTED
        assert sum(len(draft.body.encode()) for draft in some) <= fanout.PORTION_BYTES < LARGEST_TRANSACTION


def test_a_tenant_never_sees_an_event_of_another(pipeline: Any, ports: Any) -> None:
    pipeline.register(HOOK)
    other = factories.tenant(pipeline.ports, "other")
    pipeline.publish(replace(pipeline.event(), tenant=other.id))
    assert pipeline.deliveries() == []


def test_one_tenant_that_fails_does_not_fail_another(pipeline: Any) -> None:
    pipeline.register(HOOK)
    broken = replace(pipeline.event(1), tenant="f" * 16, lead={})
    pipeline.table.write(_orphan(pipeline, "f" * 16))
    assert pipeline.publish(broken, pipeline.event(2)) == ["m0"]
    assert len(pipeline.deliveries()) == 1


def test_a_message_that_is_no_event_fails_alone(pipeline: Any) -> None:
    pipeline.register(HOOK)
    good = {"messageId": "good", "body": json.dumps({"detail": json.loads(events.to_detail(pipeline.event()))})}
    records = [{"messageId": "bad", "body": "{}"}, good, {"messageId": "worse", "body": "nonsense"}]
    answer = fanout.fan_out(pipeline.ports, {FACE_V2.name: FACE_V2}, records)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["bad", "worse"]
    assert len(pipeline.deliveries()) == 1


def test_filters_choose_by_the_fields_of_the_lead(pipeline: Any) -> None:
    pipeline.register(HOOK, filters={"source": ["popup", "web%"], "tags": ["vip"]})
    pipeline.publish(pipeline.event(1, source="website", tags=["new", "vip"]))
    pipeline.publish(pipeline.event(2, source="phone", tags=["vip"]), pipeline.event(3, source="popup"))
    assert [json.loads(delivery.body)["clientId"] for delivery in pipeline.deliveries()] == ["1"]


def test_an_event_that_no_face_knows_reaches_nobody(pipeline: Any) -> None:
    pipeline.register(HOOK)
    pipeline.publish(replace(pipeline.event(), type=events.LEAD_UPDATED))
    assert pipeline.deliveries() == []


def test_an_alarm_that_the_queue_refuses_rings_from_the_due_index(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.alarms.refuse = 1
    pipeline.publish(pipeline.event())
    assert pipeline.alarms.waiting == []
    pipeline.advance(240)
    assert len(receiver.received) == 1
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]


def test_an_alarm_that_was_never_sent_is_set_when_its_event_comes_again(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    first, second = pipeline.event(1), pipeline.event(2)
    pipeline.alarms.before_send = _die
    with pytest.raises(Crash):
        pipeline.publish(first, second)
    pipeline.alarms.before_send = lambda: None
    assert pipeline.alarms.waiting == []
    assert pipeline.publish(first, second) == []
    pipeline.deliver()
    assert sequences(pipeline) == [1, 2]
    assert len(receiver.received) == 2


def test_an_event_that_comes_again_does_not_ring_for_what_was_tried(pipeline: Any, receiver: Any) -> None:
    receiver.answer = (500, {}, b"")
    pipeline.register(receiver.url)
    event = pipeline.event()
    pipeline.publish(event)
    pipeline.deliver()
    alarms = len(pipeline.alarms.sent)
    assert pipeline.publish(event) == []
    assert len(pipeline.alarms.sent) == alarms


def test_deliveries_that_are_born_together_share_their_alarms(pipeline: Any) -> None:
    for path in ("1", "2"):
        pipeline.register(HOOK + path)
    pipeline.publish(*(pipeline.event(number) for number in range(10)))
    assert [len(json.loads(message.body)["deliveries"]) for _, message in pipeline.alarms.sent] == [10, 10]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 4))
def test_a_crash_at_any_request_to_the_table_makes_each_delivery_once(
    number: int, after: Any, pipeline: Any, receiver: Any
) -> None:
    pipeline.register(receiver.url)
    batch = [pipeline.event(1), pipeline.event(2)]
    healthy, faulty = pipeline.ports.engine, FaultyEngine(pipeline.ports.engine)
    (faulty.fail_after if after else faulty.fail_before)(number, Crash())
    pipeline.on(faulty)
    with pytest.raises(Crash):
        pipeline.publish(*batch)
    pipeline.on(healthy)
    assert pipeline.publish(*batch) == []
    pipeline.advance(240)
    assert sequences(pipeline) == [1, 2]
    assert len(receiver.received) == 2
    assert not [item for item in pipeline.items() if "g2pk" in item], "nothing is left to ring"


def test_disabling_while_events_fan_out_never_loses_one(pipeline: Any, receiver: Any) -> None:
    webhook = pipeline.register(receiver.url)
    started = threading.Event()

    def fan_out() -> None:
        for number in range(1, 21):
            pipeline.publish(pipeline.event(number))
            started.set()

    thread = threading.Thread(target=fan_out)
    thread.start()
    started.wait(10)
    for enabled in (False, True) * 3:
        service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(enabled=enabled))
    thread.join()
    pipeline.advance(25 * 3600)
    assert {delivery.state for delivery in pipeline.deliveries()} == {"delivered"}
    assert len(receiver.received) == 20


def _die() -> None:
    raise Crash


def _orphan(pipeline: Any, tenant: str) -> Any:
    """An endpoint of a tenant that does not exist: only a bug of ours could leave one."""
    orphan = Webhook(id="w", face=FACE_V2.name, event_types=frozenset({"LEAD_CREATED"}), url=HOOK)
    return Put(endpoints.item(tenant, orphan))
