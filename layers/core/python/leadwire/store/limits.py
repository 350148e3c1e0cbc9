"""DynamoDB's limits, checked by every engine before it sends or stores: the same bug is the same error everywhere.

Each function raises InvalidOperation. Source: Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .capacity import INDEX_ATTRIBUTES, item_size, text_size, value_size
from .conditions import check_condition
from .types import INDEXES, Check, Delete, InvalidOperation, Item, Key, Put, Query, TransactWrite, Update, Value

KIB = 1024
MIB = 1024 * 1024
LONGEST_PK = 2 * KIB
LONGEST_SK = KIB
LARGEST_ITEM = 400 * KIB
LARGEST_PAGE = MIB
LARGEST_TRANSACTION = 4 * MIB
LARGEST_BATCH_GET = 16 * MIB
MOST_TRANSACTED = 100
MOST_GOT = 100
MOST_BATCHED = 25
MOST_CHANGED = 300
"""Attributes that one update may change: the operators of one expression."""

_INDEX_LIMITS = {name: LONGEST_PK if name.endswith("pk") else LONGEST_SK for name in INDEX_ATTRIBUTES}


def check_key(key: Key) -> None:
    _check_key_value("pk", key.pk, LONGEST_PK)
    _check_key_value("sk", key.sk, LONGEST_SK)


def check_item(item: Mapping[str, Value]) -> int:
    """The size of an item that is to be stored, in bytes."""
    _check_key_value("pk", item.get("pk"), LONGEST_PK)
    _check_key_value("sk", item.get("sk"), LONGEST_SK)
    _check_index_keys(item)
    size = item_size(item)
    if size > LARGEST_ITEM:
        raise InvalidOperation(f"an item of {size} bytes is larger than {LARGEST_ITEM}")
    return size


def check_updated(update: Update, after: Mapping[str, Value], before: tuple[Item, int] | None) -> int:
    """The size of what an update that was checked has left. `before` is the item and its size, if there was one.

    Only what the update names is measured.
    """
    if before is None:
        return check_item(after)
    item, size = before
    named = [*update.set, *update.add, *update.discard, *update.remove]
    for name in named:
        size -= item_size({name: item[name]}) if name in item else 0
        size += item_size({name: after[name]}) if name in after else 0
    if size > LARGEST_ITEM:
        raise InvalidOperation(f"an item of {size} bytes is larger than {LARGEST_ITEM}")
    return size


def check_write(op: TransactWrite) -> int:
    """The bytes that the operation itself carries: the item of a put, the new values of an update."""
    check_condition(op.condition)
    match op:
        case Put(item=item):
            return check_item(item)
        case Update():
            return _check_update(op)
        case Delete(key=key) | Check(key=key):
            check_key(key)
            return 0


def check_transaction(ops: Sequence[TransactWrite]) -> list[int]:
    """The bytes that each operation carries."""
    sizes = [check_write(op) for op in ops]
    _check_batch([op.key for op in ops], MOST_TRANSACTED)
    check_transaction_size(sum(sizes))
    return sizes


def check_transaction_size(size: int) -> None:
    if size > LARGEST_TRANSACTION:
        raise InvalidOperation(f"a transaction of {size} bytes is larger than {LARGEST_TRANSACTION}")


def check_batch_write(ops: Sequence[Put | Delete]) -> list[int]:
    """The bytes that each operation carries. 25 items of 400 KiB stay below AWS's 16 MB for the whole batch."""
    if any(op.condition is not None for op in ops):
        raise InvalidOperation("a batch cannot have conditions")
    sizes = [check_write(op) for op in ops]
    _check_batch([op.key for op in ops], MOST_BATCHED)
    return sizes


def check_batch_get(keys: Sequence[Key]) -> None:
    for key in keys:
        check_key(key)
    _check_batch(keys, MOST_GOT)


def check_query(query: Query) -> None:
    if query.index is not None and query.index not in INDEXES:
        raise InvalidOperation(f"there is no index {query.index!r}")
    if query.index is not None and query.consistent:
        raise InvalidOperation("an index cannot be read consistently")
    if query.limit is not None and query.limit < 1:
        raise InvalidOperation("a query must be allowed one item at least")
    if query.prefix is not None and (query.low is not None or query.high is not None):
        raise InvalidOperation("a query takes a prefix or bounds, not both")
    _check_key_value("pk", query.pk, LONGEST_PK)
    for bound in (query.low, query.high, query.prefix):
        if bound is not None:
            _check_key_value("a bound of sk", bound, LONGEST_SK)
    if query.low is not None and query.high is not None and query.low > query.high:
        raise InvalidOperation("the lower bound is above the upper")
    if query.start is not None:
        _check_start(query, query.start)


# --- inside -----------------------------------------------------------------------------------------------------------


def _check_key_value(name: str, value: Value, longest: int) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidOperation(f"{name} must be a string that is not empty")
    if text_size(value) > longest:
        raise InvalidOperation(f"{name} is longer than {longest} bytes")


def _check_index_keys(attributes: Mapping[str, Value]) -> None:
    for name in _INDEX_LIMITS.keys() & attributes.keys():
        _check_key_value(name, attributes[name], _INDEX_LIMITS[name])


def _check_update(update: Update) -> int:
    check_key(update.key)
    names = [*update.set, *update.add, *update.discard, *update.remove]
    if not names or len(names) > MOST_CHANGED:
        raise InvalidOperation(f"an update must change 1 to {MOST_CHANGED} attributes, not {len(names)}")
    if len(set(names)) < len(names):
        raise InvalidOperation("an update changes one attribute twice")
    if not all(names) or "pk" in names or "sk" in names:
        raise InvalidOperation("an update cannot change the primary key, or an attribute without a name")
    if any(name in _INDEX_LIMITS for name in (*update.add, *update.discard)):
        raise InvalidOperation("an index key is a string: it can be set or removed only")
    if any(isinstance(amount, bool) or not isinstance(amount, (int, frozenset)) for amount in update.add.values()):
        raise InvalidOperation("only an integer or a set can be added")
    if not all(isinstance(members, frozenset) for members in update.discard.values()):
        raise InvalidOperation("only a set can be discarded")
    _check_index_keys(update.set)
    carried = item_size(update.set) + item_size(update.add)
    for members in update.discard.values():
        value_size(members)
    if carried > LARGEST_ITEM:
        raise InvalidOperation(f"an update of {carried} bytes is larger than an item may be")
    return carried


def _check_batch(keys: Sequence[Key], most: int) -> None:
    if not 1 <= len(keys) <= most:
        raise InvalidOperation(f"{len(keys)} operations in a request that takes 1 to {most}")
    if len(set(keys)) < len(keys):
        raise InvalidOperation("an item occurs twice in one request")


def _check_start(query: Query, start: Item) -> None:
    names = {"pk", "sk"} if query.index is None else {"pk", "sk", f"{query.index}pk", f"{query.index}sk"}
    if start.keys() != names:
        raise InvalidOperation(f"a start key must have exactly {sorted(names)}")
    check_key(Key(str(start["pk"]), str(start["sk"])))
    _check_index_keys(start)
    prefix = query.index or ""
    sort = str(start[f"{prefix}sk"])
    inside = (
        start[f"{prefix}pk"] == query.pk
        and (query.low is None or sort >= query.low)
        and (query.high is None or sort <= query.high)
        and (query.prefix is None or sort.startswith(query.prefix))
    )
    if not inside:
        raise InvalidOperation("the start key is outside of what the query asks for")
