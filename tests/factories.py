"""Makers of what tests begin with. Nothing here decides anything that a test asserts."""

from __future__ import annotations

import itertools
import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from leadwire import apikeys, tenants
from leadwire.context import Ctx, Tenant
from leadwire.leads.model import Lead
from leadwire.ports import Bus, BusEntry, Message, Ports, Queue, Vault
from leadwire.settings import Settings
from leadwire.store.database import Database
from leadwire.store.encoding import decode
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Consumed, Item, TransactWrite

type Keys = dict[str, str]
"""Dialect to token."""

NOON = 1_795_262_400.0
"""2026-11-21T12:00:00Z."""
UNLIMITED = 10**6
PUBLIC = apikeys.FAMILIES["public"].prefix


class Clock:
    """Epoch seconds that stand still until `advance`."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Nowhere(Queue, Bus, Vault):
    """Queue, bus and vault of tests that must not reach any."""

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        raise AssertionError("nothing may be queued here")

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        raise AssertionError("nothing may be put on the bus here")

    def seal(self, secret: str, context: str) -> bytes:
        raise AssertionError("nothing may be sealed here")

    def open(self, sealed: bytes, context: str) -> str:
        raise AssertionError("nothing may be opened here")


class Kept(Queue):
    """A queue whose messages wait until they are worked on."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        self.messages += messages
        return []


class Overtaken(FaultyEngine):
    """Something else is done just before the first transaction."""

    meanwhile: Callable[[], object] | None = None

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        if first := self.meanwhile:
            self.meanwhile = None
            first()
        return super().transact(ops)


@contextmanager
def engine(path: str | Path, clock: Callable[[], float]) -> Iterator[SqliteEngine]:
    """A table in the file, or in memory."""
    made = SqliteEngine(Database(path), clock=clock)
    try:
        yield made
    finally:
        made.close()


def ports(engine: Engine, clock: Callable[[], float], **settings: Any) -> Ports:
    nowhere = Nowhere()
    chosen = Settings("table", "bus", "queue", "key", **{"debug_capacity": True, **settings})
    return Ports(chosen, engine, nowhere, nowhere, nowhere, clock)


def tenant(ports: Ports, slug: str, **settings: Any) -> Tenant:
    return tenants.create(ports, slug, slug.title(), **settings)


def ctx(ports: Ports, tenant: Tenant) -> Ctx:
    return tenants.operate(ports, tenant, "tests")


def draft(number: int = 1, **fields: Any) -> Lead:
    """A lead to be stored, with an e-mail and a phone of its own for every number below a million."""
    own = {"first_name": "Ada", "email": f"ada{number}@example.com", "phone": f"+1415{2000000 + number}"}
    return Lead(**{**own, **fields})


def keys_of_families(ctx: Ctx) -> Keys:
    return {family: apikeys.create(ctx, family, family, limit=UNLIMITED)[1] for family in apikeys.FAMILIES}


# --- requests ---------------------------------------------------------------------------------------------------------

_requests = itertools.count(1)


def event(route: str, path: str, token: str = "", *, body: object = None, **more: Any) -> dict[str, Any]:
    """An event of API Gateway (payload 2.0). `body` is JSON-able, or text to be sent as it is.

    `more`: params, query, headers (lower case). The token goes where its dialect wants it.
    """
    headers = {"content-type": "application/json", **more.get("headers", {})}
    if token:
        headers |= {"x-api-key": token} if token.startswith(PUBLIC) else {"authorization": f"Bearer {token}"}
    raw = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": urllib.parse.unquote(path),
        "rawQueryString": more.get("query", ""),
        "headers": headers,
        "pathParameters": more.get("params", {}),
        "requestContext": {"requestId": f"request-{next(_requests)}", "http": {"method": route.partition(" ")[0]}},
        "body": raw,
        "isBase64Encoded": False,
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as a test looks at it; `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text, parse_constant=_no_json) if self.text else None


def answer(response: Mapping[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Answer(response["statusCode"], headers, response.get("body", ""))


def _no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


# --- the table --------------------------------------------------------------------------------------------------------


def items(engine: Engine) -> dict[tuple[str, str], Item]:
    """Everything that the table holds, by key."""
    with cast(SqliteEngine, engine).database.read() as connection:
        rows = connection.execute("SELECT pk, sk, item FROM items").fetchall()
    return {(pk, sk): decode(text) for pk, sk, text in rows}


def stream(engine: Engine) -> list[Any]:
    return cast(SqliteEngine, engine).read_stream(0, 10**9)


def last_change(engine: Engine) -> int:
    """The sequence number of the table's last change: one more for each item that changes."""
    with cast(SqliteEngine, engine).database.read() as connection:
        (number,) = connection.execute("SELECT coalesce(max(seq), 0) FROM stream").fetchone()
    return int(number)


def leads(engine: Engine) -> list[Item]:
    """The leads of all tenants, by number."""
    found = [item for (_, sk), item in items(engine).items() if sk == "LEAD"]
    return sorted(found, key=lambda item: int(item["number"]))


def events(engine: Engine) -> list[Item]:
    """The events of all tenants, in the order in which they were written; the stream forgets them after a while."""
    return [record.new for record in stream(engine) if record.new and record.key.sk.startswith("EVT#")]


def without_counters(state: dict[tuple[str, str], Item]) -> dict[tuple[str, str], Item]:
    """The table but for how often each API key was used: what a refused request must leave as it was."""
    return {
        key: {name: value for name, value in item.items() if name not in ("used", "window_ends")}
        for key, item in state.items()
    }
