"""The routes by which webhooks are managed and their deliveries read, resent, recovered and replayed."""

from __future__ import annotations

from leadwire.context import iso
from tests.flows import business
from tests.flows.business import Business
from tests.flows.endpoints import bodies, chatbot, happen, in_python, lists, public_v2
from tests.unit.webhooks.conftest import Receiver

DOWN = (500, {}, b"down")


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


def test_deleting_a_chatbot_deletes_its_webhooks_and_ends_their_deliveries(acme: Business, receiver: Receiver) -> None:
    receiver.answer = DOWN
    bot = acme.call("chatbot", "POST", "/api/v1/chatbots", {"name": "Sales"}).json()["data"]["id"]
    base, lead = f"/api/v1/chatbots/{bot}/webhooks", f"/api/v1/chatbots/{bot}/leads"
    wanted = {"url": receiver.url, "eventTypes": ["LEAD_CREATED", "LEAD_UPDATED"], "maxRetries": 5}
    trying, off = (acme.call("chatbot", "POST", base, {"name": n, **wanted}).json()["webhook"]["id"] for n in "ab")
    kept = chatbot(acme, receiver.url)
    acme.call("chatbot", "PATCH", f"{base}/{off}", {"isActive": False})
    made = acme.call("chatbot", "POST", lead, {"name": "Ada", "email": "ada@example.com"}).json()["data"]
    acme.world.settle()
    assert len(receiver.received) == 1
    assert acme.call("chatbot", "DELETE", f"/api/v1/chatbots/{bot}").status == 200
    changed = acme.call("chatbot", "PUT", f"/api/v1/leads/{made['id']}", {"metadata": {"score": 1}})
    acme.world.advance(hours=1)
    assert (changed.status, len(receiver.received)) == (200, 1)
    log = acme.call("crm", "GET", f"/api/v1/webhook-deliveries?webhook_id={trying}").json()["data"]
    log += acme.call("crm", "GET", f"/api/v1/webhook-deliveries?webhook_id={off}").json()["data"]
    assert [delivery["status"] for delivery in log] == ["closed", "closed"]
    listed = acme.call("chatbot", "GET", "/api/v1/chatbots/default/webhooks").json()["webhooks"]
    assert [webhook["id"] for webhook in listed] == [kept.id]
    again = [
        acme.call("chatbot", "POST", "/api/v1/chatbots/default/webhooks", {"name": "more", **wanted}).status
        for _ in range(20)
    ]
    assert again == [201] * 19 + [409], "those that are gone no longer count"


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


def test_a_v1_url_is_added_once_under_an_idempotency_key(acme: Business) -> None:
    path, body = "/api/v1/pub/webhooks/missed-call", {"url": "https://example.com/in"}
    headers = {"x-api-key": acme.keys["public"], "idempotency-key": "once"}
    first, again = (acme.world.http("POST", path, headers, body) for _ in range(2))
    assert (first.status, again.headers["idempotency-replayed"]) == (201, "true")
    assert first.json() == again.json()


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
    assert [one["consecutiveFailures"] for one in shown] == [0]
