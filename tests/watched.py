"""A world that notes what each function does to the table, the queues, the bus and the vault, in the words of IAM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadwire.ports import Bus, BusEntry, Message, Ports, Queue, Vault
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Check, Consumed, Delete, Item, Key, Page, Put, Query, TransactWrite, Update, Write
from local.description import Function
from local.parts import last
from local.world import World

type Use = tuple[str, str, str]
"""Function, action, and the logical id of the resource; `Table/g1` is an index of it."""
type Note = Callable[[str, str], None]

ACTIONS = {
    Put: "dynamodb:PutItem",
    Update: "dynamodb:UpdateItem",
    Delete: "dynamodb:DeleteItem",
    Check: "dynamodb:ConditionCheckItem",
}
"""Also of what is inside a transaction: there is no action for that itself."""
TABLE = "Table"


class Watched(World):
    """`uses` are noted as they happen, also what the store then refuses."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self.uses: set[Use] = set()
        super().__init__(*arguments, **more)

    def ports_of(self, function: Function) -> Ports:
        return watched(super().ports_of(function), function.name, self.uses)

    @property
    def ports(self) -> Ports:
        """Those of nobody: what tests do is not noted."""
        return super().ports_of(next(iter(self.stack.functions.values())))


def watched(ports: Ports, function: str, uses: set[Use]) -> Ports:
    def note(action: str, resource: str) -> None:
        uses.add((function, action, resource))

    return replace(
        ports,
        engine=_Engine(ports.engine, note),
        queue=_Queue(ports.queue, note),
        bus=_Bus(ports.bus, note),
        vault=_Vault(ports.vault, note),
    )


class _Engine(FaultyEngine):
    def __init__(self, engine: Engine, note: Note) -> None:
        super().__init__(engine)
        self._note = note

    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]:
        self._note("dynamodb:GetItem", TABLE)
        return super().get(key, consistent=consistent)

    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        self._note("dynamodb:BatchGetItem", TABLE)
        return super().batch_get(keys, consistent=consistent)

    def query(self, query: Query) -> tuple[Page, Consumed]:
        self._note("dynamodb:Query", f"{TABLE}/{query.index}" if query.index else TABLE)
        return super().query(query)

    def write(self, op: Write) -> tuple[Item | None, Consumed]:
        self._note(ACTIONS[type(op)], TABLE)
        return super().write(op)

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        for op in ops:
            self._note(ACTIONS[type(op)], TABLE)
        return super().transact(ops)

    def batch_write(self, ops: Sequence[Put | Delete]) -> tuple[list[Put | Delete], Consumed]:
        self._note("dynamodb:BatchWriteItem", TABLE)
        return super().batch_write(ops)


@dataclass
class _Queue(Queue):
    queue: Queue
    note: Note

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        if messages:
            self.note("sqs:SendMessage", last(url))
        return self.queue.send(url, messages)


@dataclass
class _Bus(Bus):
    bus: Bus
    note: Note

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        self.note("events:PutEvents", "Bus")
        return self.bus.put(entries)


@dataclass
class _Vault(Vault):
    vault: Vault
    note: Note

    def seal(self, secret: str, context: str) -> bytes:
        self.note("kms:GenerateDataKey", "SecretsKey")
        return self.vault.seal(secret, context)

    def open(self, sealed: bytes, context: str) -> str:
        self.note("kms:Decrypt", "SecretsKey")
        return self.vault.open(sealed, context)
