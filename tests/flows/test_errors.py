"""What is refused at the door: in the dialect's own shape, with its own status, and without a trace in the store."""

from __future__ import annotations

from typing import Any

import pytest

from leadwire import apikeys
from tests import factories
from tests.flows.business import DIALECTS, Business

INVALID = {"public": 400, "chatbot": 400, "lists": 400, "crm": 422}
PHONE = {"public": "phone", "chatbot": "phone", "lists": "phone_number", "crm": "phone"}
CODES = {
    ("public", 400): "VALIDATION_ERROR",
    ("public", 401): "INVALID_API_KEY",
    ("public", 403): "FORBIDDEN",
    ("public", 413): "PAYLOAD_TOO_LARGE",
    ("public", 429): "RATE_LIMIT_EXCEEDED",
    ("chatbot", 400): "VALIDATION_ERROR",
    ("chatbot", 401): "INVALID_API_KEY",
    ("chatbot", 403): "FORBIDDEN",
    ("chatbot", 413): "PAYLOAD_TOO_LARGE",
    ("chatbot", 429): "RATE_LIMIT_EXCEEDED",
    ("lists", 400): "https://api.leadwire.dev/errors/validation_error",
    ("lists", 401): "https://api.leadwire.dev/errors/unauthorized",
    ("lists", 403): "https://api.leadwire.dev/errors/forbidden",
    ("lists", 413): "https://api.leadwire.dev/errors/payload_too_large",
    ("lists", 429): "https://api.leadwire.dev/errors/rate_limited",
    ("crm", 401): "UNAUTHORIZED",
    ("crm", 403): "FORBIDDEN",
    ("crm", 413): "PAYLOAD_TOO_LARGE",
    ("crm", 422): "VALIDATION_FAILED",
    ("crm", 429): "RATE_LIMITED",
}
"""The machine-readable name of each refusal, where the dialect has it (`code`, in lists `type`)."""
TOO_LARGE = "x" * (256 * 1024)

pytestmark = pytest.mark.parametrize("dialect", DIALECTS)


def refused(acme: Business, dialect: str, status: int, *, key: str = "", **fields: Any) -> Any:
    """The body of the refusal of the published sample with `fields` changed."""
    path, sample = acme.sample(dialect)
    before = stored(acme)
    answer = acme.call(dialect, "POST", path, {**sample, **fields}, key=key)
    assert stored(acme) == before
    body = answer.json()
    assert (answer.status, body["type" if dialect == "lists" else "code"]) == (status, CODES[dialect, status])
    return body


def stored(acme: Business) -> Any:
    acme.world.settle()
    return factories.without_counters(factories.items(acme.world.table))


def key_with(acme: Business, dialect: str, **limits: Any) -> str:
    """A key of another tenant, because a company's keys of the public dialect share one window."""
    other = factories.tenant(acme.world.ports, "other")
    return apikeys.create(factories.ctx(acme.world.ports, other), dialect, "small", **limits)[1]


def test_a_wrong_key(acme: Business, dialect: str) -> None:
    key = acme.keys[dialect]
    refused(acme, dialect, 401, key=key[:-1] + ("a" if key[-1] != "a" else "b"))
    refused(acme, dialect, 401, key=acme.keys["crm" if dialect != "crm" else "lists"])


def test_a_revoked_key(acme: Business, dialect: str) -> None:
    made, token = apikeys.create(acme.ctx, dialect, "short-lived")
    apikeys.revoke(acme.ctx, made.id)
    refused(acme, dialect, 401, key=token)


def test_a_missing_scope(acme: Business, dialect: str) -> None:
    refused(acme, dialect, 403, key=apikeys.create(acme.ctx, dialect, "reader", scopes=["read:leads"])[1])


def test_an_unknown_field(acme: Business, dialect: str) -> None:
    assert "colour" in str(refused(acme, dialect, INVALID[dialect], colour="blue"))


def test_a_bad_phone(acme: Business, dialect: str) -> None:
    assert PHONE[dialect] in str(refused(acme, dialect, INVALID[dialect], **{PHONE[dialect]: "+1 2"}))


def test_a_too_large_body(acme: Business, dialect: str) -> None:
    refused(acme, dialect, 413, notes=TOO_LARGE)


def test_a_rate_limit_passed(acme: Business, dialect: str) -> None:
    """Refused before its body is looked at, and with the seconds to wait."""
    key = key_with(acme, dialect, limit=1)
    assert acme.call(dialect, "GET", acme.address(dialect, 1), key=key).status == 404
    refused(acme, dialect, 429, key=key)
    last = acme.call(dialect, "GET", acme.address(dialect, 1), key=key)
    window = apikeys.FAMILIES[dialect].window
    assert (last.status, last.headers["retry-after"]) == (429, str(window))
    acme.world.advance(seconds=window)
    assert acme.call(dialect, "GET", acme.address(dialect, 1), key=key).status == 404
