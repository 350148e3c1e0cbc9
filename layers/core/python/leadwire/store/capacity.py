"""Sizes of items and the request units that they cost, by AWS's published rules.

Sources: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats" (sizes), "DynamoDB read and write
operations" (units), "Using Global Secondary Indexes" (upkeep of indexes), "Managing complex workflows with DynamoDB
transactions" (twice the units). A number's size is AWS's approximation: AWS publishes no exact rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil

from .types import INDEXES, Check, Delete, InvalidOperation, Item, Key, Put, TransactWrite, Update, Value

READ_UNIT = 4096
WRITE_UNIT = 1024
TRANSACTIONAL = 2
CONTAINER = 3
ELEMENT = 1
DEEPEST = 31
"""Lists and maps inside one another: what the innermost holds is then on the 32nd and last level."""
LARGEST_NUMBER = 10**38
"""The first integer with more than 38 digits."""

INDEX_ATTRIBUTES = tuple(f"{index}{part}" for index in INDEXES for part in ("pk", "sk"))
_INDEXED = frozenset(INDEX_ATTRIBUTES)
KEY_NAMES = len("pk") + len("sk")
INDEX_KEY_NAMES = KEY_NAMES + len("g1pk") + len("g1sk")

type IndexKeys = tuple[str | None, ...]
"""The values of `INDEX_ATTRIBUTES`, with None twice for every index that the item is not in."""


# --- sizes, in bytes --------------------------------------------------------------------------------------------------


def item_size(item: Mapping[str, Value]) -> int:
    """Bytes of an item: its attribute names and values. InvalidOperation if the table cannot hold one of them."""
    # Most values are ASCII strings, and every write comes through here: they are not worth a call.
    sizes = [len(value) if type(value) is str and value.isascii() else value_size(value) for value in item.values()]
    return sum(sizes) + sum(map(_name_size, item))


def value_size(value: object, depth: int = 1) -> int:
    """Bytes of one value, without the attribute's name."""
    if isinstance(value, str):
        return text_size(value)
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return number_size(value)
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, frozenset):
        return _set_size(value)
    if depth > DEEPEST:
        raise InvalidOperation(f"more than {DEEPEST} lists and maps are nested")
    if isinstance(value, (dict, Mapping)):
        inner = [_name_size(name) + value_size(part, depth + 1) + ELEMENT for name, part in value.items()]
        return CONTAINER + sum(inner)
    if isinstance(value, (list, tuple)):
        return CONTAINER + sum([value_size(part, depth + 1) + ELEMENT for part in value])
    raise InvalidOperation(f"the table cannot hold a {type(value).__name__}")


def text_size(text: str) -> int:
    """Bytes of a string in UTF-8."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidOperation("a string holds a lone surrogate, which UTF-8 cannot carry") from None


def number_size(number: int) -> int:
    """Bytes of a number: one for two significant digits, one more, and one for a minus sign."""
    magnitude = abs(number)
    if magnitude >= LARGEST_NUMBER:
        raise InvalidOperation("a number has more than 38 digits")
    digits = len(str(magnitude).rstrip("0"))
    return (digits + 1) // 2 + 1 + (number < 0)


def _set_size(members: frozenset[object]) -> int:
    if not members:
        raise InvalidOperation("a set is empty")
    if not all(isinstance(member, str) for member in members):
        raise InvalidOperation("a set may hold strings only")
    return sum([text_size(str(member)) for member in members])


@lru_cache(maxsize=4096)
def _name_size(name: object) -> int:
    if isinstance(name, str) and name:
        return text_size(name)
    raise InvalidOperation(f"{name!r} cannot name an attribute")


# --- units ------------------------------------------------------------------------------------------------------------


def read_units(size: int, *, consistent: bool) -> float:
    """Units of a read of `size` bytes: one item, or the sum of a query's page. Reading nothing costs the minimum."""
    return max(1, ceil(size / READ_UNIT)) * (1.0 if consistent else 0.5)


def write_units(size: int) -> int:
    """Units of a write, where `size` is the larger of the item before and after. Twice that in a transaction."""
    return max(1, ceil(size / WRITE_UNIT))


def index_keys(item: Mapping[str, Value]) -> IndexKeys:
    """What the indexes hold of the item. An index holds it only if both of its keys are there."""
    if _INDEXED.isdisjoint(item):
        return NO_INDEX
    keys: list[str | None] = []
    for index in INDEXES:
        pk, sk = item.get(f"{index}pk"), item.get(f"{index}sk")
        keys += (pk, sk) if isinstance(pk, str) and isinstance(sk, str) else (None, None)
    return tuple(keys)


NO_INDEX: IndexKeys = (None,) * len(INDEX_ATTRIBUTES)


def index_units(key: Key, old: IndexKeys, new: IndexKeys) -> int:
    """Units of the upkeep of the six KEYS_ONLY indexes: a changed key is a delete and a put. Never doubled."""
    if old == new:
        return 0
    units = 0
    for at in range(0, len(INDEX_ATTRIBUTES), 2):
        before, after = old[at : at + 2], new[at : at + 2]
        if before != after:
            units += sum(write_units(entry_size(key, *entry)) for entry in (before, after) if entry[0] is not None)
    return units


def entry_size(key: Key, index_pk: str | None, index_sk: str | None) -> int:
    """Bytes of a KEYS_ONLY index entry: the item's two keys and the index's two."""
    return INDEX_KEY_NAMES + text_size(f"{key.pk}{key.sk}{index_pk or ''}{index_sk or ''}")


# --- refusals ---------------------------------------------------------------------------------------------------------


def refused_units(item: Item | None) -> int:
    """Units of a single write whose condition did not hold: by the size of the item that refused."""
    return write_units(0 if item is None else item_size(item))


def cancelled_units(ops: Sequence[TransactWrite], failed: Mapping[int, Item | None]) -> int:
    """Units of a cancelled transaction.

    AWS charges it and reports nothing, so this is our estimate from what every engine knows: the items that refused,
    the items that were to be put, and the minimum for the rest.
    """
    total = 0
    for at, op in enumerate(ops):
        match op:
            case _ if at in failed:
                units = refused_units(failed[at])
            case Put(item=item):
                units = write_units(item_size(item))
            case Update() | Delete() | Check():
                units = write_units(0)
        total += TRANSACTIONAL * units
    return total
