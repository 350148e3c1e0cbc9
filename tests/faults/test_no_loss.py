"""No event is lost, wherever a worker dies, whoever is throttled, whichever part of a batch is refused.

From the lead's transaction to the receiver's socket, on the embedded cloud with the template's own queues and retries:
relay, fan-out, delivery and sweep are stopped before and after each call in every position, one position a round.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadwire import ids, tenants
from leadwire.context import Ctx
from leadwire.dialects.chatbot.faces import FACE as CHATBOT
from leadwire.dialects.public.faces import FACE_V2
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.webhooks import attempts, service, store
from leadwire.webhooks.model import Delivery, Webhook
from local.world import World
from tests.faults.injector import InjectedEngine, InjectedQueue, Injector, Moment, Stopped, inject

ROOT = Path(__file__).resolve().parents[2]
LEADS = 2
DOWN = (500, {}, b"down")


@dataclass
class Road:
    """The way of an event from a lead to two endpoints of two faces."""

    world: World
    ctx: Ctx
    injector: Injector
    webhooks: list[Webhook]
    receiver: Any
    phone: Iterator[int]

    def happen(self, count: int = LEADS) -> list[str]:
        """So many leads are born; the ids of their events."""
        drafts = [Lead(first_name="Ada", phone=f"+1415{next(self.phone)}") for _ in range(count)]
        return [leads.create(self.ctx, draft).lead.event for draft in drafts]

    def run(self) -> bool:
        """What is due at once. Whether a worker was stopped on the way."""
        try:
            self.world.settle()
        except Stopped:
            return True
        return False

    def deliveries(self) -> list[Delivery]:
        return [store.delivery_of(item) for item in self.items("DLV")]

    def items(self, sk: str) -> list[Any]:
        return [item for item in table(self.world) if item["sk"] == sk]

    def attempts(self) -> list[Any]:
        """Of all deliveries, as their owners see them."""
        return list(itertools.chain.from_iterable(attempts.of_deliveries(self.ctx.table, self.deliveries())))

    def nothing_is_stuck(self) -> None:
        """Whatever waits will be woken: by the due index, by an alarm, or by its event, which will come again."""
        waiting = [item for item in self.items("DLV") if item["state"] in ("pending", "held") and "g2pk" not in item]
        queues = self.world.queues
        alarms = [json.loads(message.body) for message in queues.waiting("DeliveriesQueue")]
        coming = [json.loads(message.body)["detail"]["id"] for message in queues.waiting("EventsQueue")]
        rings = {delivery for alarm in alarms for delivery in alarm["deliveries"]}
        stuck = [one for one in map(store.delivery_of, waiting) if one.id not in rings and one.event not in coming]
        assert stuck == []

    def everything_arrived(self, events: list[str]) -> None:
        arrived = Counter(headers["webhook-id"] for headers, _ in self.receiver.received)
        made = {(d.event, d.webhook): d for d in self.deliveries()}
        for event, webhook in itertools.product(events, self.webhooks):
            delivery = made[event, webhook.id]
            assert delivery.state == "delivered"
            assert arrived[delivery.message_id] >= 1

    def duplicates(self) -> int:
        """Requests that were made and not recorded, so that they were made again."""
        return len(self.receiver.received) - sum(delivery.attempts for delivery in self.deliveries())


def table(world: World) -> list[Any]:
    with world.database.read() as connection:
        keys = connection.execute("SELECT DISTINCT pk, sk FROM items").fetchall()
    from leadwire.store.types import Key  # noqa: PLC0415  # only here

    found = [world.table.get(Key(pk, sk), consistent=True)[0] for pk, sk in keys]
    return [item for item in found if item is not None]


@pytest.fixture
def road(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    ctx = tenants.operate(world.ports, tenants.create(world.ports, "acme", "Acme"), "tests")
    made = [
        service.create(ctx, face, event_types=frozenset({"LEAD_CREATED"}), url=receiver.url).webhook
        for face in (FACE_V2, CHATBOT)
    ]
    yield Road(world, ctx, inject(world, monkeypatch), made, receiver, itertools.count(2_000_000))
    world.close()


@pytest.mark.parametrize("answers", [[], [DOWN]], ids=["receiver up", "receiver fails first"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_at_any_call_loses_nothing_and_repeats_at_most_one_request(
    moment: Moment, answers: list[Any], road: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    crashes, events, places = 0, list[str](), Counter[str]()
    for position in itertools.count(1):
        duplicates = road.duplicates()
        born = road.happen()
        road.receiver.answers = list(answers)
        road.injector.arm(position, moment)
        stopped = road.run()
        road.injector.disarm()
        road.nothing_is_stuck()
        road.world.advance(minutes=31)
        road.everything_arrived(born)
        events += born
        if not stopped:
            break
        crashes += 1
        places[road.injector.stopped_at] += 1
        assert road.duplicates() - duplicates <= len(road.webhooks) * LEADS, "a batch of that size died at most"
        assert road.duplicates() - duplicates <= 1 + road.injector.calls.count("http")
    sequences = Counter((d.webhook, d.sequence) for d in road.deliveries())
    assert max(sequences.values()) == 1
    assert {webhook for webhook, _ in sequences} == {webhook.id for webhook in road.webhooks}
    with capsys.disabled():
        report(f"stopped {moment}, {'fails first' if answers else 'up'}", crashes, events, road, places)


def report(title: str, crashes: int, events: list[str], road: Road, places: Counter[str]) -> None:
    per = 1000 / max(1, crashes)
    made = len(road.deliveries())
    at = ", ".join(f"{count} at {name}" for name, count in places.items())
    print(  # noqa: T201  # what the proof is for
        f"\n{title}: {crashes} crashes ({at}); {len(events)} events, {made} deliveries, all arrived,"
        f" {road.duplicates()} duplicates: {road.duplicates() * per:.0f} per 1,000 crashes"
    )


def test_throttles_of_the_table_lose_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadwire.store.table.time.sleep", lambda _seconds: None)
    engine = road.world.engine
    assert isinstance(engine, InjectedEngine)
    born = list[str]()
    for _ in range(10):
        born += road.happen()
        engine.throttle_share(0.6)
        road.world.settle()
        road.nothing_is_stuck()
        engine.heal()
    road.world.advance(hours=2)
    road.everything_arrived(born)
    counted = [service.get(road.ctx, face, one.id) for face, one in zip((FACE_V2, CHATBOT), road.webhooks, strict=True)]
    made = Counter(attempt["status"] for attempt in road.attempts())
    assert sum(webhook.successes for webhook in counted) == made[204] == 40


def test_refused_parts_of_batches_lose_nothing(road: Road) -> None:
    queue = road.world._queue
    assert isinstance(queue, InjectedQueue)
    born = list[str]()
    for refuse in (1, 2, 3, 0):
        born += road.happen(5)
        queue.refuse = refuse
        road.world.bus.refuse(3)
        road.world.settle()
        road.nothing_is_stuck()
    queue.refuse = 0
    road.world.advance(hours=1)
    road.everything_arrived(born)
    assert road.duplicates() == 0


def test_a_message_that_the_queue_loses_is_only_an_alarm(road: Road) -> None:
    road.receiver.answers = [DOWN] * 4
    born = road.happen()
    road.world.settle()
    with road.world.database.write() as connection:
        connection.execute("DELETE FROM queue_messages")
    road.nothing_is_stuck()
    road.world.advance(minutes=31)
    road.everything_arrived(born)


def test_an_event_that_comes_many_times_is_delivered_once(road: Road) -> None:
    [event] = road.happen(1)
    message = {"detail": json.loads(_detail(road, event))}
    for n in range(5):
        record = {"messageId": str(n), "body": json.dumps(message), "attributes": {}}
        assert road.world.invoke("FanOutWebhooks", {"Records": [record]}) == {"batchItemFailures": []}
    road.world.advance(minutes=31)
    assert len(road.receiver.received) == len(road.webhooks)


def _detail(road: Road, event: str) -> str:
    from leadwire import events  # noqa: PLC0415  # only here

    [item] = [item for item in table(road.world) if item["sk"] == f"EVT#{event}"]
    assert ids.ulid_ms(event) == item["at"]
    return events.to_detail(events.from_item(item))
