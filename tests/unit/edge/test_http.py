"""The way in: the order of the checks, what every answer carries, and what never reaches a log."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from leadwire import apikeys, chatbots, lists, telemetry
from leadwire.context import Ctx
from leadwire.ports import Ports, using
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Throttled, TransactionConflict, Unavailable
from tests import doors, factories
from tests.factories import Answer, Clock, Keys

LEAD = {"first_name": "Zebulon", "last_name": "Quackenbush", "email": "zeb@example.com", "phone": "+14155550199"}
CREATES = {
    "public": ("/api/v1/pub/clients", {"phone": "+14155550199", "firstName": "Zebulon", "email": "zeb@example.com"}),
    "chatbot": ("/api/v1/leads", {"name": "Zebulon Quackenbush", "email": "zeb@example.com", "phone": "+14155550199"}),
    "lists": ("/v1/leads", {"name": "Zebulon", "phone_number": "+14155550199", "email": "zeb@example.com"}),
    "crm": ("/api/v1/leads", LEAD),
}
dialect = pytest.mark.parametrize("dialect", CREATES)


def create(world: Ports, ctx: Ctx, dialect: str, token: str, **more: Any) -> Answer:
    path, body = CREATES[dialect]
    body = body | {"list_id": lists.create(ctx, "one").id} if dialect == "lists" else body
    return doors.send(world, "POST", path, token, **{"body": body, **more})


def code(dialect: str, answer: Answer) -> str:
    """The error's code in the dialect's shape, which the answer must have."""
    if dialect == "lists":
        assert answer.headers["content-type"] == "application/problem+json"
        return str(answer.body["type"]).rpartition("/")[2].upper()
    assert answer.body["status" if dialect == "crm" else "success"] == ("error" if dialect == "crm" else False)
    return str(answer.body["code"])


# --- the order of the checks ------------------------------------------------------------------------------------------


@dialect
def test_the_key_comes_before_everything_else(ports: Ports, ctx: Ctx, dialect: str) -> None:
    path, _ = CREATES[dialect]
    answer = doors.send(ports, "POST", f"{path}?a=1", body="x" * 300_000, headers={"content-type": "text/plain"})
    assert answer.status == 401


@dialect
def test_the_limit_comes_before_the_scope(ports: Ports, ctx: Ctx, dialect: str) -> None:
    _, token = apikeys.create(ctx, dialect, "k", scopes=["read:users"], limit=1)
    assert [create(ports, ctx, dialect, token).status for _ in range(2)] == [403, 429]


@dialect
def test_the_scope_comes_before_the_body(ports: Ports, ctx: Ctx, dialect: str) -> None:
    _, token = apikeys.create(ctx, dialect, "k", scopes=["read:leads"])
    answer = create(ports, ctx, dialect, token, body="x" * 300_000)
    assert (answer.status, code(dialect, answer)) == (403, "FORBIDDEN")


@dialect
def test_the_size_comes_before_the_content(ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str) -> None:
    answer = create(ports, ctx, dialect, keys_of_families[dialect], body="x" * (256 * 1024 + 1))
    assert (answer.status, code(dialect, answer)) == (413, "PAYLOAD_TOO_LARGE")


@dialect
def test_a_body_of_exactly_256_kib_is_read(ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str) -> None:
    answer = create(ports, ctx, dialect, keys_of_families[dialect], body="{}".ljust(256 * 1024))
    assert answer.status in (400, 422)


def test_the_size_is_counted_in_bytes(ports: Ports, ctx: Ctx, keys_of_families: Keys) -> None:
    answer = create(ports, ctx, "crm", keys_of_families["crm"], body="ä" * (128 * 1024 + 1))
    assert answer.status == 413


@dialect
def test_the_query_comes_before_the_body(ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str) -> None:
    path, _ = CREATES[dialect]
    answer = doors.send(ports, "POST", f"{path}?dry_run=1", keys_of_families[dialect], body="{}")
    assert "dry_run" in answer.text
    assert answer.status in (400, 422)


def test_a_body_in_base64_is_read(ports: Ports, keys_of_families: Keys) -> None:
    event = factories.event("POST /api/v1/leads", "/api/v1/leads", keys_of_families["crm"])
    event |= {"body": base64.b64encode(json.dumps(LEAD).encode()).decode(), "isBase64Encoded": True}
    assert handle(ports, event).status == 201


def handle(world: Ports, event: dict[str, Any]) -> Answer:
    from functions.crm_leads import app  # noqa: PLC0415  # the door of this file only

    with using(world):
        return factories.answer(app.handler(event, None))


# --- whose key --------------------------------------------------------------------------------------------------------


@dialect
@pytest.mark.parametrize("foreign", apikeys.FAMILIES)
def test_a_key_opens_its_own_dialect_only(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str, foreign: str
) -> None:
    shared = {dialect, foreign} == {"crm", "chatbot"}  # one path, told apart by the key (D13)
    token = keys_of_families[foreign]
    headers = {"x-api-key": token, "authorization": f"Bearer {token}"}
    answer = create(ports, ctx, dialect, headers=headers, token="")
    assert (answer.status == 401) == (foreign != dialect and not shared)


@pytest.mark.parametrize("path", ["/api/v1/chatbots/default/leads", "/api/v1/chatbots/default/leads/lead_0"])
def test_a_crm_key_does_not_open_a_chatbots_path(ports: Ports, keys_of_families: Keys, path: str) -> None:
    method = "GET" if path.endswith("0") else "POST"
    assert doors.send(ports, method, path, keys_of_families["crm"], body={}).status == 401


def test_on_the_shared_path_the_family_of_the_key_decides_the_dialect(ports: Ports, keys_of_families: Keys) -> None:
    answers = {
        family: doors.send(ports, "GET", "/api/v1/leads/1", keys_of_families[family]) for family in ("crm", "chatbot")
    }
    assert code("crm", answers["crm"]) == "NOT_FOUND"
    assert code("chatbot", answers["chatbot"]) == "LEAD_NOT_FOUND"


def test_a_mistyped_chatbot_key_is_refused_in_the_chatbots_words(ports: Ports, keys_of_families: Keys) -> None:
    """The bug: its wrong checksum made it no chatbot key, and the answer came in the shape of the crm."""
    answer = doors.send(ports, "GET", "/api/v1/leads/1", keys_of_families["chatbot"][:-1] + "!")
    assert (answer.status, code("chatbot", answer)) == (401, "INVALID_API_KEY")


def test_without_any_key_the_shared_path_answers_as_the_crm(ports: Ports) -> None:
    assert code("crm", doors.send(ports, "GET", "/api/v1/leads/1")) == "UNAUTHORIZED"


@pytest.mark.parametrize("header", ["bearer {}", "BEARER {}", "Bearer  {} "])
def test_the_word_bearer_is_read_in_any_case(ports: Ports, keys_of_families: Keys, header: str) -> None:
    headers = {"authorization": header.format(keys_of_families["crm"])}
    assert doors.send(ports, "GET", "/api/v1/leads/1", headers=headers).status == 404


@pytest.mark.parametrize("header", ["{}", "Basic {}", "Bearer", "Bearer a {}"])
def test_a_token_in_another_scheme_is_no_token(ports: Ports, keys_of_families: Keys, header: str) -> None:
    headers = {"authorization": header.format(keys_of_families["crm"])}
    assert doors.send(ports, "GET", "/api/v1/leads/1", headers=headers).status == 401


@dialect
def test_a_lead_of_another_tenant_is_answered_as_one_that_never_was(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str
) -> None:
    """Byte for byte (decision D10), but for the id of the request."""
    other = factories.ctx(ports, factories.tenant(ports, "other"))
    create(ports, ctx, dialect, keys_of_families[dialect])
    theirs = factories.keys_of_families(other)[dialect]
    path = {"public": "/api/v1/pub/clients/+14155550199", "lists": "/v1/leads/" + "0" * 8}.get(
        dialect, "/api/v1/leads/1"
    )
    answers = [doors.send(ports, "GET", path, theirs) for path in (path, path[:-1] + "7")]
    assert [answer.status for answer in answers] == [404, 404]
    first, second = (answer.text.replace(answer.headers["x-request-id"], "") for answer in answers)
    assert first == second


# --- what every answer carries ----------------------------------------------------------------------------------------


@dialect
def test_every_answer_shows_the_request_the_window_and_what_was_consumed(
    ports: Ports, ctx: Ctx, clock: Clock, dialect: str
) -> None:
    key, token = apikeys.create(ctx, dialect, "k", limit=7)
    for status, answer in (
        (201, create(ports, ctx, dialect, token)),
        (413, create(ports, ctx, dialect, token, body="x" * 300_000)),
    ):
        assert answer.status == status
        headers = answer.headers
        assert headers["x-request-id"].startswith("request-")
        assert headers["x-ratelimit-limit"] == "7"
        assert headers["x-ratelimit-reset"] == str(int(clock.now) + key.window)
        assert re.fullmatch(r"wru=[\d.]+ rru=[\d.]+ trips=\d+", headers["x-leadwire-capacity"])
        assert ("x-ratelimit-used" in headers) == (dialect == "chatbot")
    assert headers["x-ratelimit-remaining"] == "5"


@dialect
def test_a_call_over_the_limit_shows_the_window_and_when_to_come_back(
    ports: Ports, ctx: Ctx, clock: Clock, dialect: str
) -> None:
    """The bug: a 429 had Retry-After but not the window that every answer shows (decision D11)."""
    key, token = apikeys.create(ctx, dialect, "k", limit=1)
    create(ports, ctx, dialect, token)
    clock.advance(20)
    before = factories.items(ports.engine)
    answer = create(ports, ctx, dialect, token)
    assert answer.status == 429
    assert answer.headers["retry-after"] == str(key.window - 20)
    assert answer.headers["x-ratelimit-limit"] == "1"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-reset"] == str(int(clock.now) + key.window - 20)
    assert answer.headers.get("x-ratelimit-used") == ("1" if dialect == "chatbot" else None)
    after = factories.items(ports.engine)
    assert {place for place in after if after[place] != before.get(place)} == lists_of(after, before)


def lists_of(after: Any, before: Any) -> set[Any]:
    """The list that the helper makes for each create in the lists dialect."""
    return {place for place in after.keys() - before.keys() if place[0].endswith("#LIST")}


def test_the_consumption_is_shown_only_where_it_is_asked_for(ports: Ports, ctx: Ctx, clock: Clock) -> None:
    quiet = factories.ports(ports.engine, clock, debug_capacity=False)
    _, token = apikeys.create(ctx, "crm", "k")
    assert "x-leadwire-capacity" not in create(quiet, ctx, "crm", token).headers


def test_a_path_too_long_to_be_a_key_is_not_found(ports: Ports, keys_of_families: Keys) -> None:
    """The bug: the table refuses sort keys of more than 1,024 bytes, which was nobody's error."""
    long = "x" * 5000
    answers = [
        doors.send(ports, "GET", f"/api/v1/chatbots/{long}/leads/{long}", keys_of_families["chatbot"]),
        doors.send(
            ports, "POST", f"/api/v1/chatbots/{long}/leads", keys_of_families["chatbot"], body=CREATES["chatbot"][1]
        ),
        doors.send(ports, "GET", f"/api/v1/leads/{long}", keys_of_families["crm"]),
        doors.send(ports, "GET", f"/v1/leads/{long}", keys_of_families["lists"]),
        doors.send(ports, "GET", f"/api/v1/pub/leads/{long}", keys_of_families["public"]),
    ]
    assert [answer.status for answer in answers] == [404] * 5


# --- when the store fails ---------------------------------------------------------------------------------------------


@dialect
@pytest.mark.parametrize("fault", [Throttled("t"), TransactionConflict("c"), Unavailable("u")], ids=repr)
def test_a_store_that_fails_is_a_503_in_the_dialects_shape(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, clock: Clock, dialect: str, fault: Exception, no_waiting: None
) -> None:
    class Away(FaultyEngine):
        """Answers the key, and then nothing."""

        def _pass(self, request: Any) -> Any:
            self.calls += 1
            if self.calls > 2:
                raise fault
            return request()

    away = factories.ports(Away(ports.engine), clock)
    answer = create(away, ctx, dialect, keys_of_families[dialect])
    assert (answer.status, code(dialect, answer)) == (503, "SERVER_ERROR" if dialect == "crm" else "UNAVAILABLE")
    assert factories.leads(ports.engine) == []


@dialect
def test_a_bug_of_ours_is_a_500_in_the_dialects_shape_and_says_nothing_of_itself(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, clock: Clock, dialect: str
) -> None:
    broken = FaultyEngine(ports.engine)
    broken.fail_before(3, ValueError("zeb@example.com in the text of an exception"))
    answer = create(factories.ports(broken, clock), ctx, dialect, keys_of_families[dialect])
    assert (answer.status, code(dialect, answer)) == (500, "SERVER_ERROR")
    assert "zeb" not in str(answer.body)
    assert factories.leads(ports.engine) == []


@pytest.mark.parametrize(("fault", "status"), [(Throttled("t"), 201), (Unavailable("u"), 409)], ids=["free", "held"])
def test_a_claim_is_given_back_when_it_is_sure_that_nothing_was_written(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, clock: Clock, no_waiting: None, fault: Exception, status: int
) -> None:
    """The bug: a repeat of a throttled request was refused for 30 seconds."""
    failing = FaultyEngine(ports.engine)
    failing.fail_before(4, fault)
    again = {"headers": {"idempotency-key": "once"}}
    world = factories.ports(failing, clock)
    first = create(world, ctx, "crm", keys_of_families["crm"], **again)
    second = create(world, ctx, "crm", keys_of_families["crm"], **again)
    assert (first.status, second.status) == (503, status)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttles are waited out for two seconds; this test knows that they do not end."""
    monkeypatch.setattr("leadwire.store.table.ATTEMPTS", 1)


# --- the log ----------------------------------------------------------------------------------------------------------

PERSONAL = ("zebulon", "quackenbush", "zeb@example.com", "4155550199")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What a function has written to its log and, behind that, its metrics."""
    logged = io.StringIO()
    for handler in logging.getLogger(telemetry.logger().service).handlers:
        monkeypatch.setattr(handler, "stream", logged)
    return lambda: logged.getvalue() + capsys.readouterr().out


def lines(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


@dialect
def test_no_line_of_the_log_holds_anything_personal(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, dialect: str, written: Callable[[], str]
) -> None:
    token = keys_of_families[dialect]
    create(ports, ctx, dialect, token, headers={"idempotency-key": "zeb@example.com"})
    create(
        ports, ctx, dialect, token, body={"name": "Zebulon", "email": "zeb@example.com", "phone": "4155550199", "x": 1}
    )
    create(ports, ctx, dialect, token[:-1] + "0")
    doors.send(ports, "GET", "/api/v1/pub/clients/+14155550199?email=zeb@example.com", keys_of_families["public"])
    told = written().lower()
    assert told.count('"request_id"') == 4
    for secret in (*PERSONAL, token[-12:]):
        assert secret.lower() not in told


def test_one_line_tells_whose_request_it_was_what_came_of_it_and_what_it_cost(
    ports: Ports, ctx: Ctx, written: Callable[[], str]
) -> None:
    key, token = apikeys.create(ctx, "crm", "k", limit=1)
    answers = [create(ports, ctx, "crm", token) for _ in range(2)]
    told = [line for line in lines(written()) if line.get("message") == "request"]
    assert [(line["status"], line.get("error")) for line in told] == [(201, None), (429, "RATE_LIMITED")]
    for line, answer in zip(told, answers, strict=True):
        assert (line["tenant"], line["key_id"], line["route"]) == (ctx.tenant.id, key.id, "POST /api/v1/leads")
        assert line["request_id"] == answer.headers["x-request-id"]
        assert f"wru={line['wru']:g} rru={line['rru']:g}" in answer.headers["x-leadwire-capacity"]


def test_metrics_count_requests_units_and_errors_by_dialect(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, written: Callable[[], str]
) -> None:
    create(ports, ctx, "crm", keys_of_families["crm"], body="{")
    (counted,) = [line for line in lines(written()) if "_aws" in line]
    assert (counted["dialect"], counted["Requests"], counted["INVALID_INPUT"]) == ("crm", [1.0], [1.0])


def test_a_store_failure_is_logged_by_its_kind(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, clock: Clock, written: Callable[[], str]
) -> None:
    faulty = FaultyEngine(ports.engine)
    faulty.fail_before(1)
    create(factories.ports(faulty, clock), ctx, "crm", keys_of_families["crm"])
    told = [line for line in lines(written()) if line.get("message") == "store"]
    assert [line["failure"] for line in told] == ["Unavailable"]


# --- health -----------------------------------------------------------------------------------------------------------


def test_health_needs_no_key_and_reads_the_table(ports: Ports, clock: Clock) -> None:
    answer = doors.send(ports, "GET", "/api/v1/health")
    assert (answer.status, answer.body["status"], answer.body["timestamp"]) == (200, "ok", "2026-11-21T12:00:00+00:00")
    faulty = FaultyEngine(ports.engine)
    faulty.fail_before(1)
    away = doors.send(factories.ports(faulty, clock), "GET", "/api/v1/health")
    assert (away.status, away.body["status"]) == (503, "unavailable")


def test_a_chatbot_of_the_tenant_takes_leads_under_its_own_path(ports: Ports, ctx: Ctx, keys_of_families: Keys) -> None:
    path = f"/api/v1/chatbots/{chatbots.create(ctx, 'bot').id}/leads"
    made = doors.send(ports, "POST", path, keys_of_families["chatbot"], body=CREATES["chatbot"][1])
    read = doors.send(ports, "GET", f"{path}/{made.body['data']['id']}", keys_of_families["chatbot"])
    assert (made.status, read.status, read.body) == (201, 200, made.body)
