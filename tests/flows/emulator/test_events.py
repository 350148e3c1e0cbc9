"""Events on the deployed stack: table, stream, relay, bus, rule, queue, fan-out, queue, delivery, receiver."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from leadwire.dialects.public.faces import FACE_V2
from leadwire.webhooks import service
from leadwire.webhooks.model import Webhook
from tests.flows.emulator.conftest import Cloud, eventually
from tests.flows.emulator.test_leads import body
from tests.unit.webhooks.conftest import Receiver

pytestmark = pytest.mark.emulator


WEBHOOKS = "/api/v2/pub/webhooks"


@pytest.fixture
def hook(emulated: Cloud, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """A webhook at the receiver; `id` and `secret` of it."""
    made = emulated.call("public", "POST", WEBHOOKS, {"eventType": "LEAD_CREATED", "url": receiver.url})
    assert made.status_code == 201, made.text
    webhook: dict[str, Any] = made.json()["data"]
    yield webhook
    assert emulated.call("public", "DELETE", f"{WEBHOOKS}/{webhook['id']}").ok


def enable(emulated: Cloud, hook: dict[str, Any], *, enabled: bool) -> None:
    assert emulated.call("public", "PATCH", f"{WEBHOOKS}/{hook['id']}", {"enabled": enabled}).ok


def seen(emulated: Cloud, hook: dict[str, Any]) -> Webhook:
    """The endpoint as it is stored: the API does not show how many deliveries were made."""
    return service.get(emulated.operate(), FACE_V2, hook["id"])


def test_a_lead_reaches_a_webhook_signed(emulated: Cloud, receiver: Receiver, hook: dict[str, Any]) -> None:
    lead = emulated.call("lists", "POST", "/v1/leads", body(emulated)).json()
    eventually(lambda: receiver.received)
    headers, text = receiver.received[0]
    Verifier(hook["secret"]).verify(text, headers)
    assert json.loads(text)["leadId"] == lead["id"]
    assert headers["x-event-type"] == "LEAD_CREATED"


def test_a_delivery_that_fails_is_sent_again_under_its_id(
    emulated: Cloud, receiver: Receiver, hook: dict[str, Any]
) -> None:
    receiver.answers = [(500, {}, b"")]
    emulated.call("lists", "POST", "/v1/leads", body(emulated))
    eventually(lambda: len(receiver.received) == 2)
    first, second = receiver.received
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    Verifier(hook["secret"]).verify(second[1], second[0])
    eventually(lambda: seen(emulated, hook).successes == 1)


def test_what_was_held_for_a_disabled_webhook_is_sent_when_it_is_enabled(
    emulated: Cloud, receiver: Receiver, hook: dict[str, Any]
) -> None:
    enable(emulated, hook, enabled=False)
    emulated.call("lists", "POST", "/v1/leads", body(emulated))
    eventually(lambda: seen(emulated, hook).sequence == 1)
    enable(emulated, hook, enabled=True)
    eventually(lambda: receiver.received)


def test_a_new_lead_is_listed_by_every_dialect(emulated: Cloud) -> None:
    wanted = body(emulated, email=f"{uuid.uuid4().hex}@example.com")
    emulated.call("lists", "POST", "/v1/leads", wanted)
    chatbot = f"/api/v1/chatbots/{emulated.state['chatbot_id']}/leads"
    pages = {"lists": "/v1/leads", "crm": "/api/v1/leads", "public": "/api/v1/pub/leads", "chatbot": chatbot}
    for dialect, path in pages.items():
        page = emulated.call(dialect, "GET", path)
        assert page.status_code == 200, page.text
        listed = wanted["email"] in page.text
        assert listed == (dialect != "chatbot"), "a chatbot's page has its own leads only"


def test_the_queues_come_to_rest_and_nothing_is_dead(emulated: Cloud) -> None:
    queues = [name for name in emulated.state["resources"] if name.endswith(("Queue", "DeadLetters"))]
    assert len(queues) >= 5
    eventually(lambda: sum(map(emulated.waiting, queues)) == 0)
