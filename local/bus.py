"""EventBridge on SQLite: an event goes to the targets of every rule that it matches, in the transaction that takes it.

A queue gets the event as a message, a function as an asynchronous invocation (invocations.py), so that delivery cannot
fail here and its retries are those of the queue or the function.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from leadwire.ports import Bus, BusEntry, Message
from leadwire.store.database import Database

from . import invocations
from .description import ACCOUNT, REGION, Rule, Target
from .patterns import compiled, mentions
from .queues import Queues

SOURCE = "leadwire"
LARGEST_ENTRY = 1_048_576
"""Bytes of source, detail type and detail (EventBridge quotas, 2026)."""


class LocalBus(Bus):
    """The rules of one bus."""

    def __init__(self, database: Database, queues: Queues, rules: Sequence[Rule], clock: Callable[[], float]) -> None:
        self._database = database
        self._queues = queues
        self._rules = [(rule.targets, compiled(rule.pattern), mentions(rule.pattern, "detail")) for rule in rules]
        self._clock = clock
        self._refusals = 0

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        """Raises ValueError for an entry that EventBridge would not take at all."""
        for entry in entries:
            _check(entry)
        refused = list(range(min(self._refusals, len(entries))))
        self._refusals -= len(refused)
        reached: set[str] = set()
        with self._database.write() as connection:
            for entry in entries[len(refused) :]:
                event = envelope(SOURCE, entry.detail_type, self._clock())
                for target in self._targets(event, entry):
                    text, group = _text(event, entry.detail), _group(target, entry)
                    reached.add(dispatch(connection, self._queues, target, text, group))
        for queue in reached:
            self._queues.notify(queue)
        return refused

    def refuse(self, count: int) -> None:
        """For tests: refuse the next `count` entries, as EventBridge does under internal errors."""
        self._refusals = count

    def _targets(self, event: dict[str, Any], entry: BusEntry) -> list[Target]:
        whole: dict[str, Any] = {}
        targets: list[Target] = []
        for reached, matches, needs_detail in self._rules:
            if needs_detail and not whole:
                whole = event | {"detail": json.loads(entry.detail)}
            if matches(whole if needs_detail else event):
                targets += reached
        return targets


def envelope(source: str, detail_type: str, now: float) -> dict[str, Any]:
    """An event of the bus without its detail."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
    }


def dispatch(connection: sqlite3.Connection, queues: Queues, target: Target, event: str, group: str = "") -> str:
    """Hand the event (as JSON text) to the target within the caller's transaction; returns the queue to notify."""
    queue = target.name if target.kind == "sqs" else invocations.queue_of(target.name)
    queues.insert(connection, queue, [Message(target.input or event, group)])
    return queue


def _group(target: Target, entry: BusEntry) -> str:
    return str(json.loads(entry.detail).get(target.group, "")) if target.group else ""


def _text(event: dict[str, Any], detail: str) -> str:
    """The envelope with the detail in it, which is not parsed for it."""
    return f'{json.dumps(event)[:-1]}, "detail": {detail}}}'


def _check(entry: BusEntry) -> None:
    size = len(SOURCE) + len(entry.detail_type.encode()) + len(entry.detail.encode())
    if size > LARGEST_ENTRY:
        raise ValueError(f"an entry has at most {LARGEST_ENTRY} bytes, not {size}")
    if not entry.detail.startswith("{"):
        raise ValueError("the detail of an entry must be a JSON object")
