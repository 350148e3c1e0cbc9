"""Every way of sending webhooks, from its dialect's routes to the receiver, verified by other people's libraries."""

from __future__ import annotations

import functools
import hashlib
import hmac
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from leadwire.dialects.crm.faces import FACE as CRM
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.webhooks import retry, service, signing
from local.clock import Clock
from local.world import World
from tests.flows import business
from tests.flows.business import Business
from tests.unit.webhooks.conftest import Receiver

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
DOWN = (500, {}, b"down")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


# --- one endpoint on each face ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    secret: str
    own: str = ""
    """The face's own signature header."""


def public_v2(acme: Business, url: str) -> Endpoint:
    made = acme.webhook(url)
    return Endpoint(made["id"], made["secret"])


def public_v1(kind: str) -> Callable[[Business, str], Endpoint]:
    def make(acme: Business, url: str) -> Endpoint:
        answer = acme.call("public", "POST", f"/api/v1/pub/webhooks/{kind}", {"url": url})
        assert answer.status == 201, answer.text
        return Endpoint("", answer.json()["data"]["secret"])

    return make


def chatbot(acme: Business, url: str, **more: Any) -> Endpoint:
    body = {"name": "CRM", "url": url, "eventTypes": ["LEAD_CREATED", "LEAD_UPDATED", "LEAD_DELETED"], **more}
    answer = acme.call("chatbot", "POST", "/api/v1/chatbots/default/webhooks", body)
    assert answer.status == 201, answer.text
    webhook = answer.json()["webhook"]
    return Endpoint(webhook["id"], webhook["secret"], "x-webhook-signature")


def lists(acme: Business, url: str, event: str = "lead.created", **filters: Any) -> Endpoint:
    answer = acme.call("lists", "POST", "/v1/webhooks", {"event": event, "url": url, "filters": filters})
    assert answer.status == 201, answer.text
    return Endpoint(answer.json()["id"], answer.json()["secret"])


def crm(acme: Business, url: str) -> Endpoint:
    made = service.create(acme.ctx, CRM, event_types=frozenset({"lead.created", "lead.updated"}), url=url)
    return Endpoint(made.webhook.id, made.secret, "x-leadhub-signature")


FACES: dict[str, Callable[[Business, str], Endpoint]] = {
    "public V2": public_v2,
    "public V1 missed call": public_v1("missed-call"),
    "public V1 chat widget": public_v1("chat-widget"),
    "chatbot": chatbot,
    "lists": lists,
    "crm": crm,
}


def happen(acme: Business) -> None:
    """A conversation of each kind is complete: every face has a word for one of the two."""
    for source, phone in (("missed_call", "+14155550101"), ("popup", "+14155550102")):
        draft = Lead(first_name="Zoë", phone=phone, source=source, custom={"qualification": "COMPLETED"})
        leads.create(acme.ctx, draft)


# --- verified by others -----------------------------------------------------------------------------------------------


type Verify = Callable[[list[dict[str, Any]]], list[str]]
"""Deliveries (secret, headers, body) to what the library says of each."""


def in_python(library: str) -> Verify:
    return functools.partial(_run, [str(TOOLS / "verifiers/bin/python"), "tools/verify.py"], library)


def in_javascript(library: str) -> Verify:
    node = shutil.which("node")
    assert node, "the verifiers in JavaScript need Node"
    return functools.partial(_run, [node, ".tools/js/verify.js"], library)


def _run(command: list[str], library: str, deliveries: list[dict[str, Any]]) -> list[str]:
    asked = json.dumps({"library": library, "deliveries": deliveries})
    done = subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make .tools/js/.done .tools/verifiers/.done\n{done.stderr}"
    return done.stdout.splitlines()


VERIFIERS: dict[str, Callable[[], Verify]] = {
    "standardwebhooks (Python)": lambda: in_python("standardwebhooks"),
    "svix (Python)": lambda: in_python("svix"),
    "standardwebhooks (JavaScript)": lambda: in_javascript("standardwebhooks"),
    "svix (JavaScript)": lambda: in_javascript("svix"),
}


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


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in receiver.received]


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
    from datetime import datetime  # noqa: PLC0415  # only here

    return round(datetime.fromisoformat(text).timestamp() * 1000)


# --- the routes of the log --------------------------------------------------------------------------------------------


def test_rotation_lets_old_and_new_secret_verify_for_as_long_as_was_asked(acme: Business, receiver: Receiver) -> None:
    endpoint = chatbot(acme, receiver.url)
    rotate = f"/api/v1/chatbots/default/webhooks/{endpoint.id}/rotate-secret"
    rotated = acme.call("chatbot", "POST", rotate, {"overlapSeconds": 100}).json()["webhook"]["secret"]
    verify = in_python("standardwebhooks")
    happen(acme)
    acme.world.settle()
    acme.world.advance(seconds=101)
    acme.create("crm")
    acme.world.settle()
    (first, one), *_, (last, two) = receiver.received
    told = verify(
        [
            {"secret": secret, "headers": headers, "body": body}
            for headers, body in ((first, one), (last, two))
            for secret in (endpoint.secret, rotated)
        ]
    )
    assert [answer == "accepted" for answer in told] == [True, True, False, True]
    assert acme.call("chatbot", "POST", rotate, {"overlapSeconds": 604_801}).status == 400


def test_the_chatbots_log_shows_time_status_ms_first_bytes_and_next_try(acme: Business, receiver: Receiver) -> None:
    receiver.answers = [(503, {}, b"come back later"), (200, {}, b"fine")]
    endpoint = chatbot(acme, receiver.url)
    acme.create("crm")
    acme.world.advance(seconds=5)
    one = f"/api/v1/chatbots/default/webhooks/{endpoint.id}"
    [delivery] = acme.call("chatbot", "GET", f"{one}/deliveries").json()["deliveries"]
    first, second = delivery["attempts"]
    assert (delivery["status"], delivery["sequence"]) == ("delivered", 1)
    assert (first["statusCode"], first["response"], first["error"]) == (
        503,
        "come back later",
        "the answer was HTTP 503",
    )
    assert first["at"] < first["nextAttemptAt"] <= second["at"]
    assert (second["statusCode"], second["nextAttemptAt"], second["durationMs"] >= 0) == (200, None, True)
    assert acme.call("chatbot", "GET", one).json()["webhook"]["successCount"] == 1
    assert acme.call("chatbot", "GET", f"{one}/deliveries?status=exhausted").json()["deliveries"] == []


def test_a_chatbots_webhook_is_read_changed_tested_and_deleted(acme: Business, receiver: Receiver) -> None:
    endpoint = chatbot(acme, receiver.url)
    base = "/api/v1/chatbots/default/webhooks"
    one = f"{base}/{endpoint.id}"
    listed = acme.call("chatbot", "GET", base).json()
    assert (listed["total"], listed["webhooks"][0]["isActive"], "secret" in listed["webhooks"][0]) == (1, True, False)
    tested = acme.call("chatbot", "POST", f"{one}/test")
    acme.world.settle()
    assert (tested.status, bodies(receiver)[0]["type"]) == (202, "ping")
    changed = acme.call("chatbot", "PATCH", one, {"isActive": False, "maxRetries": 0, "name": "Other"}).json()[
        "webhook"
    ]
    assert (changed["isActive"], changed["disabledBecause"], changed["maxRetries"]) == (False, "owner", 0)
    assert acme.call("chatbot", "POST", f"{one}/test").status == 409
    assert acme.call("chatbot", "DELETE", one).status == 200
    assert acme.call("chatbot", "GET", one).json()["code"] == "WEBHOOK_NOT_FOUND"
    assert acme.call("chatbot", "GET", "/api/v1/chatbots/nobody/webhooks").json()["code"] == "CHATBOT_NOT_FOUND"


def test_a_lists_subscription_is_read_and_deleted(acme: Business, receiver: Receiver) -> None:
    endpoint = lists(acme, receiver.url, "lead.updated", status="Converted", tags=["a", "b"])
    one = f"/v1/webhooks/{endpoint.id}"
    shown = acme.call("lists", "GET", one).json()
    assert (shown["event"], shown["filters"]) == ("lead.updated", {"status": "Converted", "tags": ["a", "b"]})
    assert "secret" not in shown
    assert [each["id"] for each in acme.call("lists", "GET", "/v1/webhooks").json()["items"]] == [endpoint.id]
    assert acme.call("lists", "DELETE", one).status == 204
    assert acme.call("lists", "GET", one).status == 404


def test_v1_urls_are_added_once_and_removed_by_body_or_query(acme: Business, receiver: Receiver) -> None:
    base, url = "/api/v1/pub/webhooks", receiver.url
    for kind in ("missed-call", "chat-widget"):
        assert acme.call("public", "POST", f"{base}/{kind}", {"url": url}).status == 201
        again = acme.call("public", "POST", f"{base}/{kind}", {"url": url})
        assert (again.status, "secret" in again.json()["data"]) == (200, False)
    listed = acme.call("public", "GET", base).json()["data"]
    assert [len(listed[kind]) for kind in ("missedCall", "chatWidget")] == [1, 1]
    assert acme.call("public", "DELETE", f"{base}/missed-call", {"url": url}).status == 200
    assert acme.call("public", "DELETE", f"{base}/chat-widget?url={url}").status == 200
    assert acme.call("public", "DELETE", f"{base}/chat-widget?url={url}").status == 404
    assert acme.call("public", "DELETE", f"{base}/chat-widget").status == 400


def test_the_crms_log_resends_recovers_replays_and_tries_dry(acme: Business, receiver: Receiver) -> None:
    base = "/api/v1/webhook-deliveries"
    receiver.answer = DOWN
    endpoint = chatbot(acme, receiver.url, maxRetries=0)
    began = acme.ctx.now_ms()
    acme.create("crm")
    acme.world.settle()
    [log] = acme.call("crm", "GET", f"{base}?status=exhausted&webhook_id={endpoint.id}").json()["data"]
    assert (log["status"], log["attempts"][0]["status"], log["attempts"][0]["response"]) == ("exhausted", 500, "down")
    receiver.answer = (204, {}, b"")
    since = {"webhook_id": endpoint.id, "since": _iso(began)}
    counted = acme.call("crm", "POST", f"{base}/recover", {**since, "count_only": True}).json()["data"]
    assert (counted, len(receiver.received)) == ({"deliveries": 1, "next_cursor": None}, 1)
    assert acme.call("crm", "POST", f"{base}/recover", since).json()["data"]["deliveries"] == 1
    acme.world.settle()
    assert acme.call("crm", "GET", f"{base}/{log['id']}").json()["data"]["status"] == "delivered"
    assert acme.call("crm", "POST", f"{base}/{log['id']}/resend").status == 202
    acme.world.settle()
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert len(receiver.received) == 3
    late = lists(acme, receiver.url)
    dry = acme.call("crm", "POST", f"{base}/dry-run", {"event_id": log["event_id"]}).json()["data"]
    assert {one["webhook_id"]: one["would_be_sent"] for one in dry} == {endpoint.id: True, late.id: True}
    missing = {"webhook_id": late.id, "since": _iso(began)}
    assert acme.call("crm", "POST", f"{base}/replay-missing", missing).json()["data"]["deliveries"] == 1
    acme.world.settle()
    assert len(receiver.received) == 4
    assert acme.call("crm", "POST", f"{base}/recover", {"webhook_id": late.id}).status == 422


def _iso(ms: int) -> str:
    from leadwire.context import iso  # noqa: PLC0415  # only here

    return iso(ms, "milliseconds")


def test_operators_read_of_a_disabled_webhook_in_the_journal(acme: Business, receiver: Receiver) -> None:
    receiver.answer = (410, {}, b"")
    endpoint = chatbot(acme, receiver.url)
    acme.create("crm")
    acme.world.settle()
    shown = acme.call("chatbot", "GET", f"/api/v1/chatbots/default/webhooks/{endpoint.id}").json()["webhook"]
    assert (shown["isActive"], shown["disabledBecause"]) == (False, "receiver")


def test_counters_are_what_the_log_says(acme: Business, receiver: Receiver) -> None:
    receiver.answers = [DOWN, (204, {}, b"")] * 4
    made = [public_v2(acme, receiver.url), chatbot(acme, receiver.url)]
    for number in range(6):
        acme.create("crm", email=f"n{number}@example.com")
    acme.world.advance(minutes=30)
    logs = acme.call("crm", "GET", "/api/v1/webhook-deliveries?per_page=100").json()["data"]
    statuses = [attempt["status"] for log in logs for attempt in log["attempts"]]
    shown = acme.call("public", "GET", business.WEBHOOKS).json()["data"]
    bot = acme.call("chatbot", "GET", f"/api/v1/chatbots/default/webhooks/{made[1].id}").json()["webhook"]
    assert sum(one["successCount"] for one in [*shown, bot]) == statuses.count(204) == 12
    assert sum(one["failureCount"] for one in [*shown, bot]) == statuses.count(500) == 4
    assert len(statuses) == len(receiver.received)
    assert list(itertools.chain.from_iterable([one["consecutiveFailures"]] for one in shown)) == [0]
