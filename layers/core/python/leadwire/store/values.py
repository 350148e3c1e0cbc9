"""What kind a value is and when two are the same: DynamoDB's rules, which tell 1 from True and ignore order in maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .types import InvalidOperation, Value


def kind(value: object) -> str:
    """The DynamoDB type descriptor of a value: S, N, BOOL, NULL, B, SS, L or M. InvalidOperation for anything else."""
    if isinstance(value, str):
        return "S"
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, int):
        return "N"
    if value is None:
        return "NULL"
    if isinstance(value, (dict, Mapping)):
        return "M"
    if isinstance(value, (list, tuple)):
        return "L"
    if isinstance(value, bytes):
        return "B"
    if isinstance(value, frozenset):
        return "SS"
    raise InvalidOperation(f"the table cannot hold a {type(value).__name__}")


def same(left: Value, right: Value) -> bool:
    """Whether DynamoDB's `=` holds: equal in kind and content, all the way down."""
    of = kind(left)
    if of != kind(right):
        return False
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(value, right[name]) for name, value in left.items())
    if of == "L" and isinstance(left, Sequence) and isinstance(right, Sequence):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right
