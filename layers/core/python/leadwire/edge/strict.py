"""Strict requests (decision D9): a body or query string becomes a model, or every problem with it is named at once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from leadwire.context import Tenant
from leadwire.errors import FieldError, InvalidInput, UnsupportedMediaType

from . import forms
from .types import Body

UNKNOWN = "extra_forbidden"
LINE = 200
"""Characters of a wrong value, or of a wrong name, that an error repeats."""
MOST = 100
"""Problems that are named: a body of 256 KiB may have tens of thousands."""
MESSAGES = {
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "tuple_type": "must be an array",
    "model_type": "must be an object",
    "json_invalid": "must be valid JSON",
}


def parse_body[Model: Body](model: type[Model], raw: bytes, content_type: str, tenant: Tenant) -> Model:
    """Raises UnsupportedMediaType for what does not say that it is JSON, InvalidInput for what is not right.

    Field types find the tenant in the validation context (phones are read in its region).
    """
    posted = forms.values(raw, content_type) if model.takes_forms else None
    kind = content_type.partition(";")[0].strip().lower()
    if posted is None and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("Send the body as application/json")
    try:
        if posted is not None:
            return model.model_validate(posted, context=tenant)
        return model.model_validate_json(raw, context=tenant)
    except ValidationError as error:
        raise invalid(model, error.errors(include_url=False, include_context=True)) from None


def parse_query[Model: BaseModel](model: type[Model], query: Mapping[str, Sequence[str]]) -> Model:
    """A repeated parameter is refused: which one would count?"""
    repeated = {name for name, values in query.items() if len(values) > 1}
    errors = [FieldError(name, "must be given once", "repeated") for name in query if name in repeated]
    found, problems = _query(model, {name: values[0] for name, values in query.items()})
    errors += [_field_error(model, problem) for problem in problems if not repeated.intersection(problem["loc"][:1])]
    if errors or found is None:
        raise InvalidInput(*errors[:MOST])
    return found


def _query[Model: BaseModel](model: type[Model], sent: Mapping[str, str]) -> tuple[Model | None, list[ErrorDetails]]:
    try:
        return model.model_validate(sent), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_context=True)


def invalid(model: type[BaseModel], problems: Sequence[ErrorDetails]) -> InvalidInput:
    return InvalidInput(*(_field_error(model, problem) for problem in problems[:MOST]))


def _field_error(model: type[BaseModel], problem: ErrorDetails) -> FieldError:
    path = ".".join(str(part) for part in problem["loc"])[:LINE]
    code = problem["type"]
    value = None if code in {"missing", "json_invalid"} else _shown(problem["input"])
    return FieldError(path, _message(model, problem), "unknown_field" if code == UNKNOWN else code, value)


def _message(model: type[BaseModel], problem: ErrorDetails) -> str:
    code, context = problem["type"], problem.get("ctx", {})
    if code == UNKNOWN:
        return _unknown(model, str(problem["loc"][-1])) if len(problem["loc"]) == 1 else "is not a known field"
    if code == "value_error":
        return str(context["error"])
    if code in {"literal_error", "enum"}:
        return f"must be {context['expected']}"
    if code in {"string_too_short", "too_short"} and context["min_length"] == 1:
        return "must not be empty"
    if code == "too_long":
        return f"must not have more than {context['max_length']} items"
    text = MESSAGES.get(code) or problem["msg"].removeprefix("Input ").removeprefix("String ")
    return text[:1].lower() + text[1:]


def _unknown(model: type[BaseModel], name: str) -> str:
    """A name that is part of a right one, or the other way round, is nearer than one that only looks alike."""
    fields, given = list(model.model_fields), name.lower()
    parts = [field for field in fields if given and (given in field.lower() or field.lower() in given)]
    near = difflib.get_close_matches(name, parts or fields, n=1, cutoff=0 if parts else 0.6)
    return f"is not a known field; did you mean {near[0]}?" if near else "is not a known field"


def _shown(value: Any) -> Any:
    """The caller's value as an error may repeat it: JSON (NaN is none), and no more than a line of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return json.loads(text, parse_constant=str) if len(text) <= LINE else text[:LINE]
