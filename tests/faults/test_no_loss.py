"""No event is lost, wherever a worker dies, whoever is throttled, whichever part of a batch is refused.

From the lead's transaction to the receiver's socket, on the embedded cloud with the template's own queues and retries:
relay, fan-out, delivery and sweep are stopped before and after each call in every position, one position a round, with
one to five leads at once.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
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
CRASHES = int(os.environ.get("LEADWIRE_CRASHES", "120"))
"""So many at least; `make test-crashes` dies a thousand times and more."""
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
        lanes = ("DeliveriesQueue", "SlowDeliveriesQueue")
        alarms = [json.loads(message.body) for lane in lanes for message in queues.waiting(lane)]
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


@contextmanager
def opened(receiver: Any) -> Iterator[Road]:
    receiver.received.clear()
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    ctx = tenants.operate(world.ports, tenants.create(world.ports, "acme", "Acme"), "tests")
    made = [
        service.create(ctx, face, event_types=frozenset({"LEAD_CREATED"}), url=receiver.url).webhook
        for face in (FACE_V2, CHATBOT)
    ]
    with closing(world), pytest.MonkeyPatch.context() as patch:
        yield Road(world, ctx, inject(world, patch), made, receiver, itertools.count(2_000_000))


@pytest.fixture
def road(receiver: Any) -> Iterator[Road]:
    with opened(receiver) as one:
        yield one


@dataclass
class Tally:
    """What happened in all rounds so far."""

    crashes: int = 0
    events: int = 0
    deliveries: int = 0
    duplicates: int = 0
    places: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        at = ", ".join(f"{count} at {name}" for name, count in sorted(self.places.items()))
        per = 1000 * self.duplicates / max(1, self.crashes)
        return (
            f"{self.crashes} crashes ({at}); {self.events} events, {self.deliveries} deliveries, 0 lost, 0 stuck,"
            f" {self.duplicates} duplicates: {per:.0f} per 1,000 crashes"
        )


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    made = Tally()
    yield made
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nworkers that died anywhere: {made}")  # noqa: T201  # what the proof is for


@pytest.mark.parametrize("answers", [[], [DOWN]], ids=["receiver up", "receiver fails first"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_that_dies_at_any_call_loses_nothing_and_repeats_what_it_had_sent_at_most(
    moment: Moment, answers: list[Any], receiver: Any, tally: Tally
) -> None:
    enough = tally.crashes + CRASHES // 4
    for leads_at_once in itertools.cycle((2, 1, 3, 5)):
        with opened(receiver) as road:
            _die_everywhere(road, leads_at_once, moment, answers, tally)
        if tally.crashes >= enough:
            break


def _die_everywhere(road: Road, leads_at_once: int, moment: Moment, answers: list[Any], tally: Tally) -> None:
    """One position a round, until a round comes to its end."""
    for position in itertools.count(1):
        before = road.duplicates()
        born = road.happen(leads_at_once)
        road.receiver.answers = list(answers)
        road.injector.arm(position, moment)
        stopped = road.run()
        road.injector.disarm()
        road.nothing_is_stuck()
        road.world.advance(minutes=31)
        road.everything_arrived(born)
        repeated = road.duplicates() - before
        assert repeated <= len(road.webhooks) * leads_at_once, "a batch of that size died at most"
        assert repeated <= 1 + road.injector.calls.count("http")
        tally.events += len(born)
        if not stopped:
            break
        tally.crashes += 1
        tally.places[road.injector.stopped_at] += 1
    tally.deliveries += len(road.deliveries())
    tally.duplicates += road.duplicates()
    sequences = Counter((d.webhook, d.sequence) for d in road.deliveries())
    assert max(sequences.values()) == 1
    numbers = sorted(number for _, number in sequences)
    assert numbers == sorted([*range(1, len(numbers) // 2 + 1)] * 2), "each endpoint's numbers have no gap"


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
