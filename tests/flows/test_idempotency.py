"""Idempotency-Key (decision D8) at a real server: a repeat may arrive while the first request is still at work."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.process import Server

pytestmark = pytest.mark.enable_socket

PAIRS = 20


def create(server: Server, key: str, source: str) -> Any:
    body = {"first_name": "Ann", "source": source}
    return server.request("POST", "/api/v1/leads", "crm", body, idempotency_key=key)


def total(server: Server, source: str) -> int:
    page = server.request("GET", f"/api/v1/leads?source={source}", "crm")
    assert page.ok, page.text
    count: int = page.json()["meta"]["total"]
    return count


def test_of_two_simultaneous_requests_with_one_key_one_has_an_effect(server: Server) -> None:
    source = uuid.uuid4().hex
    keys = [str(uuid.uuid4()) for _ in range(PAIRS)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: create(server, key, source), [key for key in keys for _ in "ab"]))
    for first, second in zip(answers[::2], answers[1::2], strict=True):
        statuses = sorted([first.status_code, second.status_code])
        assert statuses in ([201, 201], [201, 409])
        if statuses == [201, 201]:
            assert first.content == second.content
            assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in (first, second)) == ["", "true"]
    assert total(server, source) == PAIRS


def test_the_answer_of_a_done_request_is_given_again(server: Server) -> None:
    key, source = str(uuid.uuid4()), uuid.uuid4().hex
    first = create(server, key, source)
    again = create(server, key, source)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert total(server, source) == 1


def test_the_key_of_another_request_is_refused(server: Server) -> None:
    key, source = str(uuid.uuid4()), uuid.uuid4().hex
    create(server, key, source)
    other = create(server, key, f"other.{source}")
    assert other.status_code == 422
    assert total(server, f"other.{source}") == 0
