"""The table of items in SQLite: its schema, its statements, and the rows that they read and write."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .capacity import INDEX_ATTRIBUTES, IndexKeys, index_keys
from .encoding import encode
from .types import INDEXES, TTL_ATTRIBUTE, Item, Key, Query, Unreadable, Value

_COLUMNS = ("item", "size", "expires", *INDEX_ATTRIBUTES)
_LARGEST_COLUMN = 2**63
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000
"""UTF-8 has no code points from the first up to the second."""

FORMAT = 1
"""What a file says of itself. It rises with any change after which the items of older files would be misunderstood."""
SCHEMA = (
    f"""CREATE TABLE IF NOT EXISTS items (
        pk TEXT NOT NULL, sk TEXT NOT NULL, item TEXT NOT NULL, size INTEGER NOT NULL, expires INTEGER,
        {", ".join(f"{name} TEXT" for name in INDEX_ATTRIBUTES)}, PRIMARY KEY (pk, sk)) WITHOUT ROWID""",
    *(
        f"CREATE INDEX IF NOT EXISTS items_{index} ON items ({index}pk, {index}sk, pk, sk) WHERE {index}pk IS NOT NULL"
        for index in INDEXES
    ),
    "CREATE INDEX IF NOT EXISTS items_expires ON items (expires) WHERE expires IS NOT NULL",
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM items WHERE pk = ? AND sk = ?"  # noqa: S608 (our own names)
AT_ONCE = 8
"""Rows of one SELECT: a statement costs more than a row, and each number of rows is a statement to keep."""
_INSERT = f"INSERT INTO items (pk, sk, {', '.join(_COLUMNS)}) VALUES ({', '.join('?' * (len(_COLUMNS) + 2))})"  # noqa: S608 (our own names)
_UPDATE = "UPDATE items SET item = ?, size = ? WHERE pk = ? AND sk = ?"
_UPDATE_INDEXED = f"UPDATE items SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE pk = ? AND sk = ?"  # noqa: S608 (our own names)
_DELETE = "DELETE FROM items WHERE pk = ? AND sk = ?"
_EXPIRED = "SELECT pk, sk FROM items WHERE expires < ? ORDER BY expires LIMIT ?"


@dataclass(frozen=True, slots=True)
class Row:
    """An item as it is stored: JSON text, bytes by AWS's rules, and the columns that indexes are made of."""

    text: str
    size: int
    expires: int | None
    index: IndexKeys


def row_of(item: Item, size: int) -> Row:
    """The row of an item whose size `limits.check_item` has found."""
    return Row(encode(item), size, _expiry(item.get(TTL_ATTRIBUTE)), index_keys(item))


def create(connection: sqlite3.Connection) -> None:
    """Make what is missing of the table. Raises Unreadable if there is one of another format."""
    (format_,) = connection.execute("PRAGMA user_version").fetchone()
    if format_ != FORMAT and connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'items'").fetchone():
        raise Unreadable(f"was made by another version of Leadwire (format {format_}, not {FORMAT})")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    for statement in SCHEMA:
        connection.execute(statement)


def read(connection: sqlite3.Connection, key: Key) -> Row | None:
    found = connection.execute(_SELECT, (key.pk, key.sk)).fetchone()
    return None if found is None else Row(found[0], found[1], found[2], found[3:])


def read_many(connection: sqlite3.Connection, keys: Sequence[Key]) -> list[Row | None]:
    """The row of each key."""
    found: list[Row | None] = [None] * len(keys)
    for start in range(0, len(keys), AT_ONCE):
        wanted = enumerate(keys[start : start + AT_ONCE], start)
        arguments = [argument for at, key in wanted for argument in (at, key.pk, key.sk)]
        for at, text, size, expires, *index in connection.execute(_select_many(len(arguments) // 3), arguments):
            found[at] = Row(text, size, expires, tuple(index))
    return found


def replace(connection: sqlite3.Connection, key: Key, old: Row | None, new: Row | None) -> None:
    """Store `new` in place of `old`, touching an index only if its keys have changed."""
    if new is None:
        connection.execute(_DELETE, (key.pk, key.sk))
    elif old is None:
        connection.execute(_INSERT, (key.pk, key.sk, new.text, new.size, new.expires, *new.index))
    elif old.index == new.index and old.expires == new.expires:
        connection.execute(_UPDATE, (new.text, new.size, key.pk, key.sk))
    else:
        connection.execute(_UPDATE_INDEXED, (new.text, new.size, new.expires, *new.index, key.pk, key.sk))


def expired(connection: sqlite3.Connection, now: float, limit: int) -> list[Key]:
    return [Key(pk, sk) for pk, sk in connection.execute(_EXPIRED, (now, limit))]


def select(connection: sqlite3.Connection, query: Query) -> Iterator[tuple[str, str, str, int]]:
    """The rows of a query, lazily: (pk, sk, index sort key, 0) of an index, (pk, sk, JSON text, size) of the table."""
    arguments: list[Any] = [query.pk]
    low, high = query.low, query.high
    if query.prefix is not None:
        low, high = query.prefix, _after_prefix(query.prefix)
    arguments += [bound for bound in (low, high) if bound is not None]
    if query.start is not None:
        start = query.start
        arguments += [start["sk"]] if query.index is None else [start[f"{query.index}sk"], start["pk"], start["sk"]]
    arguments.append(-1 if query.limit is None else query.limit)
    below = "" if high is None else "<" if query.prefix is not None else "<="
    statement = _statement(query.index, low is not None, below, query.start is not None, query.forward)
    yield from connection.execute(statement, arguments)


def _expiry(moment: Value) -> int | None:
    """Epoch seconds, if they are; a TTL attribute of another kind means nothing, as on AWS."""
    if isinstance(moment, int) and not isinstance(moment, bool) and abs(moment) < _LARGEST_COLUMN:
        return moment
    return None


@cache
def _select_many(count: int) -> str:
    select = f"SELECT ?, {', '.join(_COLUMNS)} FROM items WHERE pk = ? AND sk = ?"  # noqa: S608 (our own names)
    return " UNION ALL ".join([select] * count)


@cache
def _statement(index: str | None, low: bool, below: str, start: bool, forward: bool) -> str:  # noqa: FBT001 (a cache key)
    """The SELECT for one shape of query; `below` is the operator of the upper bound, or nothing."""
    sort, beyond = f"{index or ''}sk", ">" if forward else "<"
    where = [f"{index or ''}pk = ?"]
    where += [f"{sort} >= ?"] if low else []
    where += [f"{sort} {below} ?"] if below else []
    order = ["sk"] if index is None else [sort, "pk", "sk"]
    where += [f"({', '.join(order)}) {beyond} ({', '.join('?' * len(order))})"] if start else []
    columns = "pk, sk, item, size" if index is None else f"pk, sk, {sort}, 0"
    by = ", ".join(f"{name} {'ASC' if forward else 'DESC'}" for name in order)
    return f"SELECT {columns} FROM items WHERE {' AND '.join(where)} ORDER BY {by} LIMIT ?"  # noqa: S608 (our own names)


def _after_prefix(prefix: str) -> str | None:
    """The least string above all that begin with the prefix; None if there is none. Code points sort as UTF-8 does."""
    stem = prefix.rstrip(chr(sys.maxunicode))
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)
