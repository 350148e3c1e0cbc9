"""One store behind four dialects: what one of them creates, all of them read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import factories
from tests.flows.business import DIALECTS, Business
from tests.process import Server

SHOWN: dict[str, Callable[[Any], tuple[str, str, str]]] = {
    "public": lambda body: _picked(body["data"]["leadInformation"], "name", "email", "phone"),
    "chatbot": lambda body: _picked(body["data"], "name", "email", "phone"),
    "lists": lambda body: _picked(body, "name", "email", "phone_number"),
    "crm": lambda body: _picked(body["data"], "name", "email", "phone"),
}
"""Dialect to name, e-mail and phone in its answer."""
SAMPLES = {
    "public": ("John Doe", "john.doe@example.com", "+18001234567"),
    "chatbot": ("John Doe", "john.doe@example.com", "+15551234567"),
    "lists": ("Omar Ali", "jsmith@example.com", "+14155552671"),
    "crm": ("Sarah Johnson", "sarah@example.com", "+14155551234"),
}
"""Dialect to name, e-mail and phone of its published sample."""
AS_GIVEN = "+1-555-123-4567"
"""The chatbot dialect shows a phone in the spelling in which it got it."""


def _picked(record: dict[str, str], *names: str) -> tuple[str, str, str]:
    name, email, phone = (record[one] for one in names)
    return name, email, phone


def numbers(acme: Business) -> list[int]:
    return [lead["number"] for lead in factories.leads(acme.world.table)]


@pytest.mark.parametrize("maker", DIALECTS)
def test_the_published_sample_of_each_dialect_is_read_through_all_of_them(acme: Business, maker: str) -> None:
    assert acme.create(maker).status == 201
    (number,) = numbers(acme)
    for reader in DIALECTS:
        answer = acme.call(reader, "GET", acme.address(reader, number))
        assert answer.status == 200
        name, email, phone = SAMPLES[maker]
        shown = AS_GIVEN if maker == reader == "chatbot" else phone
        assert SHOWN[reader](answer.json()) == (name, email, shown)


@pytest.mark.parametrize("maker", DIALECTS)
def test_the_published_sample_of_each_dialect_is_a_client_with_its_phone(acme: Business, maker: str) -> None:
    acme.create(maker)
    client = acme.call("public", "GET", f"/api/v1/pub/clients/{SAMPLES[maker][2]}")
    assert client.status == 200
    assert [int(client.json()["data"]["clientId"])] == numbers(acme)


def test_leads_of_all_dialects_stand_in_one_list(acme: Business) -> None:
    for maker in DIALECTS:
        assert acme.create(maker, email=f"{maker}@example.com").status == 201
    acme.world.settle()
    page = acme.call("crm", "GET", "/api/v1/leads").json()
    assert page["meta"]["total"] == len(DIALECTS)
    assert {lead["email"].partition("@")[0] for lead in page["data"]} == set(DIALECTS)


def test_a_second_lead_of_lists_with_the_same_phone_is_the_first(acme: Business) -> None:
    first = acme.create("lists")
    second = acme.create("lists", name="Somebody Else")
    assert (first.status, first.json()["existed"]) == (201, False)
    assert (second.status, second.json()["existed"]) == (200, True)
    assert second.json()["id"] == first.json()["id"]
    assert numbers(acme) == [1]


def test_a_second_lead_of_a_chatbot_with_the_same_email_is_refused_with_the_id_of_the_first(acme: Business) -> None:
    first = acme.create("chatbot").json()["data"]
    second = acme.create("chatbot", name="Somebody Else")
    assert second.status == 409
    assert second.json()["code"] == "DUPLICATE_EMAIL"
    assert second.json()["details"]["existingLeadId"] == first["id"]
    assert numbers(acme) == [1]


@pytest.mark.enable_socket
def test_twenty_simultaneous_creates_with_one_phone_make_one_lead(server: Server) -> None:
    body = {"name": "Ann Lee", "phone_number": "+14155552671", "list_id": server.state["list_id"]}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.request("POST", "/v1/leads", "lists", body), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert sorted(answer.json()["existed"] for answer in answers) == [False] + [True] * 19
    assert len({answer.json()["id"] for answer in answers}) == 1
    listed = server.request("GET", "/v1/leads?phone=%2B14155552671", "lists").json()
    assert [lead["id"] for lead in listed["items"]] == [answers[0].json()["id"]]
