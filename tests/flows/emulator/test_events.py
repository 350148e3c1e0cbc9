"""Events on the deployed stack: table, stream, relay, bus, rule, queue, fan-out, queue, delivery, receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from leadwire.dialects.public.faces import FACE_V2
from leadwire.webhooks import service
from leadwire.webhooks.service import Created
from tests.flows.emulator.conftest import Cloud, eventually
from tests.flows.emulator.test_leads import body
from tests.unit.webhooks.conftest import Receiver

pytestmark = pytest.mark.emulator


@pytest.fixture
def hook(emulated: Cloud, receiver: Receiver) -> Iterator[Created]:
    """A webhook at the receiver, made as the API makes it, so that its secret is sealed by KMS."""
    ctx = emulated.operate()
    made = service.create(ctx, FACE_V2, event_types=frozenset({"LEAD_CREATED"}), url=receiver.url)
    yield made
    service.delete(ctx, FACE_V2, made.webhook.id)


def test_a_lead_reaches_a_webhook_signed(emulated: Cloud, receiver: Receiver, hook: Created) -> None:
    lead = emulated.call("lists", "POST", "/v1/leads", body(emulated)).json()
    eventually(lambda: receiver.received)
    headers, text = receiver.received[0]
    Verifier(hook.secret).verify(text, headers)
    assert json.loads(text)["leadId"] == lead["id"]
    assert headers["x-event-type"] == "LEAD_CREATED"


def test_a_delivery_that_fails_is_sent_again_under_its_id(emulated: Cloud, receiver: Receiver, hook: Created) -> None:
    receiver.answers = [(500, {}, b"")]
    emulated.call("lists", "POST", "/v1/leads", body(emulated))
    eventually(lambda: len(receiver.received) == 2)
    first, second = receiver.received
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    Verifier(hook.secret).verify(second[1], second[0])
    eventually(lambda: service.get(emulated.operate(), FACE_V2, hook.webhook.id).successes == 1)


def test_what_was_held_for_a_disabled_webhook_is_sent_when_it_is_enabled(
    emulated: Cloud, receiver: Receiver, hook: Created
) -> None:
    service.update(emulated.operate(), FACE_V2, hook.webhook.id, service.Changes(enabled=False))
    emulated.call("lists", "POST", "/v1/leads", body(emulated))
    eventually(lambda: service.get(emulated.operate(), FACE_V2, hook.webhook.id).sequence == 1)
    service.update(emulated.operate(), FACE_V2, hook.webhook.id, service.Changes(enabled=True))
    eventually(lambda: receiver.received)


def test_the_queues_come_to_rest_and_nothing_is_dead(emulated: Cloud) -> None:
    eventually(lambda: emulated.waiting("EventsQueue") + emulated.waiting("DeliveriesQueue") == 0)
    dead = {name: emulated.waiting(name) for name in ("EventsDeadLetters", "DeliveriesDeadLetters", "FailuresQueue")}
    assert dead == dict.fromkeys(dead, 0)
