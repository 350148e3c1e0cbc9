"""Conditions, evaluated as DynamoDB does: a comparison with what is missing, or is of another kind, is false.

One rule is ours: DynamoDB lets `<>` hold for a missing attribute. Here it does not, on any engine (`expressions.py`
adds `attribute_exists`): who means "missing" must say `Missing`. Values of different kinds are unequal, as on AWS.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from .capacity import value_size
from .types import All, AnyOf, Attr, Compare, Condition, Contains, Exists, InvalidOperation, Missing, Not, Value
from .values import kind, same

EQUALITY = ("=", "<>")
ORDERINGS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
ORDERED = ("S", "N", "B")
LONGEST = 300
"""Operators in one condition."""


def holds(condition: Condition, item: Mapping[str, Value] | None) -> bool:
    """Whether the condition holds for the item as it is; None stands for an item that does not exist."""
    found: Mapping[str, Value] = {} if item is None else item
    match condition:
        case Exists(name):
            return name in found
        case Missing(name):
            return name not in found
        case Compare():
            return _compares(condition, found)
        case Contains(name, value):
            within = found.get(name)
            return isinstance(within, (str, frozenset)) and value in within
        case All(parts):
            return all(holds(part, found) for part in parts)
        case AnyOf(parts):
            return any(holds(part, found) for part in parts)
        case Not(part):
            return not holds(part, found)


def check_condition(condition: Condition | None) -> None:
    """InvalidOperation if DynamoDB would not accept the condition."""
    if condition is not None and _operators(condition) > LONGEST:
        raise InvalidOperation(f"a condition has more than {LONGEST} operators")


def _compares(compare: Compare, item: Mapping[str, Value]) -> bool:
    if compare.name not in item:
        return False
    left = item[compare.name]
    if isinstance(compare.operand, Attr):
        if compare.operand.name not in item:
            return False
        right = item[compare.operand.name]
    else:
        right = compare.operand
    if compare.op in EQUALITY:
        return same(left, right) == (compare.op == "=")
    return kind(left) == kind(right) and kind(left) in ORDERED and _ordered(compare.op, left, right)


def _ordered(op: str, left: Any, right: Any) -> bool:
    """Both of one ordered kind. Code points sort as UTF-8 bytes do, so strings need no encoding."""
    return bool(ORDERINGS[op](left, right))


def _operators(condition: Condition) -> int:
    match condition:
        case Exists(name) | Missing(name) | Contains(name=name):
            _check_name(name)
            return 1
        case Compare(name, op, operand):
            _check_name(name)
            _check_operand(op, operand)
            if operand == Attr(name):
                raise InvalidOperation(f"{name!r} is compared with itself")
            return 1
        case All(parts) | AnyOf(parts):
            if not parts:
                raise InvalidOperation("a condition of no parts")
            return sum(map(_operators, parts)) + len(parts) - 1
        case Not(part):
            return 1 + _operators(part)


def _check_operand(op: str, operand: Value | Attr) -> None:
    if op not in EQUALITY and op not in ORDERINGS:
        raise InvalidOperation(f"{op!r} is not a comparison")
    if isinstance(operand, Attr):
        _check_name(operand.name)
        return
    value_size(operand)
    if op in ORDERINGS and kind(operand) not in ORDERED:
        raise InvalidOperation(f"{op} cannot compare with a value of kind {kind(operand)}")


def _check_name(name: str) -> None:
    if not name:
        raise InvalidOperation("a condition on an attribute without a name")
