"""Whatever is sent, a create answers: 201, or a refusal in the dialect's words that leaves the table as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire import lists
from leadwire.dialects.chatbot import shapes as chatbot
from leadwire.dialects.crm import shapes as crm
from leadwire.dialects.lists import shapes as lists_shapes
from leadwire.dialects.public import clients as public
from leadwire.edge.types import Body
from leadwire.ports import Ports
from leadwire.store.database import MEMORY
from tests import doors, factories, invariants
from tests.factories import Clock, Keys

CREATES: dict[str, tuple[str, type[Body]]] = {
    "public": ("/api/v1/pub/clients", public.UpsertClient),
    "chatbot": ("/api/v1/leads", chatbot.CreateLead),
    "lists": ("/v1/leads", lists_shapes.CreateLead),
    "crm": ("/api/v1/leads", crm.CreateLead),
}
LIST = "{list}"
WORDS = ("Ada", "new", "won", "New", "Converted", "", " ", "NaN", "0", "lead_1", "x" * 300, "ß" * 255, "😀", "\u202e")
KEYS = ("ada@example.com", "ADA@exämple.com", "+14155550100", "+4915112345678", "8001234567", LIST, "\x00", "a\x1f")
TEXT = st.sampled_from((*WORDS, *KEYS)) | st.text(max_size=20)
NUMBER = st.integers() | st.sampled_from([0, 1, 2, 5, 10**12, 10**40, -1]) | st.floats()
SCALAR = st.none() | st.booleans() | NUMBER | TEXT
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=12
)


RIGHT: dict[str, dict[str, Any]] = {
    "public": {"phone": "+14155550100", "firstName": "Ada", "email": "ada@example.com", "city": "Austin"},
    "chatbot": {"name": "Ada", "email": "ada@example.com", "phone": "+14155550100", "metadata": {"a": 1}},
    "lists": {"name": "Ada", "phone_number": "+14155550100", "list_id": LIST, "tags": ["a"], "metadata": {}},
    "crm": {"first_name": "Ada", "email": "ada@example.com", "pipeline_stage_id": 1, "custom_fields": {"a": [1]}},
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A dialect, and a body that is right but for one or two fields; one in ten has a field that nobody knows."""
    dialect = draw(st.sampled_from(sorted(CREATES)))
    names = sorted(CREATES[dialect][1].model_fields)
    body = dict(RIGHT[dialect])
    for _ in range(draw(st.integers(1, 2))):
        body[draw(st.sampled_from(names))] = draw(TEXT | st.none() | JSON)
    if draw(st.integers(0, 9)) == 9:
        body[draw(TEXT)] = draw(SCALAR)
    return dialect, body


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Ports, Keys, str]]:
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        yield ports, factories.keys_of_families(ctx), lists.create(ctx, "one").id


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=requests())
def test_any_body_is_taken_or_refused_in_the_dialects_words(
    world: tuple[Ports, Keys, str], request: tuple[str, dict[str, Any]]
) -> None:
    ports, tokens, list_id = world
    dialect, body = request
    text = json.dumps(body).replace(LIST, list_id)
    before = factories.last_change(ports.engine)
    answer = doors.send(ports, "POST", CREATES[dialect][0], tokens[dialect], body=text)
    assert answer.status in (200, 201, 400, 404, 409, 422)
    assert isinstance(answer.body, dict)
    if answer.status >= 400:
        assert factories.last_change(ports.engine) == before + 1, "more was written than the key's count"


def test_what_was_taken_left_the_table_whole(world: tuple[Ports, Keys, str]) -> None:
    """Runs after the test above, on its table."""
    invariants.check(world[0].engine)
