"""Every way of sending webhooks, from a lead to the receiver, verified by other people's libraries."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import replace
from datetime import datetime

import pytest

from leadwire.dialects.crm.faces import FACE as CRM
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.webhooks import retry, service, signing
from local.clock import Clock
from local.world import World
from tests.flows import business
from tests.flows.business import Business
from tests.flows.endpoints import FACES, ROOT, VERIFIERS, bodies, chatbot, happen, lists, public_v1, public_v2
from tests.unit.webhooks.conftest import Receiver

DOWN = (500, {}, b"down")
MINUTE, HOUR = 60.0, 3600.0


# --- verified by others -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", FACES)
def test_other_peoples_libraries_accept_our_delivery_and_refuse_a_changed_one(
    face: str, acme: Business, receiver: Receiver
) -> None:
    endpoint = FACES[face](acme, receiver.url)
    happen(acme)
    acme.world.settle()
    headers, body = receiver.received[0]
    signed = {name: value for name, value in headers.items() if name.startswith("webhook-")}
    genuine = {"secret": endpoint.secret, "headers": signed, "body": body}
    forged = [
        {**genuine, "body": body.replace("Z", "X", 1)},
        {**genuine, "secret": signing.new_secret()},
        {**genuine, "headers": {**signed, "webhook-id": signed["webhook-id"] + "1"}},
    ]
    for name, verifier in VERIFIERS.items():
        accepted, *refused = verifier()([genuine, *forged])
        assert accepted == "accepted", name
        assert [answer[:7] for answer in refused] == ["refused"] * len(forged), name


def test_other_peoples_libraries_refuse_an_old_delivery(receiver: Receiver) -> None:
    world = World(ROOT, clock=Clock(time.time() - 600), overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    acme = business.found(world, "acme")
    endpoint = public_v2(acme, receiver.url)
    happen(acme)
    world.settle()
    world.close()
    headers, body = receiver.received[0]
    for name, verifier in VERIFIERS.items():
        [refusal] = verifier()([{"secret": endpoint.secret, "headers": headers, "body": body}])
        assert refusal.startswith("refused"), name
        assert "old" in refusal


@pytest.mark.parametrize("face", ["chatbot", "crm"])
def test_the_faces_own_signature_is_over_the_raw_body(face: str, acme: Business, receiver: Receiver) -> None:
    endpoint = FACES[face](acme, receiver.url)
    happen(acme)
    acme.world.settle()
    headers, body = receiver.received[0]
    digest = hmac.new(endpoint.secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    assert headers[endpoint.own] == f"sha256={digest}"


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_v1_divides_completed_conversations_by_where_they_came_from(acme: Business, receiver: Receiver) -> None:
    public_v1("missed-call")(acme, receiver.url)
    happen(acme)
    acme.create("crm")
    acme.world.settle()
    [body] = bodies(receiver)
    assert (body["type"], body["trackingData"]["source"]) == ("conversation_completed", "missed_call")
    assert body["leadQualificationStatus"] == "COMPLETED"
    assert "eventType" not in body


def test_v2_tells_a_completed_conversation_once_when_it_becomes_complete(acme: Business, receiver: Receiver) -> None:
    made = acme.call("public", "POST", business.WEBHOOKS, {"eventType": "CONVERSATION_COMPLETED", "url": receiver.url})
    assert made.status == 201
    stored = leads.create(acme.ctx, Lead(first_name="Ana", phone="+14155550103"))
    for status in ("STARTED", "COMPLETED", "COMPLETED"):
        leads.change(
            acme.ctx,
            stored.lead.number,
            lambda lead, status=status: replace(lead, custom={"qualification": status, "n": lead.version}),
        )
    acme.world.settle()
    [body] = bodies(receiver)
    assert (body["eventType"], body["type"]) == ("CONVERSATION_COMPLETED", "conversation_completed")


def test_a_chatbots_webhook_hears_of_its_own_leads_and_the_default_one_of_those_without(
    acme: Business, receiver: Receiver
) -> None:
    own = f"/api/v1/chatbots/{acme.chatbot_id}/webhooks"
    body = {"name": "Own", "url": receiver.url.replace("/hook", "/own"), "eventTypes": ["LEAD_CREATED"]}
    assert acme.call("chatbot", "POST", own, body).status == 201
    chatbot(acme, receiver.url)
    assert acme.create("chatbot", email="a@example.com").status == 201
    assert acme.create("crm", email="b@example.com").status == 201
    acme.world.settle()
    heard = {(body["chatbotId"], body["data"]["email"]) for body in bodies(receiver)}
    assert heard == {(acme.chatbot_id, "a@example.com"), ("default", "b@example.com")}
    assert bodies(receiver)[0]["data"].keys() >= {"id", "name", "email", "phone", "metadata", "workspaceId"}


def test_lists_tell_a_status_that_reads_otherwise_and_filter_by_it(acme: Business, receiver: Receiver) -> None:
    lists(acme, receiver.url, "lead.status_changed", status=["Converted", "Unsub%"])
    stored = leads.create(acme.ctx, Lead(first_name="Omar", phone="+14155550104"))
    for status in ("contacted", "qualified", "converted", "new", "unsubscribed"):
        leads.change(acme.ctx, stored.lead.number, lambda lead, status=status: replace(lead, status=status))
        acme.world.settle()
    told = [(body["data"]["previous_status"], body["data"]["status"]) for body in bodies(receiver)]
    assert told == [("Contacted", "Converted"), ("New", "Unsubscribed")]


def test_crm_names_pipeline_stage_and_owner_and_tells_each_change_in_its_own_event(
    acme: Business, receiver: Receiver
) -> None:
    words = frozenset({"lead.created", "lead.updated", "lead.stage_changed", "lead.assigned", "lead.deleted"})
    service.create(acme.ctx, CRM, event_types=words, url=receiver.url)
    stored = leads.create(acme.ctx, Lead(first_name="Ida", phone="+14155550105", pipeline_id=1, stage_id=1))
    leads.change(acme.ctx, stored.lead.number, lambda lead: replace(lead, stage_id=2, assigned_user_id=1))
    leads.delete(acme.ctx, stored.lead.number)
    acme.world.settle()
    told = {body["event"]: body for body in bodies(receiver)}
    assert set(told) == words
    moved = told["lead.stage_changed"]["lead"]
    assert (moved["pipeline"], moved["stage"], moved["assigned_to"]) == ("Sales", "Contacted", "user1@example.com")
    assert told["lead.created"]["lead"]["stage"] == "New"
    assert set(moved) == {
        "id", "first_name", "last_name", "email", "phone", "source", "status", "lead_score", "pipeline", "stage",
        "assigned_to", "tags", "created_at",
    }  # fmt: skip
    ids = [headers["webhook-id"] for headers, _ in receiver.received]
    assert len(set(ids)) == len(ids) == 5


# --- schedules --------------------------------------------------------------------------------------------------------


SCHEDULES = {
    "public V2": (public_v2, retry.SCHEDULES["long"]),
    "public V1 chat widget": (public_v1("chat-widget"), (30.0, 60.0, 120.0)),
    "lists": (lists, (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)),
    "chatbot": (
        lambda acme, url: chatbot(acme, url, maxRetries=5, retryDelay=60_000),
        (60.0, 120.0, 240.0, 480.0, 960.0),
    ),
    "chatbot, as published": (chatbot, (1.0, 2.0, 4.0)),
}


@pytest.mark.parametrize("face", SCHEDULES)
def test_each_face_keeps_its_schedule_to_the_millisecond_within_the_jitter(
    face: str, acme: Business, receiver: Receiver
) -> None:
    make, waits = SCHEDULES[face]
    receiver.answer = DOWN
    make(acme, receiver.url)
    leads.create(
        acme.ctx,
        Lead(first_name="Ana", phone="+14155550106", source="popup", custom={"qualification": "COMPLETED"}),
    )
    acme.world.advance(seconds=sum(waits) * 1.3 + 120)
    [log] = acme.call("crm", "GET", "/api/v1/webhook-deliveries").json()["data"]
    attempts = log["attempts"]
    assert (log["status"], len(attempts), len(receiver.received)) == ("exhausted", len(waits) + 1, len(waits) + 1)
    moments = [_ms(attempt["at"]) + attempt["ms"] for attempt in attempts]
    for wait, ended, attempt, following in zip(waits, moments, attempts, moments[1:], strict=False):
        due = _ms(attempt["next_attempt_at"])
        assert 0.8 * wait * 1000 - 1 <= due - ended <= 1.2 * wait * 1000 + 1
        assert due - 1000 <= following <= due + 2000, "rings at the second, whatever the minute of the sweep"
    assert attempts[-1]["next_attempt_at"] is None


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
