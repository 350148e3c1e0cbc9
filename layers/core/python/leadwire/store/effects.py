"""What an operation finds, leaves and costs, decided on rows alone: nothing here touches the database."""

from __future__ import annotations

from collections.abc import Sequence

from . import limits, rows
from .capacity import NO_INDEX, cancelled_units, index_units, refused_units, write_units
from .conditions import holds
from .encoding import decode
from .rows import Row
from .types import (
    Check,
    ConditionFailed,
    Consumed,
    Delete,
    Item,
    Key,
    Put,
    TransactionFailed,
    TransactWrite,
    Update,
    Write,
)
from .updates import updated
from .values import same


def seen(op: TransactWrite, row: Row | None) -> Item | None:
    """The item as it is, where the operation asks for it; None also where there is none."""
    asks = isinstance(op, Update) or op.condition is not None
    return decode(row.text) if asks and row is not None else None


def after(op: TransactWrite, old: Row | None, seen: Item | None, size: int) -> Row | None:
    """What the operation leaves; `size` is what `limits` has found it to carry."""
    match op:
        case Put(item=item):
            return rows.row_of(item, size)
        case Update():
            item = updated(op, seen)
            known = None if old is None or seen is None else (seen, old.size)
            return rows.row_of(item, limits.check_updated(op, item, known))
        case Delete():
            return None
        case Check():
            return old


def unchanged(old: Row, new: Row) -> bool:
    """Whether both are the same item, which a write then leaves as it is; the order of attributes says nothing."""
    if old.size != new.size or old.text == new.text:
        return old.text == new.text
    was, is_ = decode(old.text), decode(new.text)
    return was == is_ and same(was, is_)


def refuse(op: Write, item: Item | None) -> None:
    """Raises ConditionFailed unless the condition holds for the item."""
    if op.condition is not None and not holds(op.condition, item):
        refused = ConditionFailed(item)
        refused.consumed = Consumed(wru=refused_units(item))
        raise refused


def refuse_any(ops: Sequence[TransactWrite], items: Sequence[Item | None]) -> None:
    """Raises TransactionFailed unless every condition holds for its item."""
    failed = {
        at: item
        for at, (op, item) in enumerate(zip(ops, items, strict=True))
        if op.condition is not None and not holds(op.condition, item)
    }
    if failed:
        refused = TransactionFailed(failed)
        refused.consumed = Consumed(wru=cancelled_units(ops, failed))
        raise refused


def larger(old: Row | None, new: Row | None) -> int:
    """Bytes that the write is charged for."""
    return max(0 if old is None else old.size, 0 if new is None else new.size)


def units(key: Key, old: Row | None, new: Row | None, times: int) -> int:
    """Write units of the item, `times` over, and of its indexes' upkeep."""
    upkeep = index_units(key, NO_INDEX if old is None else old.index, NO_INDEX if new is None else new.index)
    return times * write_units(larger(old, new)) + upkeep
