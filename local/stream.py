"""The table's stream to a function: filters, batches, retries, bisection, age limit, on-failure queue, durable cursor.

The stream is one shard: a batch that fails holds up what follows it, which keeps the order within every item. Where a
function stands is one row, written in the transaction that also hands what it gave up to the on-failure queue.

    cursor        retry of (cursor, ends[-1]]
      ├── record ── record ── record ──┤ ends[-1] ── record ──┤ ends[-2]     a bisected batch is a stack of ends

Source: AWS Lambda Developer Guide, "Using Lambda with DynamoDB" (polling, batching, retries, partial responses).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from leadwire.ports import Message
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.stream import StreamRecord, Wanted, everything

from .clock import milliseconds
from .description import StreamMapping
from .patterns import compiled, mentions
from .queues import Queues
from .records import abandoned, keys_only, stream_record
from .runtime import FunctionFailed, partial_failures

CHUNK = 1000
"""Records read at once; those that no filter lets through cost no image."""
LONGEST_PAUSE = 60
"""Seconds between the retries of a batch, at most; the first is after one."""
SCHEMA = "CREATE TABLE IF NOT EXISTS stream_positions (mapping TEXT PRIMARY KEY, position TEXT NOT NULL)"


@dataclass(slots=True)
class Position:
    """Sequence number up to which all is done; of a failed batch: ends, failures so far, when to try again (ms)."""

    cursor: int = 0
    ends: list[int] = field(default_factory=list)
    failures: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that the filters let through, and the sequence number at which everything before is looked at."""

    records: list[StreamRecord]
    end: int
    full: bool


def wanted(mappings: Sequence[StreamMapping]) -> Wanted:
    """What the mappings may let through by event name and sort key: the table need not stream the rest."""
    filters = [_by_key(pattern) for mapping in mappings for pattern in mapping.filters]
    known = [compiled(pattern) for pattern in filters if pattern is not None]
    if not all(mapping.filters for mapping in mappings) or len(known) < len(filters):
        return everything

    @functools.lru_cache(maxsize=1024)  # most items share their sort key with many
    def wants(name: str, sk: str) -> bool:
        event = {"eventName": name, "sk": sk}
        return any(matches(event) for matches in known)

    return wants


def _by_key(pattern: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pattern of a flat event that has a name and a sort key; None if it asks for more than those."""
    names = {field: rule for field, rule in pattern.items() if field == "eventName"}
    tests = pattern.get("dynamodb", {}).get("Keys", {}).get("sk", {}).get("S")
    same = {**names, "dynamodb": {"Keys": {"sk": {"S": tests}}}}
    return {**names, "sk": tests} if pattern == same else None


class StreamPump:
    """One event source mapping of the stream."""

    def __init__(
        self,
        database: Database,
        engine: SqliteEngine,
        queues: Queues,
        mapping: StreamMapping,
        invoke: Callable[[str, Any], Any],
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._engine = engine
        self._queues = queues
        self._mapping = mapping
        self._invoke = invoke
        self._clock = clock
        self._filters = [compiled(pattern) for pattern in mapping.filters]
        self._images = any(mentions(f, "dynamodb", f"{age}Image") for f in mapping.filters for age in ("New", "Old"))
        self._window_ends: int | None = None
        self.name = mapping.name
        self.position = self._load()

    def step(self) -> bool:
        """Hand one batch to the function, if there is one to hand. Says whether the position has moved or may move."""
        self._window_ends = None
        now = milliseconds(self._clock)
        if self.position.again > now:
            return False
        batch = self._batch()
        if batch is None:
            return False
        if not batch.records:
            self._done(batch.end, durable=False)
            return True
        if old := self._too_old(batch.records, now):
            self._give_up(old, "RecordAgeExceeded", old[-1].seq)
            return True
        if not self._window_over(batch, now):
            return False
        failed = self._failed(batch.records)
        if failed is None:
            self._done(batch.end)
        else:
            self._retry(batch, failed, now)
        return True

    def due(self) -> int | None:
        """When a retry, or the end of a batching window, is due (epoch milliseconds); None if neither is waited for."""
        return self.position.again or self._window_ends

    def save(self) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO stream_positions VALUES (?, ?)",
                (self._mapping.name, json.dumps(asdict(self.position))),
            )

    def _load(self) -> Position:
        with self._database.write() as connection:
            connection.execute(SCHEMA)
            row = connection.execute(
                "SELECT position FROM stream_positions WHERE mapping = ?", (self._mapping.name,)
            ).fetchone()
        return Position(**json.loads(row[0])) if row else Position()

    def _batch(self) -> Batch | None:
        ends, cursor = self.position.ends, self.position.cursor
        chunk = [record for record in self._engine.read_stream(cursor, CHUNK) if not ends or record.seq <= ends[-1]]
        if not chunk:
            return None
        chosen: list[StreamRecord] = []
        for record in chunk:
            if self._lets_through(record):
                chosen.append(record)
                if len(chosen) == self._mapping.batch_size:
                    return Batch(chosen, record.seq, full=True)
        return Batch(chosen, chunk[-1].seq, full=bool(ends) or len(chunk) == CHUNK)

    def _lets_through(self, record: StreamRecord) -> bool:
        if not self._filters:
            return True
        event = stream_record(record, self._mapping.source) if self._images else keys_only(record)
        return any(matches(event) for matches in self._filters)

    def _too_old(self, records: Sequence[StreamRecord], now: int) -> list[StreamRecord]:
        limit = self._mapping.max_age
        return [] if limit is None else [record for record in records if now - record.at * 1000 > limit * 1000]

    def _window_over(self, batch: Batch, now: int) -> bool:
        ends = int(batch.records[0].at * 1000) + self._mapping.window * 1000
        if batch.full or ends <= now or self.position.failures:
            return True
        self._window_ends = ends
        return False

    def _failed(self, records: Sequence[StreamRecord]) -> int | None:
        """The place in the batch of the first record that was not done, or None."""
        event = {"Records": [stream_record(record, self._mapping.source) for record in records]}
        try:
            answer = self._invoke(self._mapping.function, event)
        except FunctionFailed:
            return 0
        if not self._mapping.partial:
            return None
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        reported = partial_failures(answer, numbers)
        return min((numbers.index(number) for number in reported), default=None)

    def _retry(self, batch: Batch, failed: int, now: int) -> None:
        position, records = self.position, batch.records
        position.again = 0
        if not position.ends or position.ends[-1] != batch.end:
            position.ends.append(batch.end)
        if failed:
            position.cursor, position.failures = records[failed].seq - 1, 0
        elif self._mapping.bisect and len(records) > 1:
            position.ends.append(records[len(records) // 2 - 1].seq)
        else:
            position.failures += 1
            if self._mapping.retries is not None and position.failures > self._mapping.retries:
                self._give_up(records, "RetryAttemptsExhausted", batch.end)
                return
            position.again = now + 1000 * min(LONGEST_PAUSE, 2 ** (position.failures - 1))
        self.save()

    def _give_up(self, records: Sequence[StreamRecord], condition: str, end: int) -> None:
        mapping = self._mapping
        record = abandoned(mapping, records, condition, self.position.failures, self._clock())
        with self._database.write() as connection:
            if mapping.on_failure:
                self._queues.insert(connection, mapping.on_failure, [Message(json.dumps(record), group="")])
            self._done(end)
        self._queues.notify(mapping.on_failure)

    def _done(self, end: int, *, durable: bool = True) -> None:
        """What no filter lets through need not be remembered at once: looking at it again does no harm."""
        position = self.position
        self.position = Position(end, [other for other in position.ends if other > end])
        if durable or position.ends:
            self.save()
