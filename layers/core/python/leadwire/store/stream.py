"""The change stream in SQLite: one record for each item that a write has changed, in the write's own transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from .encoding import decode
from .types import Item, Key

type Wanted = Callable[[str, str], bool]
"""Whether anybody wants to be told of INSERT, MODIFY or REMOVE of an item with this sort key."""


SCHEMA = """CREATE TABLE IF NOT EXISTS stream (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, pk TEXT NOT NULL, sk TEXT NOT NULL, old TEXT, new TEXT,
    at REAL NOT NULL, expired INTEGER NOT NULL)"""
_APPEND = "INSERT INTO stream (pk, sk, old, new, at, expired) VALUES (?, ?, ?, ?, ?, ?)"
_READ = "SELECT seq, pk, sk, old, new, at, expired FROM stream WHERE seq > ? ORDER BY seq LIMIT ?"
_TRIM = "DELETE FROM stream WHERE seq < ?"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change. `seq` rises by the order of commits, `at` is epoch seconds, `expired` says that the TTL did it.

    The images are decoded each time that they are asked for, because most readers filter most records away.
    """

    seq: int
    key: Key
    old_text: str | None
    new_text: str | None
    at: float
    expired: bool

    @property
    def name(self) -> str:
        return name_of(self.old_text, self.new_text)

    @property
    def old(self) -> Item | None:
        return None if self.old_text is None else decode(self.old_text)

    @property
    def new(self) -> Item | None:
        return None if self.new_text is None else decode(self.new_text)


def name_of(old: object, new: object) -> str:
    """What a change is called, by the item before and after; None where there is none."""
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


def everything(_name: str, _sk: str) -> bool:
    return True


def append(
    connection: sqlite3.Connection, key: Key, old: str | None, new: str | None, *, at: float, expired: bool
) -> None:
    connection.execute(_APPEND, (key.pk, key.sk, old, new, at, expired))


def read(connection: sqlite3.Connection, after: int, limit: int) -> list[StreamRecord]:
    found = connection.execute(_READ, (after, limit)).fetchall()
    return [StreamRecord(seq, Key(pk, sk), old, new, at, bool(expired)) for seq, pk, sk, old, new, at, expired in found]


def trim(connection: sqlite3.Connection, before: int) -> None:
    connection.execute(_TRIM, (before,))
