"""EventBridge's event patterns, which also filter a function's stream: exact values and the operators below.

Source: Amazon EventBridge User Guide, "Comparison operators for use in event patterns". A field that holds a list
matches if any of its values does. An operator that is not listed is refused by `check`, at start. Patterns and events
are parsed JSON, so objects are dicts: to ask for an abstract Mapping would double the cost of the pumps' busiest loop.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

type Test = Callable[[Any], bool]

_MISSING = object()
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compiled(pattern: Mapping[str, Any]) -> Test:
    """Says of an event (parsed JSON) whether it matches. The pattern must have passed `check`."""
    fields = [(name, _field(rule)) for name, rule in pattern.items() if name != "$or"]
    alternatives = [compiled(part) for part in pattern.get("$or", ())]

    def matches(event: Any) -> bool:
        if not isinstance(event, dict):
            return False
        for name, field in fields:  # the pumps' busiest loop: `all` would cost twice as much
            if not field(event.get(name, _MISSING)):
                return False
        return not alternatives or any(part(event) for part in alternatives)

    return matches


def check(pattern: Any) -> None:
    """Raises ValueError, which says what is wrong with the pattern."""
    if not isinstance(pattern, dict) or not pattern:
        raise ValueError(f"a pattern must be an object with at least one field, not {pattern!r}")
    for name, rule in pattern.items():
        if name == "$or":
            _check_or(rule)
        elif isinstance(rule, dict):
            check(rule)
        elif isinstance(rule, list) and rule:
            for test in rule:
                _check_test(name, test)
        else:
            raise ValueError(f"{name} of a pattern must be a list of at least one test, not {rule!r}")


def mentions(pattern: Mapping[str, Any], *path: str) -> bool:
    """Whether the pattern looks at the field at the path, or below it."""
    alternatives: Sequence[Mapping[str, Any]] = pattern.get("$or", ())
    if any(mentions(part, *path) for part in alternatives):
        return True
    rule = pattern.get(path[0])
    return rule is not None and (len(path) == 1 or not isinstance(rule, dict) or mentions(rule, *path[1:]))


def _field(rule: Any) -> Test:
    if not isinstance(rule, dict):
        tests = [_test(test) for test in rule]
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)
    inner = compiled(rule)

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(inner(part) for part in value)
        return inner({} if value is _MISSING else value)

    return matches


def _test(test: Any) -> Test:
    if isinstance(test, dict) and "exists" in test:
        wanted = test["exists"]
        return lambda value: (value is not _MISSING and not isinstance(value, dict)) is wanted
    ((name, operand),) = test.items() if isinstance(test, dict) else [("", test)]
    holds = _OPERATORS[name] if name else _same

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(matches(part) for part in value)
        return value is not _MISSING and not isinstance(value, dict) and holds(operand, value)

    return matches


def _same(left: Any, right: Any) -> bool:
    """JSON's equality: true is not 1."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _prefix(operand: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.casefold().startswith(operand["equals-ignore-case"].casefold())
    return value.startswith(operand)


def _suffix(operand: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        return value.casefold().endswith(operand["equals-ignore-case"].casefold())
    return value.endswith(operand)


def _ignoring_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.casefold() == operand.casefold()


def _wildcard(operand: str, value: Any) -> bool:
    r"""`*` stands for any characters, `\*` for itself."""
    literals = [re.escape(part.replace(r"\*", "*").replace(r"\\", "\\")) for part in re.split(r"(?<!\\)\*", operand)]
    return isinstance(value, str) and re.fullmatch(".*".join(literals), value, re.DOTALL) is not None


def _numeric(operand: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_COMPARISONS[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True))


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        ((name, inner),) = operand.items()
        return not any(_OPERATORS[name](one, value) for one in (inner if isinstance(inner, list) else [inner]))
    return not any(_same(one, value) for one in (operand if isinstance(operand, list) else [operand]))


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "anything-but": _anything_but,
}
_INSIDE_ANYTHING_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def _check_or(rule: Any) -> None:
    if not isinstance(rule, list) or len(rule) < 2:  # noqa: PLR2004  # an alternative needs another one
        raise ValueError("$or of a pattern must be a list of at least two patterns")
    for part in rule:
        check(part)


def _check_test(name: str, test: Any) -> None:
    if not isinstance(test, dict):
        return
    if len(test) != 1:
        raise ValueError(f"{name} of a pattern: a test has exactly one operator, not {sorted(test)}")
    ((operator_, operand),) = test.items()
    if operator_ != "exists" and operator_ not in _OPERATORS:
        raise ValueError(f"{name} of a pattern: the operator {operator_} is not supported")
    if operator_ == "exists" and not isinstance(operand, bool):
        raise ValueError(f"{name} of a pattern: exists is true or false")
    if operator_ == "anything-but" and isinstance(operand, dict):
        unknown = set(operand) - set(_INSIDE_ANYTHING_BUT)
        if unknown or len(operand) != 1:
            raise ValueError(f"{name} of a pattern: anything-but with {sorted(operand)} is not supported")
    if operator_ == "numeric":
        _check_numeric(name, operand)


def _check_numeric(name: str, operand: Any) -> None:
    even = isinstance(operand, list) and len(operand) in (2, 4)
    if not even or any(sign not in _COMPARISONS for sign in operand[::2]):
        raise ValueError(f"{name} of a pattern: numeric is a list of one or two comparisons, not {operand!r}")
