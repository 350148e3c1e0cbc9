"""One SQLite file: one writer at a time, readers beside it, every commit on the disk before it is answered."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .types import Unavailable

MEMORY = ":memory:"
BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process that writes to the same file."""
STATEMENTS = 256
PAGE_SIZE = 8192
"""Bytes; a row of up to 2 KB then stays within one page of its table."""


class Database:
    """A SQLite file in WAL mode, or one in memory, shared by the threads of this process.

    `after_commit` holds functions to call after each commit that wrote, outside of any lock: wake-ups, which must not
    raise, because the write is done.
    Unavailable is raised if another process keeps the file locked, or the disk refuses.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.after_commit: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._owner: int | None = None
        self._idle: list[sqlite3.Connection] = []
        self._writer = self._connect()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, rolled back if it raises.

        A block inside another one of the same thread is part of the outer transaction, and commits with it.
        """
        if self._owner == threading.get_ident():
            yield self._writer
            return
        with self._lock, _faults():
            before = self._writer.total_changes
            self._writer.execute("BEGIN IMMEDIATE")
            self._owner = threading.get_ident()
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                self._owner = None
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
            wrote = self._writer.total_changes != before
        if wrote:
            for wake in self.after_commit:
                wake()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read what is committed, or, inside of `write`, what the block has written so far."""
        if self._owner == threading.get_ident():
            yield self._writer
        elif self.path == MEMORY:
            with self._lock:
                yield self._writer
        else:
            connection = self._reader()
            try:
                with _faults():
                    yield connection
            finally:
                self._idle.append(connection)

    def close(self) -> None:
        """Close every connection. Nothing may be using the database."""
        for connection in (*self._idle, self._writer):
            connection.close()
        self._idle.clear()

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as fault:
        raise Unavailable(f"SQLite: {fault}") from fault
