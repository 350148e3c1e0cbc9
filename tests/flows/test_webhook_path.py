"""From a lead to the receiver of a webhook: table, stream, relay, bus, queue, fan-out, queue, delivery."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from leadwire.webhooks import retry
from local.world import World
from tests.flows import business
from tests.flows.business import DIALECTS, WEBHOOKS, Business
from tests.unit.webhooks.conftest import Receiver

DOWN = (500, {}, b"down")
LONG = retry.SCHEDULES["long"]
HOUR = 3600


@pytest.fixture
def other(receiver: Receiver) -> str:
    """A second way to the same receiver, told apart by its path."""
    return receiver.url.replace("/hook", "/other")


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """No jitter, so that exact times can be told."""
    monkeypatch.setattr(retry, "JITTER", 0.0)


def ids(receiver: Receiver) -> list[str]:
    return [headers["webhook-id"] for headers, _ in receiver.received]


def sequences(receiver: Receiver) -> list[int]:
    """The last part of each `webhook-id`: the endpoint's own numbers."""
    return [int(one.rpartition("_")[2]) for one in ids(receiver)]


def moments(receiver: Receiver) -> list[int]:
    """When each attempt was made, in epoch seconds of the world's clock."""
    return [int(headers["webhook-timestamp"]) for headers, _ in receiver.received]


def create(acme: Business, count: int = 1) -> None:
    for number in range(count):
        assert acme.create("crm", email=f"ada{number}@example.com").status == 201


def shown(acme: Business, webhook: dict[str, Any]) -> dict[str, Any]:
    """The webhook as its owner sees it now."""
    webhooks = acme.call("public", "GET", WEBHOOKS).json()["data"]
    found: dict[str, Any] = next(one for one in webhooks if one["id"] == webhook["id"])
    return found


@pytest.mark.parametrize("maker", DIALECTS)
def test_a_lead_of_any_dialect_reaches_the_webhook_signed(acme: Business, receiver: Receiver, maker: str) -> None:
    webhook = acme.webhook(receiver.url)
    acme.create(maker)
    acme.world.settle()
    ((headers, text),) = receiver.received
    Verifier(webhook["secret"]).verify(text, headers)
    assert headers["x-event-type"] == "LEAD_CREATED"
    told = json.loads(text)
    read = acme.call("public", "GET", f"/api/v1/pub/leads/{told['leadId']}").json()["data"]
    assert told["leadInformation"] == read["leadInformation"]
    assert (told["webhookId"], told["eventType"]) == (webhook["id"], "LEAD_CREATED")


def test_what_a_refused_request_would_have_created_is_not_told(acme: Business, receiver: Receiver) -> None:
    acme.webhook(receiver.url)
    acme.create("chatbot")
    assert acme.create("chatbot").status == 409
    assert acme.create("crm", phone="1").status == 422
    acme.world.settle()
    assert len(receiver.received) == 1


@pytest.mark.usefixtures("exact")
def test_a_receiver_that_fails_twice_gets_the_same_message_three_times_by_the_schedule(
    acme: Business, receiver: Receiver
) -> None:
    receiver.answers = [DOWN, DOWN]
    webhook = acme.webhook(receiver.url)
    start = acme.world.clock()
    create(acme)
    acme.world.advance(minutes=6)
    assert moments(receiver) == [start, start + LONG[0], start + LONG[0] + LONG[1]]
    assert len(set(ids(receiver))) == 1
    assert len({text for _, text in receiver.received}) == 1
    for headers, text in receiver.received:
        Verifier(webhook["secret"]).verify(text, headers)
    seen = shown(acme, webhook)
    assert (seen["successCount"], seen["failureCount"], seen["consecutiveFailures"]) == (1, 2, 0)


@pytest.mark.usefixtures("exact")
def test_a_receiver_that_stays_down_is_tried_for_75_hours_and_then_left_alone(
    acme: Business, receiver: Receiver
) -> None:
    receiver.answer = DOWN
    webhook = acme.webhook(receiver.url)
    create(acme)
    acme.world.advance(hours=75, minutes=40)
    times = moments(receiver)
    assert [later - sooner for sooner, later in itertools.pairwise(times)] == list(LONG)
    assert 75 * HOUR <= times[-1] - times[0] < 76 * HOUR
    receiver.answer = (204, {}, b"")
    acme.world.advance(hours=2)
    assert len(receiver.received) == len(LONG) + 1
    assert shown(acme, webhook)["successCount"] == 0


def test_what_happens_while_a_webhook_is_disabled_is_held_and_sent_in_order(acme: Business, receiver: Receiver) -> None:
    webhook = acme.webhook(receiver.url)
    acme.patch(webhook, enabled=False)
    create(acme, 3)
    acme.world.advance(hours=2)
    assert receiver.received == []
    acme.patch(webhook, enabled=True)
    acme.world.settle()
    assert sorted(sequences(receiver)) == [1, 2, 3]
    create(acme)
    acme.world.settle()
    assert sequences(receiver)[-1] == 4


def test_a_deleted_webhook_hears_nothing_more(acme: Business, receiver: Receiver) -> None:
    webhook = acme.webhook(receiver.url)
    create(acme)
    assert acme.call("public", "DELETE", f"{WEBHOOKS}/{webhook['id']}").status == 200
    acme.world.advance(minutes=10)
    assert receiver.received == []


def test_two_webhooks_each_hear_of_it_once_under_their_own_secrets(
    acme: Business, receiver: Receiver, other: str
) -> None:
    secrets = {webhook["id"]: webhook["secret"] for webhook in (acme.webhook(receiver.url), acme.webhook(other))}
    create(acme)
    acme.world.settle()
    told = {json.loads(text)["webhookId"]: (headers, text) for headers, text in receiver.received}
    assert told.keys() == secrets.keys()
    assert len(receiver.received) == len(secrets)
    for id_, (headers, text) in told.items():
        Verifier(secrets[id_]).verify(text, headers)


def test_a_webhook_that_fails_does_not_hold_up_another(acme: Business, receiver: Receiver, other: str) -> None:
    receiver.behave = lambda request: request.send_error(200 if request.path == "/other" else 500)
    down, up = acme.webhook(receiver.url), acme.webhook(other)
    create(acme, 5)
    acme.world.settle()
    assert (shown(acme, up)["successCount"], shown(acme, up)["failureCount"]) == (5, 0)
    assert (shown(acme, down)["successCount"], shown(acme, down)["failureCount"]) == (0, 5)


def test_another_tenants_webhook_hears_nothing(world: World, acme: Business, receiver: Receiver, other: str) -> None:
    mine = acme.webhook(receiver.url)
    rival = business.found(world, "rival")
    theirs = rival.webhook(other)
    create(acme, 2)
    create(rival)
    world.settle()
    heard = [json.loads(text)["webhookId"] for _, text in receiver.received]
    assert (heard.count(mine["id"]), heard.count(theirs["id"])) == (2, 1)
    assert rival.call("public", "PATCH", f"{WEBHOOKS}/{mine['id']}", {"enabled": False}).status == 404


def test_the_numbers_of_an_endpoints_messages_have_no_gap(acme: Business, receiver: Receiver) -> None:
    """Whichever dialect made the leads, in one batch of the stream or in several, with failures between."""
    receiver.answers = [DOWN, (204, {}, b""), DOWN]
    acme.webhook(receiver.url)
    for round_ in range(4):
        for maker in DIALECTS:
            assert acme.create(maker, **_own(maker, round_)).status == 201
        acme.world.settle()
    acme.world.advance(minutes=30)
    assert sorted(set(sequences(receiver))) == list(range(1, 4 * len(DIALECTS) + 1))
    assert len(receiver.received) == 4 * len(DIALECTS) + 2


def test_nothing_is_left_behind_when_all_is_delivered(acme: Business, receiver: Receiver) -> None:
    acme.webhook(receiver.url)
    create(acme, 12)
    acme.world.advance(minutes=20)
    assert len(receiver.received) == 12
    queues = acme.world.stack.queues
    assert {name: acme.world.queues.waiting(name) for name in queues} == {name: [] for name in queues}


def _own(maker: str, number: int) -> dict[str, str]:
    """An e-mail and a phone that no other lead has."""
    at = DIALECTS.index(maker) * 10 + number
    phone = "phone_number" if maker == "lists" else "phone"
    return {"email": f"lead{at}@example.com", phone: f"+1415555{2000 + at}"}
