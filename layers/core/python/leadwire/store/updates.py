"""The item that an update makes of the item before it."""

from __future__ import annotations

from .types import InvalidOperation, Item, Update, Value


def updated(update: Update, old: Item | None) -> Item:
    """The item after the update; `old` is None if there was none, and is not changed.

    InvalidOperation if `add` or `discard` meets an attribute of another kind. Limits of the result are not checked.
    """
    item: Item = {"pk": update.key.pk, "sk": update.key.sk} if old is None else dict(old)
    item.update(update.set)
    for name, amount in update.add.items():
        item[name] = _sum(name, item[name], amount) if name in item else amount
    for name, members in update.discard.items():
        if name in item:
            _discard(item, name, members)
    for name in update.remove:
        item.pop(name, None)
    return item


def _sum(name: str, value: Value, amount: int | frozenset[str]) -> Value:
    if isinstance(amount, frozenset) and isinstance(value, frozenset):
        return value | amount
    if isinstance(amount, int) and isinstance(value, int) and not isinstance(value, bool):
        return value + amount
    raise InvalidOperation(f"cannot add to {name!r}: it is of another kind")


def _discard(item: Item, name: str, members: frozenset[str]) -> None:
    value = item[name]
    if not isinstance(value, frozenset):
        raise InvalidOperation(f"cannot take members out of {name!r}: it is not a set of strings")
    if rest := value - members:
        item[name] = rest
    else:
        del item[name]
