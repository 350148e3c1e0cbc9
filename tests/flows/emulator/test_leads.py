"""Leads over HTTP on the deployed stack: the built functions, their layers, roles and DynamoDB expressions."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.flows.emulator.conftest import Cloud

pytestmark = pytest.mark.emulator


def phone() -> str:
    return f"+1415{200 + uuid.uuid4().int % 800}{uuid.uuid4().int % 10000:04d}"


def body(emulated: Cloud, **more: Any) -> dict[str, Any]:
    return {"name": "Ann Lee", "phone_number": phone(), "list_id": emulated.state["list_id"], **more}


def test_the_health_check_answers(emulated: Cloud) -> None:
    answer = requests.get(emulated.state["url"] + "/api/v1/health", timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_a_lead_of_lists_is_seen_by_the_other_dialects(emulated: Cloud) -> None:
    wanted = body(emulated, email=f"{uuid.uuid4().hex}@example.com")
    made = emulated.call("lists", "POST", "/v1/leads", wanted)
    assert made.status_code == 201
    lead = made.json()
    assert emulated.call("lists", "GET", f"/v1/leads/{lead['id']}").json()["phone_number"] == wanted["phone_number"]
    shown = emulated.call("public", "GET", f"/api/v1/pub/leads/{lead['id']}")
    assert shown.status_code == 200
    assert wanted["email"] in shown.text
    client = emulated.call("public", "GET", f"/api/v1/pub/clients/{wanted['phone_number'].replace('+', '%2B')}")
    assert client.json()["data"]["leadId"] == lead["id"]
    crm = emulated.call("crm", "GET", f"/api/v1/leads/{client.json()['data']['clientId']}")
    assert crm.json()["data"]["email"] == wanted["email"]


def test_a_lead_of_a_chatbot_is_created_and_read(emulated: Cloud) -> None:
    leads = f"/api/v1/chatbots/{emulated.state['chatbot_id']}/leads"
    wanted = {"name": "Bo Ek", "email": f"{uuid.uuid4().hex}@example.com", "metadata": {"page": {"depth": 2}}}
    made = emulated.call("chatbot", "POST", leads, wanted)
    assert made.status_code == 201
    read = emulated.call("chatbot", "GET", f"{leads}/{made.json()['data']['id']}")
    assert read.json()["data"]["metadata"] == wanted["metadata"]
    again = emulated.call("chatbot", "POST", leads, wanted)
    assert again.json()["code"] == "DUPLICATE_EMAIL"


def test_the_same_path_speaks_crm_or_chatbot_by_the_key(emulated: Cloud) -> None:
    crm = emulated.call("crm", "POST", "/api/v1/leads", {"first_name": "Cy"})
    chatbot = emulated.call("chatbot", "POST", "/api/v1/leads", {"name": "Cy", "email": f"{uuid.uuid4().hex}@x.org"})
    assert isinstance(crm.json()["data"]["id"], int)
    assert chatbot.json()["data"]["id"].startswith("lead_")


def test_a_client_is_upserted_by_phone(emulated: Cloud) -> None:
    number = phone()
    first = emulated.call("public", "POST", "/api/v1/pub/clients", {"phone": number, "firstName": "Di"})
    second = emulated.call("public", "POST", "/api/v1/pub/clients", {"phone": number, "lastName": "Fo"})
    assert first.json()["data"]["leadId"] == second.json()["data"]["leadId"]
    assert second.json()["data"]["firstName"] == "Di"


def test_a_repeated_request_with_its_key_is_answered_from_the_record(emulated: Cloud) -> None:
    wanted, key = body(emulated), str(uuid.uuid4())
    first = emulated.call("lists", "POST", "/v1/leads", wanted, idempotency_key=key)
    second = emulated.call("lists", "POST", "/v1/leads", wanted, idempotency_key=key)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    other = emulated.call("lists", "POST", "/v1/leads", body(emulated), idempotency_key=key)
    assert other.status_code == 422


def test_ten_simultaneous_creates_with_one_phone_make_one_lead(emulated: Cloud) -> None:
    wanted = body(emulated)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: emulated.call("lists", "POST", "/v1/leads", wanted), range(10)))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/pub/leads/x"), ("GET", "/v1/leads/x"), ("GET", "/api/v1/chatbots/x/leads/x"),
     ("GET", "/api/v1/leads/x"), ("POST", "/api/v1/pub/clients"), ("POST", "/v1/leads")],
)  # fmt: skip
def test_nobody_enters_without_a_key(emulated: Cloud, method: str, path: str) -> None:
    assert requests.request(method, emulated.state["url"] + path, timeout=60).status_code == 401


def test_a_key_of_another_dialect_is_refused(emulated: Cloud) -> None:
    headers = {"authorization": f"Bearer {emulated.state['keys']['crm']}"}
    assert requests.get(emulated.state["url"] + "/v1/leads/x", headers=headers, timeout=60).status_code == 401


def test_a_response_says_what_the_request_consumed(emulated: Cloud) -> None:
    made = emulated.call("lists", "POST", "/v1/leads", body(emulated))
    capacity = dict(pair.split("=") for pair in made.headers["X-Leadwire-Capacity"].split())
    assert float(capacity["wru"]) > 0
    assert capacity.keys() == {"wru", "rru", "trips"}
