"""The table in SQLite: the embedded product and the tests. Answers, refuses and charges as DynamoDB does."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence

from . import effects, limits, rows, stream
from .capacity import TRANSACTIONAL, entry_size, read_units
from .database import Database
from .encoding import decode
from .engine import Engine
from .replica import Replica
from .rows import Row
from .stream import StreamRecord, Wanted, everything, name_of
from .types import Consumed, Delete, Item, Key, Page, Put, Query, StoreError, TransactWrite, Update, Write

WRITTEN_AT_ONCE = 32
"""Independent writes of one commit, some milliseconds."""


class SqliteEngine(Engine):
    """One table in `database`, with the stream of its changes unless `stream` is False. `clock` is epoch seconds.

    A stream of which only some changes are `wanted` does not hold the others.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
        stream: bool = True,
        wanted: Wanted = everything,
    ) -> None:
        self.database = database
        self._clock = clock
        self._streams = stream
        self._wanted = wanted
        self._replica: Replica | None = None
        try:
            with database.write() as connection:
                _create(connection)
        except StoreError:
            database.close()
            raise

    def close(self) -> None:
        self.lag_indexes(0)
        self.database.close()

    # --- reads --------------------------------------------------------------------------------------------------------

    def concurrently[Result](self, calls: Sequence[Callable[[], Result]], *, writes: bool) -> list[Result]:
        """Writes share a commit: threads gain nothing in one process. Few at once, so that nobody waits long."""
        if not writes:
            return [call() for call in calls]
        results: list[Result] = []
        for start in range(0, len(calls), WRITTEN_AT_ONCE):
            with self.database.write():
                results += [call() for call in calls[start : start + WRITTEN_AT_ONCE]]
        return results

    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]:
        limits.check_key(key)
        with self._source(consistent=consistent).read() as connection:
            row = rows.read(connection, key)
        units = read_units(0 if row is None else row.size, consistent=consistent)
        return None if row is None else decode(row.text), Consumed(rru=units)

    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        limits.check_batch_get(keys)
        items: list[Item] = []
        units, total = 0.0, 0
        with self._source(consistent=consistent).read() as connection:
            for at, row in enumerate(rows.read_many(connection, keys)):
                size = 0 if row is None else row.size
                total += size
                if total > limits.LARGEST_BATCH_GET:
                    return items, list(keys[at:]), Consumed(rru=units)
                units += read_units(size, consistent=consistent)
                if row is not None:
                    items.append(decode(row.text))
        return items, [], Consumed(rru=units)

    def query(self, query: Query) -> tuple[Page, Consumed]:
        limits.check_query(query)
        items: list[Item] = []
        total, full = 0, False
        with self._source(consistent=query.consistent).read() as connection:
            for pk, sk, content, bytes_ in rows.select(connection, query):
                size = bytes_ if query.index is None else entry_size(Key(pk, sk), query.pk, content)
                if full := total + size > limits.LARGEST_PAGE:
                    break
                total += size
                items.append(decode(content) if query.index is None else _entry(query, pk, sk, content))
        full = full or len(items) == query.limit
        units = read_units(total, consistent=query.consistent)
        return Page(items, _start(query, items[-1]) if full else None), Consumed(rru=units)

    # --- writes -------------------------------------------------------------------------------------------------------

    def write(self, op: Write) -> tuple[Item | None, Consumed]:
        size = limits.check_write(op)
        with self.database.write() as connection:
            old = rows.read(connection, op.key)
            item = effects.seen(op, old)
            effects.refuse(op, item)
            new = effects.after(op, old, item, size)
            self._store(connection, op.key, old, new)
        answer = new if isinstance(op, Update) else old if isinstance(op, Delete) else None
        return None if answer is None else decode(answer.text), Consumed(wru=effects.units(op.key, old, new, 1))

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        sizes = limits.check_transaction(ops)
        with self.database.write() as connection:
            old = rows.read_many(connection, [op.key for op in ops])
            items = list(map(effects.seen, ops, old))
            effects.refuse_any(ops, items)
            new = list(map(effects.after, ops, old, items, sizes))
            changes = list(zip([op.key for op in ops], old, new, strict=True))
            limits.check_transaction_size(sum(effects.larger(before, after) for _, before, after in changes))
            for key, before, after in changes:
                self._store(connection, key, before, after)
        return Consumed(wru=sum(effects.units(key, before, after, TRANSACTIONAL) for key, before, after in changes))

    def batch_write(self, ops: Sequence[Put | Delete]) -> tuple[list[Put | Delete], Consumed]:
        sizes = limits.check_batch_write(ops)
        units = 0
        with self.database.write() as connection:
            before = rows.read_many(connection, [op.key for op in ops])
            for op, size, old in zip(ops, sizes, before, strict=True):
                new = effects.after(op, old, None, size)
                self._store(connection, op.key, old, new)
                units += effects.units(op.key, old, new, 1)
        return [], Consumed(wru=units)

    # --- what DynamoDB does by itself ---------------------------------------------------------------------------------

    def read_stream(self, after: int, limit: int) -> list[StreamRecord]:
        """At most `limit` changes that follow the sequence number `after`, oldest first."""
        with self.database.read() as connection:
            return stream.read(connection, after, limit)

    def trim_stream(self, before_seq: int) -> None:
        """Forget the changes before the sequence number. A number is never used again."""
        if self._replica is not None:
            self._replica.take()
        with self.database.write() as connection:
            stream.trim(connection, before_seq)

    def expire(self, now: float, limit: int) -> int:
        """Delete at most `limit` items whose `TTL_ATTRIBUTE` is before `now` (epoch seconds). Says how many."""
        with self.database.write() as connection:
            keys = rows.expired(connection, now, limit)
            for key in keys:
                self._store(connection, key, rows.read(connection, key), None, expired=True)
        return len(keys)

    def lag_indexes(self, seconds: float) -> None:
        """From now on, show to index reads and eventually consistent reads what is `seconds` old. 0 ends it."""
        if seconds and not self._streams:
            raise ValueError("a table without a stream cannot lag")
        if self._replica is not None:
            self._replica.close()
        self._replica = Replica(self.database, self._clock, seconds) if seconds else None

    # --- inside -------------------------------------------------------------------------------------------------------

    def _source(self, *, consistent: bool) -> Database:
        return self.database if consistent or self._replica is None else self._replica.database()

    def _store(
        self, connection: sqlite3.Connection, key: Key, old: Row | None, new: Row | None, *, expired: bool = False
    ) -> None:
        if old is new or (old is not None and new is not None and effects.unchanged(old, new)):
            return
        rows.replace(connection, key, old, new)
        if self._streams and (self._replica is not None or self._wanted(name_of(old, new), key.sk)):
            before = None if old is None else old.text
            after = None if new is None else new.text
            stream.append(connection, key, before, after, at=self._clock(), expired=expired)


def _create(connection: sqlite3.Connection) -> None:
    rows.create(connection)
    connection.execute(stream.SCHEMA)


def _entry(query: Query, pk: str, sk: str, index_sk: str) -> Item:
    return {"pk": pk, "sk": sk, f"{query.index}pk": query.pk, f"{query.index}sk": index_sk}


def _start(query: Query, last: Item) -> Item:
    return {"pk": last["pk"], "sk": last["sk"]} if query.index is None else dict(last)
