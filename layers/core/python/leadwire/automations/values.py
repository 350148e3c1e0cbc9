"""Kinds of values in the configs of automations: why one is refused, and the same as JSON Schema. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadwire.leads.model import NAME_LIMIT, STATUSES, TEXT_LIMIT

type Schema = dict[str, Any]
type Problem = Callable[[Any], str | None]

LONGEST_DELAY = {"minutes": 365 * 24 * 60, "hours": 365 * 24, "days": 365}
TOLD_LIMIT = 16_384
"""Characters of what is told beside a lead: an event with both stays as small as leads/model.py says."""
POOL = 100
"""Records that one value may name."""
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_URL = r"https?://\S{1,1000}"
_IDS = 10**12
_INTEGERS = 10**9


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. `problem` says why a value is refused; `schema` allows what it does not refuse."""

    problem: Problem
    schema: Mapping[str, Any]


def closed(properties: Mapping[str, Any], required: list[str]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _string(most: int) -> Kind:
    def problem(value: Any) -> str | None:
        good = isinstance(value, str) and 0 < len(value) <= most
        return None if good else f"must be a string of 1 to {most} characters"

    return Kind(problem, {"type": "string", "minLength": 1, "maxLength": most})


def _like(pattern: str, otherwise: str) -> Kind:
    def problem(value: Any) -> str | None:
        return None if isinstance(value, str) and re.fullmatch(pattern, value) else otherwise

    return Kind(problem, {"type": "string", "pattern": f"^{pattern}$"})


def _integer(low: int, high: int, otherwise: str) -> Kind:
    def problem(value: Any) -> str | None:
        return None if type(value) is int and low <= value <= high else otherwise

    return Kind(problem, {"type": "integer", "minimum": low, "maximum": high})


def other_than(kind: Kind, words: Sequence[str], otherwise: str) -> Kind:
    """Of the kind, but for these words."""

    def problem(value: Any) -> str | None:
        return kind.problem(value) or (otherwise if value in words else None)

    return Kind(problem, {**kind.schema, "not": {"enum": [*words]}})


def one_of(*words: str) -> Kind:
    def problem(value: Any) -> str | None:
        return None if value in words and isinstance(value, str) else f"must be one of {', '.join(words)}"

    return Kind(problem, {"type": "string", "enum": [*words]})


def _ids(value: Any) -> str | None:
    good = isinstance(value, list) and 0 < len(value) <= POOL and not any(map(ID.problem, value))
    return None if good else f"must be a list of 1 to {POOL} positive integers"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _scalar(value: Any) -> str | None:
    short = isinstance(value, str) and len(value) <= TEXT_LIMIT
    finite = isinstance(value, int | float) and abs(value) < math.inf
    return None if short or finite else "must be a string, a number, true or false"


def _span(value: Any) -> str | None:
    """An amount of time."""
    if not isinstance(value, dict) or value.keys() != {"amount", "unit"}:
        return "must have amount and unit"
    unit, amount = value["unit"], value["amount"]
    most = LONGEST_DELAY.get(unit, 0) if isinstance(unit, str) else 0
    good = type(amount) is int and 0 < amount <= most
    return None if good else "must be an amount of minutes, hours or days, up to 365 days"


LINE, TEXT, TOLD = _string(NAME_LIMIT), _string(TEXT_LIMIT), _string(TOLD_LIMIT)
TAG = _like(r"(?=.*\S)[^\x00-\x1f\x7f]{1,100}", "must be a line of 1 to 100 characters")
ID = _integer(1, _IDS - 1, "must be a positive integer")
IDS = Kind(_ids, {"type": "array", "items": ID.schema, "minItems": 1, "maxItems": POOL})
INTEGER = _integer(-_INTEGERS, _INTEGERS, "must be an integer")
BOOLEAN = Kind(_boolean, {"type": "boolean"})
SCALAR = Kind(_scalar, {"type": ["string", "number", "boolean"], "maxLength": TEXT_LIMIT})
HOURS = _integer(1, LONGEST_DELAY["hours"], f"must be an integer from 1 to {LONGEST_DELAY['hours']}")
URL = _like(_URL, "must be an http or https URL")
CLOCK = _like(_CLOCK, "must be a time such as 09:00")
STATUS = one_of(*STATUSES)
SPANS = [
    closed({"amount": {"type": "integer", "minimum": 1, "maximum": most}, "unit": {"const": unit}}, ["amount", "unit"])
    for unit, most in LONGEST_DELAY.items()
]
SPAN = Kind(_span, {"oneOf": SPANS})
