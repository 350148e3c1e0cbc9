"""Clients of four dialects at the same few leads, and a ledger of what each was promised.

A promise is a request that was answered with success, and the step that it must have been: the lead before it to the
lead after it. tests/flows/history.py holds the events against it.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import events, ids
from leadwire.leads import merging, model
from leadwire.leads.model import Lead
from tests.flows.business import authorization

STAGES = (1, 2, 3)
"""Of the pipeline that a tenant begins with: those that leave the status as it is."""
TRIES = 5
"""Of a request that is answered 503, which says that it was overtaken too often and did nothing."""
NOTHING = "nothing"
"""In the place of an event: the request found everything as it wanted it."""

type Step = Callable[[Lead, Lead], Lead]
"""From the lead before a request to the lead after it; the second is the lead that a merge has ended."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One of `types` is the type of the one event that tells of the request; `also` are types that it tells beside."""

    request: str
    kind: str
    step: Step | None
    types: frozenset[str]
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and what is promised if it succeeds."""

    dialect: str
    method: str
    path: str
    body: Any = None
    step: Step | None = None
    types: Sequence[str] = (events.LEAD_UPDATED,)
    also: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the clients meet: a running server, its one tenant, and what the leads can be put into."""

    port: int
    keys: Mapping[str, str]
    tenant: str
    id_key: bytes
    lists: Sequence[str]
    chatbot: str
    leads: int = 20
    known: dict[int, int] = field(default_factory=dict)
    """Slot (a phone and an e-mail address) to the number of the lead that somebody was last told of."""


@dataclass(slots=True)
class Client:
    """One client on one connection."""

    place: Place
    name: str
    chance: random.Random
    promises: list[Promise] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Ids of the requests that were refused: nothing may have happened."""
    tagged: Sequence[tuple[int, str]] = ()
    """The tags that it has added last, and to which leads."""
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Kind of operation and status to how often."""
    again: int = 0
    """Requests that were sent again after a 503."""

    def work_until(self, end: float) -> None:
        """`end` as time.monotonic tells it."""
        connection, calls = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=60), 0
        while time.monotonic() < end:
            kind = self.chance.choices([*OPERATIONS], [*OPERATIONS.values()])[0]
            slot = self.chance.randrange(self.place.leads)
            self._do(connection, kind.__name__, slot, kind(self, slot, f"{self.name}x{calls}"))
            calls += 1
        connection.close()

    def _do(self, connection: http.client.HTTPConnection, kind: str, slot: int, call: Call) -> None:
        for _ in range(TRIES):
            status, request, body = self._send(connection, call)
            self.answers[kind, status] += 1
            if status in (200, 201, 204):
                types, also = frozenset(call.types), frozenset(call.also)
                self.promises.append(Promise(request, kind, call.step, types, also))
            else:
                self.refused.append(request)
            if number := _number(self.place, call.dialect, body):
                self.place.known[slot] = number
            if status != 503:  # Service Unavailable
                return
            self.again += 1

    def _send(self, connection: http.client.HTTPConnection, call: Call) -> tuple[int, str, Any]:
        headers = authorization(call.dialect, self.place.keys[call.dialect]) | {"content-type": "application/json"}
        content = None if call.body is None else json.dumps(call.body)
        connection.request(call.method, call.path, content, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, answer.headers["x-request-id"], json.loads(text) if text else None

    # --- names ----------------------------------------------------------------------------------------------------

    def number(self, slot: int) -> int:
        return self.place.known.get(slot, slot + 1)

    def uuid(self, slot: int) -> str:
        return ids.lead_uuid(self.place.id_key, self.number(slot))

    def chatbot_path(self, slot: int) -> str:
        return f"/api/v1/chatbots/{self.place.chatbot}/leads/{ids.lead_id(self.place.id_key, self.number(slot))}"


def phone(slot: int) -> str:
    return f"+1415555{slot:04d}"


def email(slot: int) -> str:
    return f"person{slot}@example.com"


def _number(place: Place, dialect: str, body: Any) -> int | None:
    """The number of the lead that an answer shows, or names as the one that is there already."""
    shown = body if isinstance(body, dict) else {}
    shown = shown.get("data") or shown.get("details") or shown
    match dialect:
        case "chatbot":
            return ids.number_of_lead_id(place.id_key, shown.get("existingLeadId") or shown.get("id") or "")
        case "crm":
            return shown.get("lead_id") or shown.get("id")
        case "public":
            return int(shown.get("clientId") or 0)
    return ids.number_of_uuid(place.id_key, shown.get("id") or "")


# --- operations -------------------------------------------------------------------------------------------------------

MADE_OR_CHANGED = (events.LEAD_CREATED, events.LEAD_UPDATED)
GONE_OR_CHANGED = (events.LEAD_DELETED, events.LEAD_UPDATED)


def attach(client: Client, slot: int, _word: str) -> Call:
    one = client.chance.choice(client.place.lists)
    body = {"name": "Ada", "phone_number": phone(slot), "email": email(slot), "list_id": one}
    step = lambda lead, _: replace(lead, lists=model.with_tags(lead.lists, (one,)))  # noqa: E731
    return Call("lists", "POST", "/v1/leads", body, step, (*MADE_OR_CHANGED, NOTHING))


def append_note(client: Client, slot: int, word: str) -> Call:
    step = lambda lead, _: replace(lead, notes=model.with_note(lead.notes, word, 0))  # noqa: E731
    return Call("lists", "PATCH", f"/v1/leads/{client.uuid(slot)}", {"notes_append": word}, step)


def replace_tags(client: Client, slot: int, word: str) -> Call:
    return Call(
        "lists",
        "PATCH",
        f"/v1/leads/{client.uuid(slot)}",
        {"tags": [word], "metadata": {word: 0}},
        lambda lead, _: replace(lead, tags=(word,), custom={word: 0}),
    )


def detach(client: Client, slot: int, _word: str) -> Call:
    one = client.chance.choice(client.place.lists)
    path = f"/v1/leads/{client.uuid(slot)}?list_id={one}"

    def step(lead: Lead, _gone: Lead) -> Lead:
        """Out of its last list means out of the store, and its last version is in that list."""
        return replace(lead, lists=tuple(other for other in lead.lists if other != one) or lead.lists)

    return Call("lists", "DELETE", path, None, step, GONE_OR_CHANGED)


def delete(client: Client, slot: int, _word: str) -> Call:
    path = {
        "lists": f"/v1/leads/{client.uuid(slot)}",
        "chatbot": client.chatbot_path(slot),
        "crm": f"/api/v1/leads/{client.number(slot)}",
    }
    dialect = client.chance.choice([*path])
    return Call(dialect, "DELETE", path[dialect], None, lambda lead, _: lead, (events.LEAD_DELETED,))


def chat(client: Client, slot: int, word: str) -> Call:
    body = {"name": "Ada", "email": email(slot), "phone": phone(slot), "metadata": {word: 1}}
    path = f"/api/v1/chatbots/{client.place.chatbot}/leads"
    return Call("chatbot", "POST", path, body, lambda lead, _: replace(lead, custom={word: 1}), (events.LEAD_CREATED,))


def put_metadata(client: Client, slot: int, word: str) -> Call:
    step = lambda lead, _: replace(lead, custom={**lead.custom, word: 1})  # noqa: E731
    return Call("chatbot", "PUT", client.chatbot_path(slot), {"metadata": {word: 1}}, step)


def add_tag(client: Client, slot: int, word: str) -> Call:
    step = lambda lead, _: replace(lead, tags=(*lead.tags, word))  # noqa: E731
    client.tagged = (*client.tagged[-2:], (client.number(slot), word))
    return Call("crm", "POST", f"/api/v1/leads/{client.number(slot)}/tags", {"tag": word}, step)


def remove_tag(client: Client, slot: int, _word: str) -> Call:
    """One that the client has added, if it is still there."""
    number, tag = client.chance.choice(client.tagged or ((client.number(slot), "never"),))
    path = f"/api/v1/leads/{number}/tags/{tag}"
    step = lambda lead, _: replace(lead, tags=tuple(other for other in lead.tags if other != tag))  # noqa: E731
    return Call("crm", "DELETE", path, None, step)


def move(client: Client, slot: int, word: str) -> Call:
    stage = client.chance.choice(STAGES)
    body = {"pipeline_stage_id": stage, "company": word}
    step = lambda lead, _: replace(lead, pipeline_id=1, stage_id=stage, company=word)  # noqa: E731
    return Call("crm", "PATCH", f"/api/v1/leads/{client.number(slot)}", body, step)


def take_in(client: Client, slot: int, word: str) -> Call:
    body = {"email": email(slot), "tags": [word]}
    step = lambda lead, _: model.filled(lead, Lead(tags=(word,)))  # noqa: E731
    path = f"/api/inbound/leads?tenant={client.place.tenant}"
    return Call("crm", "POST", path, body, step, (*MADE_OR_CHANGED, NOTHING))


def double(client: Client, slot: int, word: str) -> Call:
    """A second lead of the same person, on purpose."""
    body = {"first_name": "Ada", "email": email(slot), "phone": phone(slot), "tags": [word]}
    step = lambda lead, _: replace(lead, tags=(*lead.tags, word))  # noqa: E731
    return Call("crm", "POST", "/api/v1/leads", body, step, (events.LEAD_CREATED,))


def merge(client: Client, slot: int, _word: str) -> Call:
    other = client.number(client.chance.randrange(client.place.leads))
    path = f"/api/v1/leads/{client.number(slot)}/merge"
    step = lambda lead, gone: merging.merged(lead, gone, ())  # noqa: E731
    return Call("crm", "POST", path, {"lead_id": other}, step, also=(events.LEAD_MERGED,))


def unmerge(client: Client, slot: int, _word: str) -> Call:
    path = f"/api/v1/leads/{client.number(slot)}/unmerge"
    return Call("crm", "POST", path, {}, None, also=(events.LEAD_UNMERGED,))


def upsert(client: Client, slot: int, word: str) -> Call:
    step = lambda lead, _: replace(lead, address={**lead.address, "city": word})  # noqa: E731
    return Call("public", "POST", "/api/v1/pub/clients", {"phone": phone(slot), "city": word}, step, MADE_OR_CHANGED)


def say(client: Client, slot: int, word: str) -> Call:
    path = f"/api/v1/pub/leads/{client.uuid(slot)}/messages"
    body = {"direction": "inbound", "message": word}
    return Call("public", "POST", path, body, lambda lead, _: lead, (events.MESSAGE_REPLIED,))


OPERATIONS: Mapping[Callable[[Client, int, str], Call], int] = {
    attach: 14, append_note: 10, replace_tags: 3, detach: 5, delete: 6,
    chat: 5, put_metadata: 10,
    add_tag: 12, remove_tag: 6, move: 8, take_in: 5, double: 2, merge: 2, unmerge: 2,
    upsert: 8, say: 5,
}  # fmt: skip
"""Each with its share of a hundred or so."""
