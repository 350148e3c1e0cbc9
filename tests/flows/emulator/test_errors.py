"""What is refused after a real deployment: in the dialect's own shape, with its own status, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from leadwire import apikeys, keys, tenants
from leadwire.context import Ctx
from leadwire.store.types import Query
from tests.flows.test_errors import CODES, INVALID, PHONE, TOO_LARGE

from .conftest import Cloud

CREATES: dict[str, tuple[str, dict[str, Any]]] = {
    "public": ("/api/v1/pub/clients", {"phone": "(212) 555-0188"}),
    "chatbot": ("/api/v1/chatbots/default/leads", {"name": "Zoe Refused", "email": "zoe.refused@example.com"}),
    "lists": ("/v1/leads", {"name": "Zoe Refused", "phone_number": "+12125550189"}),
    "crm": ("/api/v1/leads", {"first_name": "Zoe", "email": "zoe.refused@example.org"}),
}

pytestmark = [pytest.mark.emulator, pytest.mark.parametrize("dialect", CREATES)]


@pytest.fixture(scope="session")
def stranger(emulated: Cloud) -> Ctx:
    """A tenant of its own: a company's keys of the public dialect share one window."""
    return tenants.operate(emulated.ports(), tenants.create(emulated.ports(), "refused", "Refused"), "tests")


def refused(emulated: Cloud, dialect: str, status: int, key: str | None = None, **fields: Any) -> None:
    path, body = CREATES[dialect]
    if dialect == "lists":
        body = {"list_id": emulated.state["list_id"], **body}
    before = leads(emulated.operate())
    state = emulated.state if key is None else {**emulated.state, "keys": {dialect: key}}
    answer = Cloud(state).call(dialect, "POST", path, {**body, **fields})
    code = answer.json()["type" if dialect == "lists" else "code"]
    assert (answer.status_code, code) == (status, CODES[dialect, status])
    assert leads(emulated.operate()) == before


def leads(ctx: Ctx) -> list[str]:
    """The sort keys of all leads, by creation."""
    rows = ctx.table.query_all(Query(keys.lead_sort(ctx.tenant.id, "created"), index="g1"))
    return [row["g1sk"] for row in rows]


def test_a_wrong_key(emulated: Cloud, dialect: str) -> None:
    refused(emulated, dialect, 401, emulated.state["keys"][dialect][:-6] + "AAAAAA")


def test_a_missing_scope(emulated: Cloud, dialect: str) -> None:
    key = apikeys.create(emulated.operate(), dialect, "reader", scopes=["read:leads"])[1]
    refused(emulated, dialect, 403, key)


def test_an_unknown_field(emulated: Cloud, dialect: str) -> None:
    refused(emulated, dialect, INVALID[dialect], nickname="Z")


def test_a_bad_phone(emulated: Cloud, dialect: str) -> None:
    refused(emulated, dialect, INVALID[dialect], **{PHONE[dialect]: "call me"})


def test_a_body_that_is_too_large(emulated: Cloud, dialect: str) -> None:
    refused(emulated, dialect, 413, notes=TOO_LARGE)


def test_a_rate_limit_that_is_passed(emulated: Cloud, stranger: Ctx, dialect: str) -> None:
    key = apikeys.create(stranger, dialect, "once", limit=1)[1]
    path, _ = CREATES[dialect]
    Cloud({**emulated.state, "keys": {dialect: key}}).call(dialect, "POST", path, {})
    refused(emulated, dialect, 429, key)
