"""Idempotency-Key: one effect and one answer, however often and however badly a request arrives (decision D8)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire import apikeys, lists
from leadwire.context import Ctx
from leadwire.edge import idempotency
from leadwire.leads import service
from leadwire.leads.model import Lead
from leadwire.ports import Ports
from leadwire.store.database import MEMORY
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Put
from tests import doors, factories, invariants
from tests.factories import Answer, Clock, Keys

KEY = {"idempotency-key": "order-4711"}
LIST = "6b1d9d3e-0000-4000-8000-000000000000"
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "public": ("/api/v1/pub/clients", {"phone": "+14155550199", "firstName": "Zoë", "city": "Austin"}),
    "chatbot": ("/api/v1/leads", {"name": "Zoë Quast", "email": "zoe@example.com", "metadata": {"a": [1.5, None]}}),
    "lists": ("/v1/leads", {"name": "Zoë", "phone_number": "+14155550199", "list_id": LIST}),
    "crm": ("/api/v1/leads", {"first_name": "Zoë", "email": "zoe@example.com", "custom_fields": {"n": 10**20}}),
}
dialect = pytest.mark.parametrize("dialect", BODIES)


@pytest.fixture(autouse=True)
def listed(ctx: Ctx) -> None:
    """The one list of these tests has a known id, so that requests can be written down beforehand."""
    add_list(ctx)


def add_list(ctx: Ctx) -> None:
    check = lists.exists(ctx, LIST)
    ctx.table.write(Put({"pk": check.key.pk, "sk": check.key.sk, "name": "one", "created_at": 1}))


def send(world: Ports, dialect: str, token: str, body: Any = None, **headers: str) -> Answer:
    path, usual = BODIES[dialect]
    return doors.send(world, "POST", path, token, body=body or usual, headers=KEY | headers)


def effects(engine: Engine) -> tuple[int, int]:
    return len(factories.leads(engine)), len(factories.events(engine))


# --- replay -----------------------------------------------------------------------------------------------------------


@dialect
def test_a_repeat_is_answered_byte_for_byte_as_the_first(
    ports: Ports, keys_of_families: Keys, clock: Clock, dialect: str
) -> None:
    first = send(ports, dialect, keys_of_families[dialect])
    clock.advance(3600)
    again = send(ports, dialect, keys_of_families[dialect])
    assert first.status == again.status == 201
    assert first.text.encode() == again.text.encode()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert effects(ports.engine) == (1, 1)


def test_the_answer_is_that_of_then_even_if_the_lead_has_changed_since(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    first = send(ports, "lists", keys_of_families["lists"])
    changed = service.upsert_by_phone(ctx, Lead(phone="+14155550199"), lambda lead: replace(lead, first_name="Bea"))
    assert changed.existed
    assert send(ports, "lists", keys_of_families["lists"]).text == first.text


@dialect
def test_another_body_under_the_same_key_is_refused_and_writes_nothing(
    ports: Ports, keys_of_families: Keys, dialect: str
) -> None:
    send(ports, dialect, keys_of_families[dialect])
    before = factories.without_counters(factories.items(ports.engine))
    other = json.dumps(BODIES[dialect][1]) + " "
    answer = send(ports, dialect, keys_of_families[dialect], other)
    assert answer.status == 422
    assert factories.without_counters(factories.items(ports.engine)) == before


def test_the_same_key_on_another_path_is_refused(ports: Ports, keys_of_families: Keys) -> None:
    send(ports, "chatbot", keys_of_families["chatbot"])
    path = "/api/v1/chatbots/default/leads"
    answer = doors.send(ports, "POST", path, keys_of_families["chatbot"], body=BODIES["chatbot"][1], headers=KEY)
    assert answer.status == 422


def test_the_same_key_of_another_api_key_is_another_request(ports: Ports, ctx: Ctx) -> None:
    tokens = [apikeys.create(ctx, "crm", name)[1] for name in ("a", "b")]
    assert ["idempotency-replayed" in send(ports, "crm", token).headers for token in tokens * 2] == [
        False,
        False,
        True,
        True,
    ]
    assert len(factories.leads(ports.engine)) == 2


def test_a_record_is_kept_for_24_hours(ports: Ports, keys_of_families: Keys, clock: Clock) -> None:
    """The table deletes it some time after; until then the edge itself looks at its age."""
    numbers = []
    for wait in (0, 24 * 3600 - 1, 1):
        clock.advance(wait)
        numbers.append(send(ports, "crm", keys_of_families["crm"]).body["data"]["id"])
    assert numbers == [1, 1, 2]


def test_requests_without_the_header_are_each_their_own(ports: Ports, keys_of_families: Keys) -> None:
    path, body = BODIES["crm"]
    for _ in range(2):
        assert doors.send(ports, "POST", path, keys_of_families["crm"], body=body).status == 201
    assert len(factories.leads(ports.engine)) == 2


def test_reading_ignores_the_header(ports: Ports, keys_of_families: Keys) -> None:
    doors.send(ports, "GET", "/api/v1/leads/1", keys_of_families["crm"], headers=KEY)
    assert not [key for key in factories.items(ports.engine) if "#IDEM#" in key[0]]


@pytest.mark.parametrize("text", ["", "x" * 256, "ä", "tab\tkey"])
def test_a_key_that_is_not_1_to_255_printable_ascii_characters_is_refused(
    ports: Ports, keys_of_families: Keys, text: str
) -> None:
    answer = send(ports, "crm", keys_of_families["crm"], **{"idempotency-key": text})
    assert (answer.status, [*answer.body["errors"]]) == (422, ["Idempotency-Key"])
    assert effects(ports.engine) == (0, 0)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_refused_request_gives_its_key_back_to_the_corrected_one(ports: Ports, keys_of_families: Keys) -> None:
    _, body = BODIES["lists"]
    wrong = body | {"list_id": LIST.replace("0", "1")}
    assert send(ports, "lists", keys_of_families["lists"], wrong).status == 404
    assert send(ports, "lists", keys_of_families["lists"], body).status == 201


def test_a_request_that_changes_nothing_is_answered_once_too(ports: Ports, keys_of_families: Keys) -> None:
    send(ports, "lists", keys_of_families["lists"], **{"idempotency-key": "the one that creates"})
    first = send(ports, "lists", keys_of_families["lists"])
    again = send(ports, "lists", keys_of_families["lists"])
    assert (first.status, first.body["existed"], again.text) == (200, True, first.text)
    assert again.headers["idempotency-replayed"] == "true"


# --- claims -----------------------------------------------------------------------------------------------------------


class Dead(BaseException):
    """The process is gone: nothing of ours may catch it."""


@contextmanager
def dying_at(world: Ports, call: int, *, before: bool) -> Iterator[Ports]:
    """Ports on the same table whose process dies before or after its `call`th request to it."""
    faulty = FaultyEngine(world.engine)
    (faulty.fail_before if before else faulty.fail_after)(call, Dead())
    yield factories.ports(faulty, world.clock)


def dies(world: Ports, dialect: str, token: str, call: int, *, before: bool) -> bool:
    with dying_at(world, call, before=before) as dying:
        try:
            send(dying, dialect, token)
        except Dead:
            return True
    return False


def test_a_repeat_while_the_first_is_running_is_refused_until_its_claim_runs_out(
    ports: Ports, keys_of_families: Keys, clock: Clock
) -> None:
    """Once the window is open, request 1 to the table counts the call and 2 claims; before 3 the process dies."""
    token = keys_of_families["crm"]
    send(ports, "crm", token, {"first_name": "other"}, **{"idempotency-key": "other"})
    assert dies(ports, "crm", token, 3, before=True)
    for wait, status in ((0, 409), (29.0, 409), (1, 201), (1, 201)):
        clock.advance(wait)
        assert send(ports, "crm", token).status == status
    assert len(factories.leads(ports.engine)) == 2


def test_another_request_cannot_take_over_an_abandoned_claim(
    ports: Ports, keys_of_families: Keys, clock: Clock
) -> None:
    token = keys_of_families["crm"]
    send(ports, "crm", token, {"first_name": "other"}, **{"idempotency-key": "other"})
    assert dies(ports, "crm", token, 3, before=True)
    clock.advance(idempotency.HELD)
    assert send(ports, "crm", token, {"first_name": "else"}).status == 422


class Meanwhile(FaultyEngine):
    """Does something just before the first transaction, once."""

    def __init__(self, engine: Engine, work: Callable[[], None]) -> None:
        super().__init__(engine)
        self.work: Callable[[], None] | None = work

    def transact(self, ops: Any) -> Any:
        work, self.work = self.work, None
        if work:
            work()
        return super().transact(ops)


def test_a_first_owner_that_is_too_late_writes_nothing(ports: Ports, keys_of_families: Keys, clock: Clock) -> None:
    """It sleeps for half a minute between its claim and its transaction; a repeat takes over and finishes."""
    answers: list[Answer] = []

    def overtake() -> None:
        clock.advance(idempotency.HELD)
        answers.append(send(ports, "crm", keys_of_families["crm"]))

    slow = factories.ports(Meanwhile(ports.engine, overtake), clock)
    late = send(slow, "crm", keys_of_families["crm"])
    assert (answers[0].status, late.status) == (201, 409)
    assert effects(ports.engine) == (1, 1)
    assert send(ports, "crm", keys_of_families["crm"]).text == answers[0].text


def test_a_first_owner_that_is_too_late_writes_nothing_even_while_the_second_is_at_work(
    ports: Ports, keys_of_families: Keys, clock: Clock
) -> None:
    """The record is running again, but not the first owner's any more. Then the second one dies, and a third works."""
    token = keys_of_families["crm"]

    def overtake() -> None:
        clock.advance(idempotency.HELD)
        assert dies(ports, "crm", token, 3, before=True)

    late = send(factories.ports(Meanwhile(ports.engine, overtake), clock), "crm", token)
    assert (late.status, effects(ports.engine)) == (409, (0, 0))
    clock.advance(idempotency.HELD)
    assert (send(ports, "crm", token).status, effects(ports.engine)) == (201, (1, 1))


def test_sixteen_repeats_at_once_have_one_effect(tmp_path: Path, clock: Clock) -> None:
    with factories.engine(tmp_path / "table.db", clock) as engine:
        world = factories.ports(engine, clock)
        ctx = factories.ctx(world, factories.tenant(world, "acme"))
        token = factories.keys_of_families(ctx)["crm"]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: send(world, "crm", token), range(16)))
        assert {answer.status for answer in answers} <= {201, 409}
        assert len({answer.text for answer in answers if answer.status == 201}) == 1
        assert effects(engine) == (1, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dialect=st.sampled_from(sorted(BODIES)),
    deaths=st.lists(st.tuples(st.integers(1, 7), st.booleans()), max_size=3),
    quiet=st.booleans(),
)
def test_wherever_a_request_dies_its_repeats_have_one_effect(
    dialect: str, deaths: list[tuple[int, bool]], *, quiet: bool
) -> None:
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        world = factories.ports(engine, clock)
        ctx = factories.ctx(world, factories.tenant(world, "acme"))
        add_list(ctx)
        token = factories.keys_of_families(ctx)[dialect]
        if not quiet:
            service.create(ctx, factories.draft(1))
        others = len(factories.leads(engine))
        for call, before in deaths:
            dies(world, dialect, token, call, before=before)
            clock.advance(idempotency.HELD)
        first, again = send(world, dialect, token), send(world, dialect, token)
        assert (first.status, again.status, first.text) == (201, 201, again.text)
        assert effects(engine) == (others + 1, others + 1)
        invariants.check(engine)
