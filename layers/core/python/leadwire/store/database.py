"""One SQLite file: one writer at a time, readers beside it, and one trip to the disk for the commits of many threads.

A commit survives the end of the process at once, and a power cut after `sync`. Whoever tells the outside what was
written calls that first: a trip to the disk takes up to milliseconds, and threads that wait for it share the next one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .types import Unavailable, Unreadable

MEMORY = ":memory:"
BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process that writes to the same file."""
BUSY_PAUSE = 0.0003
"""Seconds between two looks; what others write takes some milliseconds."""
STATEMENTS = 256
PAGE_SIZE = 4096
"""Bytes. Half of what larger rows would like, and so is what each commit writes."""
LOG_PAGES = 4096
"""Pages that the log gathers before they go into the file: those that many commits change go there once."""
_flush = getattr(os, "fdatasync", os.fsync)


class Database:
    """A SQLite file in WAL mode, or one in memory, shared by the threads of this process.

    `after_commit` holds functions to call after each commit that wrote, outside of any lock: wake-ups, which must not
    raise, because the write is done.
    Unavailable is raised if another process keeps the file locked, or the disk refuses; Unreadable, at the beginning,
    if the file is no database.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.after_commit: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._owner: int | None = None
        self._idle: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self._writer.execute("PRAGMA busy_timeout = 0")  # `_begin` waits
        self._commits = 0
        self._synced = 0
        self._syncing = threading.Lock()
        self._log: int | None = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, rolled back if it raises.

        A block inside another one of the same thread is part of the outer transaction, and commits with it.
        """
        if self._owner == threading.get_ident():
            yield self._writer
            return
        writer = self._writer
        with self._lock:
            before = writer.total_changes
            try:
                self._begin()
                self._owner = threading.get_ident()
                yield writer
                writer.execute("COMMIT")
            except sqlite3.OperationalError as fault:
                raise _unavailable(fault) from fault
            finally:
                self._owner = None
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
            wrote = writer.total_changes != before
            self._commits += wrote
        if wrote:
            for wake in self.after_commit:
                wake()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read what is committed, or, inside of `write`, what the block has written so far.

        The writer's own while nobody writes: it has the pages in its cache, which a commit empties for all others.
        """
        if self._owner == threading.get_ident():
            yield self._writer
            return
        free = self._lock.acquire(blocking=self.path == MEMORY)
        connection = self._writer if free else self._reader()
        try:
            yield connection
        except sqlite3.OperationalError as fault:
            raise _unavailable(fault) from fault
        finally:
            if free:
                self._lock.release()
            else:
                self._idle.append(connection)

    def sync(self) -> None:
        """Return when everything that was committed before this call is on the disk."""
        wanted = self._commits
        with self._syncing:
            if self.path == MEMORY or self._synced >= wanted:
                return
            reached = self._commits
            if self._log is None:
                self._log = os.open(f"{self.path}-wal", os.O_RDONLY)
            _flush(self._log)
            self._synced = reached

    def close(self) -> None:
        """Close every connection. Nothing may be using the database."""
        self.sync()
        for connection in (*self._idle, self._writer):
            connection.close()
        self._idle.clear()
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _begin(self) -> None:
        """SQLite itself would sleep in steps of milliseconds while another process writes."""
        end = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as busy:
                if busy.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(BUSY_PAUSE)
            else:
                return

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
        try:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
            connection.execute("PRAGMA synchronous = NORMAL")  # `sync` does what FULL would do for each commit
        except sqlite3.DatabaseError as fault:
            connection.close()
            if isinstance(fault, sqlite3.OperationalError):
                raise _unavailable(fault) from fault
            raise Unreadable(f"is no database ({fault})") from fault
        return connection


def _unavailable(fault: sqlite3.OperationalError) -> Unavailable:
    return Unavailable(f"SQLite: {fault}")
