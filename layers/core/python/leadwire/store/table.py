"""The table as one tenant sees it: guards the tenant, pages and retries, and counts what a request consumed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from .engine import Engine
from .types import (
    INDEXES,
    ConditionFailed,
    Consumed,
    Delete,
    Item,
    Key,
    Page,
    Put,
    Query,
    StoreError,
    Throttled,
    TransactionConflict,
    TransactWrite,
    Update,
    Write,
)

T = TypeVar("T")

ATTEMPTS = 8
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.64
INDEX_PARTITIONS = frozenset(f"{index}pk" for index in INDEXES)
SHARED_PARTITIONS = ("DUE#",)
"""Index partitions that hold rows of all tenants: the due index, which only `sweep_due` reads."""


class ForeignKey(Exception):
    """A key outside of the tenant reached the table: a bug of ours, stopped before any request was made."""


@dataclass(slots=True)
class Meter:
    """What one request has consumed: request units, and round trips that had to wait for one another."""

    consumed: Consumed = field(default_factory=Consumed)
    trips: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """An engine, seen through a key prefix that every partition key must begin with.

    `prefix` is `keys.tenant_prefix(tenant)`; only the workers that serve all tenants hold `unscoped(engine)`.
    Throttles and transaction conflicts are retried with full jitter (about two seconds in all), then raised.
    """

    engine: Engine
    prefix: str
    meter: Meter = field(default_factory=Meter)
    sleep: Callable[[float], None] = time.sleep

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        self._guard(key.pk)
        return self._call(lambda: self.engine.get(key, consistent=consistent))

    def batch_get(self, keys: Sequence[Key], *, consistent: bool = True) -> dict[Key, Item]:
        """The items that exist, by key; any number of keys, 100 to a request."""
        for key in keys:
            self._guard(key.pk)
        found: dict[Key, Item] = {}
        pending, pauses = list(dict.fromkeys(keys)), self._pauses()
        while pending:
            items, unprocessed = self._call(partial(self._batch_get, pending[:100], consistent=consistent))
            found.update({Key(str(item["pk"]), str(item["sk"])): item for item in items})
            pending = unprocessed + pending[100:]
            self._rest(pauses, unprocessed)
        return found

    def query(self, query: Query) -> Page:
        """One page. Follow `next` for more, or use `query_all`."""
        self._guard(query.pk)
        return self._call(lambda: self.engine.query(query))

    def query_all(self, query: Query) -> Iterator[Item]:
        """Every item of the query, page by page; `limit` is the size of a page."""
        page = self.query(query)
        yield from page.items
        while page.next is not None:
            page = self.query(replace(query, start=page.next))
            yield from page.items

    def write(self, op: Write) -> Item | None:
        """One put (None), update (the item after it) or delete (the item before it). ConditionFailed if refused."""
        self._guard_write(op)
        return self._call(lambda: self.engine.write(op))

    def update(self, op: Update) -> Item:
        """One update; the item after it. ConditionFailed if refused."""
        return self.write(op) or {}

    def transact(self, ops: Sequence[TransactWrite]) -> None:
        """All or nothing. TransactionFailed names the operations whose conditions did not hold."""
        for op in ops:
            self._guard_write(op)
        self._call(lambda: (None, self.engine.transact(ops)))

    def batch_write(self, ops: Sequence[Put | Delete]) -> None:
        """Any number of unconditional puts and deletes; each lands, or the call raises and repeating it is safe."""
        for op in ops:
            self._guard_write(op)
        pending, pauses = list(ops), self._pauses()
        while pending:
            unprocessed = self._call(partial(self.engine.batch_write, pending[:25]))
            pending = unprocessed + pending[25:]
            self._rest(pauses, unprocessed)

    def query_many(self, queries: Sequence[Query]) -> list[list[Item]]:
        """All items of each query; the queries run side by side and count as one round trip per page."""
        return self._together([partial(_items, query) for query in queries], writes=False)

    def query_pages(self, queries: Sequence[Query]) -> list[Page]:
        """The first page of each query; the queries run side by side."""
        return self._together([partial(_page, query) for query in queries], writes=False)

    def write_many(self, ops: Sequence[Write]) -> list[ConditionFailed | None]:
        """Independent writes side by side: None for each that landed, or how it was refused."""
        return self._together([partial(_outcome, op) for op in ops], writes=True)

    def _together(self, calls: Sequence[Callable[[Table], T]], *, writes: bool) -> list[T]:
        """Each call gets a table with a meter of its own: units add up, round trips are those of the longest."""
        tables = [replace(self, meter=Meter()) for _ in calls]
        results = self.engine.concurrently([partial(c, t) for c, t in zip(calls, tables, strict=True)], writes=writes)
        for table in tables:
            self.meter.consumed.add(table.meter.consumed)
        self.meter.trips += max((table.meter.trips for table in tables), default=0)
        return results

    # --- inside -------------------------------------------------------------------------------------------------------

    def _batch_get(self, keys: list[Key], *, consistent: bool) -> tuple[tuple[list[Item], list[Key]], Consumed]:
        items, unprocessed, consumed = self.engine.batch_get(keys, consistent=consistent)
        return (items, unprocessed), consumed

    def _call(self, request: Callable[[], tuple[T, Consumed]]) -> T:
        pauses = self._pauses()
        while True:
            self.meter.trips += 1
            try:
                answer, consumed = request()
            except (Throttled, TransactionConflict) as refused:
                self.meter.consumed.add(refused.consumed)
                pause = next(pauses, None)
                if pause is None:
                    raise
                self.sleep(pause)
            except StoreError as refused:
                self.meter.consumed.add(refused.consumed)
                raise
            else:
                self.meter.consumed.add(consumed)
                return answer

    def _rest(self, pauses: Iterator[float], unprocessed: Sequence[object]) -> None:
        """Wait before unprocessed rows are tried again; raise Throttled when the patience is used up."""
        if not unprocessed:
            return
        pause = next(pauses, None)
        if pause is None:
            raise Throttled(f"{len(unprocessed)} rows of a batch stayed unprocessed")
        self.sleep(pause)

    def _pauses(self) -> Iterator[float]:
        for attempt in range(ATTEMPTS - 1):
            yield random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))

    def _guard_write(self, op: TransactWrite) -> None:
        self._guard(op.key.pk)
        changed = op.item if isinstance(op, Put) else op.set if isinstance(op, Update) else {}
        for name, value in changed.items():
            if name in INDEX_PARTITIONS and not str(value).startswith(SHARED_PARTITIONS):
                self._guard(str(value))

    def _guard(self, pk: str) -> None:
        if not pk.startswith(self.prefix):
            raise ForeignKey(f"{pk!r} does not begin with {self.prefix!r}")


def _page(query: Query, table: Table) -> Page:
    return table.query(query)


def _items(query: Query, table: Table) -> list[Item]:
    return list(table.query_all(query))


def _outcome(op: Write, table: Table) -> ConditionFailed | None:
    try:
        table.write(op)
    except ConditionFailed as refused:
        return refused
    return None


def unscoped(engine: Engine) -> Table:
    """The table of all tenants: for authentication and the workers only (tests/contracts counts the callers)."""
    return Table(engine, "")
