"""A copy of the table that lags behind it by a fixed time: what eventually consistent reads may see, on purpose.

For tests. The copy takes up the stream, so it shows exactly the changes that are older than the lag.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable

from . import rows, stream
from .capacity import item_size
from .database import MEMORY, Database
from .stream import StreamRecord

_COPY = "SELECT * FROM items"
_AT_ONCE = 1000


class Replica:
    """The table as it was `lag` seconds ago by `clock` (epoch seconds), beginning with the table as it is now."""

    def __init__(self, source: Database, clock: Callable[[], float], lag: float) -> None:
        self._source, self._clock, self._lag = source, clock, lag
        self._lock = threading.Lock()
        self._database = Database(MEMORY)
        self._pending: deque[StreamRecord] = deque()
        with source.read() as original, self._database.write() as copy:
            rows.create(copy)
            items = original.execute(_COPY).fetchall()
            if items:
                copy.executemany(f"INSERT INTO items VALUES ({', '.join('?' * len(items[0]))})", items)  # noqa: S608 (marks)
            (self._seen,) = original.execute("SELECT coalesce(max(seq), 0) FROM stream").fetchone()

    def database(self) -> Database:
        """The lagging copy, brought up to the moment that it may show."""
        with self._lock:
            self._take()
            with self._database.write() as copy:
                while self._pending and self._pending[0].at + self._lag <= self._clock():
                    _apply(copy, self._pending.popleft())
        return self._database

    def close(self) -> None:
        self._database.close()

    def take(self) -> None:
        """Remember the changes that the stream holds, before it is trimmed."""
        with self._lock:
            self._take()

    def _take(self) -> None:
        while True:
            with self._source.read() as connection:
                records = stream.read(connection, self._seen, _AT_ONCE)
            if not records:
                return
            self._pending.extend(records)
            self._seen = records[-1].seq


def _apply(copy: sqlite3.Connection, record: StreamRecord) -> None:
    new = record.new
    row = None if new is None else rows.row_of(new, item_size(new))
    rows.replace(copy, record.key, rows.read(copy, record.key), row)
