"""Sixteen clients of three dialects at the same twenty leads: nothing is lost, and everything agrees with a recount.

The mix of calls is seeded; who meets whom is the machine's business. What is asserted holds for every interleaving.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import ids, lists
from leadwire.context import Ctx
from leadwire.leads import indexer, query, store, terms
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.ports import Message, Ports, Queue
from tests import doors, factories, invariants
from tests.factories import Answer, Clock, Keys

CLIENTS, CALLS, LEADS = 16, 60, 20
BATCH = 200


class Kept(Queue):
    """Holds what the indexer leaves for the tidying."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        self.messages += messages
        return []


@dataclass(slots=True)
class Client:
    """One client: what it was told of leads, and what it was promised."""

    ctx: Ctx
    tokens: Keys
    list_ids: Sequence[str]
    name: str
    chance: random.Random
    known: dict[str, int] = field(default_factory=dict)
    """Phone to the number of the lead that it was last told of."""
    promised: list[tuple[int, str, str]] = field(default_factory=list)
    """Lead, what was added (note, key, tag), and the word."""
    answers: Counter[int] = field(default_factory=Counter)

    def work(self) -> None:
        for call in range(CALLS):
            phone = f"+1415555{self.chance.randrange(LEADS):04d}"
            doing = self.chance.choices([self.attach, self.note, self.put, self.tag, self.leave, self.delete], WEIGHTS)
            doing[0](phone, f"{self.name}x{call}")

    def attach(self, phone: str, word: str) -> None:
        body = {"name": "Ada", "phone_number": phone, "list_id": self.chance.choice(self.list_ids)}
        answer = self.send("lists", "POST", "/v1/leads", body)
        self.known[phone] = ids.number_of_uuid(self.ctx.tenant.id_key, answer.body["id"]) or 0

    def note(self, phone: str, word: str) -> None:
        self.add(phone, "note", word, "lists", "PATCH", f"/v1/leads/{self.uuid(phone)}", {"notes_append": word})

    def put(self, phone: str, word: str) -> None:
        path = f"/api/v1/leads/{ids.lead_id(self.ctx.tenant.id_key, self.known.get(phone, 1))}"
        self.add(phone, "key", word, "chatbot", "PUT", path, {"metadata": {word: 1}})

    def tag(self, phone: str, word: str) -> None:
        self.add(phone, "tag", word, "crm", "POST", f"/api/v1/leads/{self.known.get(phone, 1)}/tags", {"tag": word})

    def leave(self, phone: str, word: str) -> None:
        one = self.chance.choice(self.list_ids)
        self.send("lists", "DELETE", f"/v1/leads/{self.uuid(phone)}?list_id={one}")

    def delete(self, phone: str, word: str) -> None:
        self.send("lists", "DELETE", f"/v1/leads/{self.uuid(phone)}")

    def add(self, phone: str, kind: str, word: str, dialect: str, method: str, path: str, body: Any) -> None:
        answer = self.send(dialect, method, path, body)
        if answer.status in (200, 201):
            self.promised.append((self.known.get(phone, 1), kind, word))

    def send(self, dialect: str, method: str, path: str, body: Any = None) -> Answer:
        answer = doors.send(self.ctx.ports, method, path, self.tokens[dialect], body=body)
        self.answers[answer.status] += 1
        return answer

    def uuid(self, phone: str) -> str:
        return ids.lead_uuid(self.ctx.tenant.id_key, self.known.get(phone, 1))


WEIGHTS = (6, 3, 3, 2, 1, 1)


@pytest.fixture
def shared(tmp_path: Path, clock: Clock) -> Iterator[Ctx]:
    with factories.engine(tmp_path / "table.db", clock) as engine:
        ports = replace(factories.ports(engine, clock, tidy_queue_url="tidy"), queue=Kept())
        yield factories.ctx(ports, factories.tenant(ports, "acme"))


def test_nothing_is_lost_and_everything_agrees_with_a_recount(shared: Ctx) -> None:
    tokens = factories.keys_of_families(shared)
    list_ids = [lists.create(shared, f"list {number}").id for number in range(3)]
    clients = [Client(shared, tokens, list_ids, f"c{number}", random.Random(number)) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for future in [pool.submit(client.work) for client in clients]:
            future.result()
    answers = sum((client.answers for client in clients), Counter[int]())
    assert set(answers) <= {200, 201, 204, 404}, answers
    assert answers[204] > 10, "nothing was deleted"
    _no_promise_is_broken(shared, clients)
    _counts_agree(shared)
    _index(shared.ports)
    _counts_agree(shared)
    invariants.check(shared.ports.engine)


def _leads(ctx: Ctx) -> list[Lead]:
    return [store.of_item(item) for item in factories.leads(ctx.ports.engine)]


def _no_promise_is_broken(ctx: Ctx, clients: Sequence[Client]) -> None:
    """What was added to a lead that still exists is there."""
    leads = {lead.number: lead for lead in _leads(ctx)}
    kept = 0
    for number, kind, word in (promise for client in clients for promise in client.promised):
        if number not in leads:
            continue
        lead, kept = leads[number], kept + 1
        found = {"note": lead.notes.split(), "key": lead.custom, "tag": lead.tags}[kind]
        assert word in found, f"{kind} {word} of lead {number} is lost"
    assert kept > 50, "too little was promised of leads that still exist"


def _counts_agree(ctx: Ctx) -> None:
    """Totals of all facets that leads have, and the pages of all leads, by the list engine and by hand."""
    counted: dict[str, int] = defaultdict(int)
    for lead in _leads(ctx):
        for facet in terms.facets(lead):
            counted[facet] += 1
    assert query.totals(ctx, sorted(counted)) == counted
    listed = query.run(ctx, LeadQuery(limit=1000))
    assert [lead.number for lead in listed.leads] == sorted((lead.number for lead in _leads(ctx)), reverse=True)
    assert len(listed.leads) == len({lead.phone for lead in listed.leads}), "a phone has two leads"


def _index(ports: Ports) -> None:
    """The indexer and the tidying go through everything that was written."""
    records = [record for record in factories.stream(ports.engine) if record.key.sk == "LEAD"]
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        indexer.run(ports, [indexer.of_images(one.key.pk.split("#")[1], one.old, one.new) for one in batch])
    assert isinstance(ports.queue, Kept)
    for message in ports.queue.messages:
        indexer.tidy(ports, message.body)
