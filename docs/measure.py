"""What one call, and one webhook, consume: measured on an embedded world, priced by AWS's list.

Steady state: the window of the API key is open, no other request is about, leads are under 1 KB.
"""
# ruff: noqa: INP001  # for generate.py beside it

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from leadwire import tenants
from leadwire.dialects.public.faces import FACE_V2
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Consumed, StoreError
from leadwire.webhooks import service
from local import demo
from local.world import World

ROOT = Path(__file__).resolve().parent.parent
WRITE_UNIT, READ_UNIT = 0.625, 0.125
"""Dollars per million request units on demand, us-east-1."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call: request units, and round trips that wait for one another (None where nobody waits)."""

    name: str
    wru: float
    rru: float
    trips: int | None

    @property
    def dollars(self) -> float:
        """For a million of them, DynamoDB alone."""
        return self.wru * WRITE_UNIT + self.rru * READ_UNIT


class Metered(FaultyEngine):
    """Adds up what passes, refused requests included."""

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self.consumed = Consumed()

    def _pass[T](self, request: Callable[[], T]) -> T:
        try:
            answer = request()
        except StoreError as refused:
            self.consumed.add(refused.consumed)
            raise
        self.consumed.add(answer if isinstance(answer, Consumed) else answer[-1])  # type: ignore[index]  # tuples
        return answer


def calls() -> list[Cost]:
    """One row for each kind of call over HTTP."""
    world = World(ROOT, overrides={"LEADWIRE_DEBUG_CAPACITY": "true"})
    state = demo.make(world.ports)
    try:
        for number in range(2):  # the first round opens the windows of the keys
            measured = [_call(world, state, name, number) for name in CALLS]
        return measured
    finally:
        world.close()


CALLS: dict[str, tuple[str, str, str, dict[str, Any] | None]] = {
    "lists: create, with phone and e-mail": (
        "lists",
        "POST",
        "/v1/leads",
        {"name": "Ann Lee", "phone_number": "+1415555267{n}", "email": "ann{n}@example.com", "list_id": "{list_id}"},
    ),
    "lists: attach a known phone to a list it is in": (
        "lists",
        "POST",
        "/v1/leads",
        {"name": "Ann Lee", "phone_number": "+1415555267{n}", "list_id": "{list_id}"},
    ),
    "chatbot: create, with e-mail": (
        "chatbot",
        "POST",
        "/api/v1/chatbots/default/leads",
        {"name": "Bo", "email": "bo{n}@example.com"},
    ),
    "crm: create, with e-mail": ("crm", "POST", "/api/v1/leads", {"first_name": "Cy", "email": "cy{n}@example.com"}),
    "crm: create in a stage": ("crm", "POST", "/api/v1/leads", {"first_name": "Di", "pipeline_stage_id": 2}),
    "public: create a client": ("public", "POST", "/api/v1/pub/clients", {"phone": "415555266{n}"}),
    "public: update a client": ("public", "POST", "/api/v1/pub/clients", {"phone": "415555266{n}", "city": "Rome"}),
    "public: read a client by phone": ("public", "GET", "/api/v1/pub/clients/415555266{n}", None),
    "crm: read a lead": ("crm", "GET", "/api/v1/leads/1", None),
}


def _call(world: World, state: dict[str, Any], name: str, number: int) -> Cost:
    family, method, path, body = CALLS[name]
    world.advance(seconds=1)
    values = {"{n}": str(number), "{list_id}": state["list_id"]}
    token = state["keys"][family]
    headers = {"x-api-key": token} if family == "public" else {"authorization": f"Bearer {token}"}
    filled = body and {key: _filled(text, values) for key, text in body.items()}
    response = world.http(method, _filled(path, values), headers, filled)
    if response.status not in (200, 201):
        raise RuntimeError(f"{name}: {response.status} {response.text}")
    units = dict(part.split("=") for part in response.headers["x-leadwire-capacity"].split())
    return Cost(name, float(units["wru"]), float(units["rru"]), int(units["trips"]))


def _filled(text: Any, values: dict[str, str]) -> Any:
    for name, value in values.items():
        text = text.replace(name, value) if isinstance(text, str) else text
    return text


def aftermath() -> list[Cost]:
    """What the workers consume after a create, and what a webhook that takes the event at once adds to it."""
    with _receiver() as url:
        alone, with_webhook = _workers([]), _workers([url])
    return [
        Cost("afterwards: events and indexes of a new lead", alone.wru, alone.rru, None),
        Cost("one webhook that wants it", with_webhook.wru - alone.wru, with_webhook.rru - alone.rru, None),
    ]


def _workers(urls: Sequence[str]) -> Consumed:
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true", "LEADWIRE_DEBUG_CAPACITY": "true"})
    state = demo.make(world.ports)
    ctx = tenants.operate(world.ports, tenants.by_slug(world.ports, demo.SLUG), "docs")
    try:
        for url in urls:
            service.create(ctx, FACE_V2, event_types=frozenset({"LEAD_CREATED"}), url=url)
        world.settle()
        _call(world, state, "public: create a client", 0)
        world.engine = metered = Metered(world.engine)
        world.settle()
        return metered.consumed
    finally:
        world.close()


@contextmanager
def _receiver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Accept)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Accept(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server gives it
        """Say nothing."""
