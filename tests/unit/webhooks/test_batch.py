"""What a worker gives back to the queue: the messages of what failed by our own fault, and no others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from leadwire.ports import Vault
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Unavailable
from leadwire.webhooks import queue
from leadwire.webhooks.queue import Due
from tests import factories
from tests.unit.webhooks.conftest import Sealed


@dataclass
class Shut(Vault):
    """Does not open the next so many secrets."""

    times: int
    opens: Vault

    def seal(self, secret: str, context: str) -> bytes:
        return self.opens.seal(secret, context)

    def open(self, sealed: bytes, context: str) -> str:
        self.times -= 1
        if self.times >= 0:
            raise TimeoutError
        return self.opens.open(sealed, context)


def seen(pipeline: Any) -> list[int]:
    """How often each message that waits has been seen, this time included."""
    return sorted(times for _, _, times in pipeline.alarms.waiting)


def test_what_fails_by_our_fault_is_tried_again_and_the_rest_of_its_message_is_not(
    pipeline: Any, receiver: Any
) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(*(pipeline.event(number) for number in range(3)))
    pipeline.ports = replace(pipeline.ports, vault=Shut(1, Sealed()))
    pipeline.deliver()
    assert (len(receiver.received), seen(pipeline)) == (2, [2])
    pipeline.deliver()
    assert Counter(headers["webhook-id"] for headers, _ in receiver.received).most_common(1)[0][1] == 1
    assert (len(receiver.received), seen(pipeline)) == (3, [])


def test_a_tenant_that_cannot_be_read_gives_back_its_messages_and_no_others(pipeline: Any, receiver: Any) -> None:
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event(1))
    other = factories.ctx(pipeline.ports, factories.tenant(pipeline.ports, "other"))
    theirs = replace(pipeline, ctx=other)
    theirs.register(receiver.url)
    theirs.publish(theirs.event(1))
    faulty = FaultyEngine(pipeline.ports.engine)
    faulty.fail_before(1, Unavailable())
    pipeline.on(faulty)
    pipeline.deliver()
    assert (len(receiver.received), seen(pipeline)) == (1, [2])
    pipeline.deliver()
    assert (len(receiver.received), seen(pipeline)) == (2, [])


def test_of_two_alarms_of_a_delivery_the_one_that_knows_no_number_counts(pipeline: Any, receiver: Any) -> None:
    """It comes from the due index, and is all that rings for an attempt whose own alarm was lost."""
    receiver.answers = [(500, {}, b"")]
    pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    [stale] = pipeline.alarms.waiting
    pipeline.deliver()
    [delivery] = pipeline.deliveries()
    queue.send(pipeline.ports, [Due(delivery.tenant, delivery.id, 0, 0)])
    pipeline.alarms.waiting = [pipeline.alarms.waiting[-1], stale]
    pipeline.alarms.clock.advance(5)
    pipeline.deliver()
    assert len(receiver.received) == 2
