"""The port to the table: what Leadwire asks of DynamoDB, as data.

Every engine (`engine.py`) answers these operations in the same way, raises the errors below, and
refuses what DynamoDB refuses. Keys are strings, attribute paths are top-level names, numbers are integers: that is
all the product needs, and what an engine does not know it refuses loudly.

Source of limits and semantics: Amazon DynamoDB Developer Guide, "Quotas" and "API Reference".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Value = bool | int | str | bytes | frozenset[str] | Sequence[Value] | Mapping[str, Value] | None
type Item = dict[str, Any]
"""Attributes by name; every value is a `Value`, which the engines check."""

INDEXES = ("g1", "g2", "g3", "g4", "g5", "g6")
"""The generic global indexes: sparse, KEYS_ONLY, hash `<name>pk`, range `<name>sk`; `keys.py` says what is in them."""

TTL_ATTRIBUTE = "expires_at"
"""Epoch seconds after which the table may delete the item by itself."""


@dataclass(frozen=True, slots=True)
class Key:
    """The primary key of one item."""

    pk: str
    sk: str


# --- conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attr:
    """Another attribute of the same item, as the right-hand side of a comparison (`used < limit`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Exists:
    """True if the item has the attribute. `Exists("pk")` means that the item itself exists."""

    name: str


@dataclass(frozen=True, slots=True)
class Missing:
    """True if the item lacks the attribute. `Missing("pk")` means that the item itself does not exist."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`name op operand`; `op` is one of = <> < <= > >=. False when either side is missing.

    Values of different types are unequal: `<>` holds between them, and no other comparison does.
    """

    name: str
    op: str
    operand: Value | Attr


@dataclass(frozen=True, slots=True)
class Contains:
    """True if the string set `name` has the member `value`, or the string `name` the substring."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the parts holds (at least one part)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the parts holds (at least one part)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


type Condition = Exists | Missing | Compare | Contains | All | AnyOf | Not

ABSENT = Missing("pk")
PRESENT = Exists("pk")


def equals(name: str, value: Value | Attr) -> Compare:
    return Compare(name, "=", value)


def all_of(*parts: Condition) -> All:
    return All(parts)


def any_of(*parts: Condition) -> AnyOf:
    return AnyOf(parts)


# --- writes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Put:
    """Replace the whole item (its `pk` and `sk` are attributes of it)."""

    item: Item
    condition: Condition | None = None

    @property
    def key(self) -> Key:
        return Key(str(self.item["pk"]), str(self.item["sk"]))


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the item; deleting what is not there succeeds unless the condition refuses."""

    key: Key
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Change attributes of the item, creating it if it is not there (unless the condition refuses).

    `set` assigns; `add` adds an integer to a number (missing counts as 0) or members to a string set; `discard` takes
    members out of a string set (an emptied set is removed); `remove` removes attributes. One attribute, one verb.
    """

    key: Key
    set: Mapping[str, Value] = field(default_factory=dict)
    add: Mapping[str, int | frozenset[str]] = field(default_factory=dict)
    discard: Mapping[str, frozenset[str]] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Only in a transaction: the condition must hold for the item, which is not changed."""

    key: Key
    condition: Condition


type Write = Put | Delete | Update
type TransactWrite = Put | Delete | Update | Check


# --- reads ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """Items of one partition of the table, or of one index, in the order of their sort key.

    `low`/`high` are inclusive bounds of the sort key; `prefix` is begins_with; use one or the other. `start` is the
    `next` of the page before. An index is KEYS_ONLY: its rows carry `pk`, `sk` and the index's own two keys, and it
    cannot be read consistently. `limit` counts items; a page also ends at 1 MB.
    """

    pk: str
    index: str | None = None
    low: str | None = None
    high: str | None = None
    prefix: str | None = None
    forward: bool = True
    limit: int | None = None
    start: Item | None = None
    consistent: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query; `next` is None when DynamoDB says that nothing can follow."""

    items: list[Item]
    next: Item | None


# --- capacity ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Consumed:
    """Request units, in exact halves for reads: a float holds them without error."""

    rru: float = 0.0
    wru: float = 0.0

    def add(self, other: Consumed) -> None:
        self.rru += other.rru
        self.wru += other.wru


# --- errors -----------------------------------------------------------------------------------------------------------


class StoreError(Exception):
    """Base of what an engine raises. `consumed` is what the refused request cost: a refused condition is charged."""

    consumed = Consumed()


class InvalidOperation(StoreError):
    """DynamoDB's ValidationException: a limit is passed or the operation is malformed. A bug of ours."""


class ConditionFailed(StoreError):
    """The condition of a single write did not hold; `item` is the item as it is (None if there is none)."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__("the condition did not hold")
        self.item = item


class TransactionFailed(StoreError):
    """A condition of a transaction did not hold. `failed` maps the operation's position to the item as it is."""

    def __init__(self, failed: Mapping[int, Item | None]) -> None:
        super().__init__(f"the conditions of operations {sorted(failed)} did not hold")
        self.failed = dict(failed)


class TransactionConflict(StoreError):
    """Another write was at work on an item of this one. Nothing was written; trying again is right."""


class Throttled(StoreError):
    """The table refused for lack of throughput. Nothing was written; trying again later is right."""


class Unavailable(StoreError):
    """The table did not answer, or said that it is at fault. A write may or may not have happened."""


class Unreadable(StoreError):
    """The file holds no table of this version; trying again changes nothing."""
