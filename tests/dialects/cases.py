"""Which cases a step of a golden file shows, and which an operation can have: the table behind test_coverage.py.

Read off the requests, with the models that the operations check them with; nobody labels a step. `python -m
tests.dialects.cases` prints the table.
"""

from __future__ import annotations

import functools
import json
import sys
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from docs.openapi import dialects
from leadwire.context import Tenant
from leadwire.edge.types import Dialect, Route
from tests import doors
from tests.dialects import golden

SUCCESS, NULL, ABSENT, EMPTY, WRONG_TYPE, OVER_LIMIT = "success", "null", "absent", "empty", "wrong type", "over limit"
UNKNOWN_ID, FOREIGN_ID, DUPLICATE = "unknown id", "foreign id", "duplicate"
CASES = (SUCCESS, NULL, ABSENT, EMPTY, WRONG_TYPE, OVER_LIMIT, UNKNOWN_ID, FOREIGN_ID, DUPLICATE)
FOREIGN = ":their_"
"""How names of placeholders begin that stand for another tenant's ids."""
REFUSED, NOT_FOUND = 400, 404
MISTAKES = {"missing": ABSENT, "string_too_short": EMPTY, "too_short": EMPTY}
MISTAKES |= dict.fromkeys(("string_too_long", "too_long", "less_than_equal", "less_than"), OVER_LIMIT)
OF_TYPE = ("_type", "_parsing")
IN_TEXT = ("literal_error", "string_pattern_mismatch", "value_error")
"""What a wrong type comes out as in a query string, where everything is text."""
LIMITS = {"maxLength", "maxItems", "maximum", "maxProperties"}
EXCESS = ("larger", "longer", "deeper", "more than", "at most")
SAMPLES = {"uuid": "99999999-9999-4999-8999-999999999999", "number": "1"}
TENANT = Tenant("0123456789abcdef", "acme", bytes(32))

DUPLICATES: Mapping[str, str] = {
    "public POST /api/v1/pub/clients": '"UPDATED"',
    "public POST /api/v1/pub/missed-calls": '"UPDATED"',
    "public POST /api/v1/pub/webhooks/missed-call": '"{time:missed}"}}',
    "public POST /api/v1/pub/webhooks/chat-widget": '"{time:chat}"}}',
    "public DELETE /api/v1/pub/webhooks/missed-call": "WEBHOOK_NOT_FOUND",
    "public DELETE /api/v1/pub/webhooks/chat-widget": "WEBHOOK_NOT_FOUND",
    "public DELETE /api/v2/pub/webhooks/{id}": "WEBHOOK_NOT_FOUND",
    "chatbot POST /api/v1/leads": "DUPLICATE_EMAIL",
    "chatbot PUT /api/v1/leads/{id}": "DUPLICATE_EMAIL",
    "chatbot DELETE /api/v1/leads/{id}": "LEAD_NOT_FOUND",
    "chatbot DELETE /api/v1/chatbots/{id}": "CHATBOT_NOT_FOUND",
    "chatbot POST /api/v1/chatbots/{chatbotId}/webhooks": "Must not repeat an event type",
    "chatbot DELETE /api/v1/chatbots/{chatbotId}/webhooks/{webhookId}": "WEBHOOK_NOT_FOUND",
    "lists POST /v1/leads": '"existed": true',
    "lists POST /v1/leads/bulk": '"duplicates": 1',
    "lists POST /v1/leads/bulk-delete": '"skipped": 1',
    "lists PATCH /v1/leads/{id}": "duplicate_phone",
    "lists DELETE /v1/leads/{id}": "not_found",
    "lists DELETE /v1/lists/{id}": "not_found",
    "crm POST /api/v1/leads": '"possible_duplicate_of": "{number',
    "crm POST /api/inbound/leads": '"existing"',
    "crm POST /api/v1/forms/{id}/submissions": '"is_duplicate": true',
    "crm POST /api/v1/forms": "taken already",
    "crm PATCH /api/v1/forms/{id}": "taken already",
    "crm POST /api/v1/tags": "taken already",
    "crm PATCH /api/v1/tags/{id}": "taken already",
    "crm POST /api/v1/users": "taken already",
    "crm PATCH /api/v1/users/{id}": "taken already",
}
"""Operations for which a value or a request can be there already, and what their answer then has."""


# --- what is shown ----------------------------------------------------------------------------------------------------


@functools.cache
def served() -> Mapping[str, tuple[Dialect, Route]]:
    """All published operations, by dialect and route."""
    declared = [dialect for name in dialects.NAMES for _, dialect in dialects.declared(name)]
    return {f"{dialect.name} {route.key}": (dialect, route) for dialect in declared for route in dialect.routes}


@functools.cache
def operations() -> Mapping[str, Route]:
    return {name: route for name, (_, route) in served().items()}


def kin(operation: str) -> tuple[str, ...]:
    """The operations of the dialect that do the same under another method or path (PUT and PATCH; D13), and itself."""
    dialect, route = operation.partition(" ")[0], operations()[operation]
    return tuple(
        name
        for name, other in operations().items()
        if name.startswith(f"{dialect} ")
        and (other.call, other.render, other.body, other.query) == (route.call, route.render, route.body, route.query)
    )


@functools.cache
def shown() -> Mapping[str, set[str]]:
    """Operation to the cases that some step shows of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for operation, of_it in steps().items():
        for step in of_it:
            found[operation].update(_cases(operation, step))
    return found


@functools.cache
def steps() -> Mapping[str, list[Mapping[str, Any]]]:
    """Operation to all steps of golden files that ask for it."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for path in golden.files():
        for step in golden.steps(path):
            found[_operation(path, step)].append(step)
    found.pop("", None)
    return found


def _operation(path: Path, step: Mapping[str, Any]) -> str:
    """Dialect and route, or an empty text if no dialect declares it (the health check)."""
    dialect = step.get("key", path.parent.name).partition(" ")[0]
    method, _, target = step["request"].partition(" ")
    for route in doors.routes():
        if route.parameters(method, target.partition("?")[0]) is not None and f"{dialect} {route.key}" in operations():
            return f"{dialect} {route.key}"
    return ""


def _cases(operation: str, step: Mapping[str, Any]) -> Iterator[str]:
    route, answer = operations()[operation], json.dumps(step.get("answer"))
    if step["status"] < REFUSED:
        yield SUCCESS
    if FOREIGN in json.dumps([step["request"], step.get("body")]):
        yield FOREIGN_ID
    elif "not found" in answer.lower() or "does not name" in answer:
        yield UNKNOWN_ID
    if any(operation in kin(name) and words in answer for name, words in DUPLICATES.items()):
        yield DUPLICATE
    if "bytes" in step:
        yield OVER_LIMIT
    yield from _of_query(route, step)
    yield from _of_body(route, step)


def _of_query(route: Route, step: Mapping[str, Any]) -> Iterator[str]:
    query = dict(urllib.parse.parse_qsl(step["request"].partition("?")[2], keep_blank_values=True))
    if "" in query.values():
        yield EMPTY
    for problem in _problems(route.query, query):
        yield WRONG_TYPE if problem["type"] in IN_TEXT else _mistake(problem)


def _of_body(route: Route, step: Mapping[str, Any]) -> Iterator[str]:
    body = step.get("body")
    if route.body is None or not isinstance(body, dict):
        return
    values = list(_values(body))
    if any(value is None for value in values):
        yield NULL
    if any(value in ("", [], {}) for value in values if not isinstance(value, int | None)):
        yield EMPTY
    answer = json.dumps(step.get("answer"))
    lacks = set(route.body.model_fields) - set(body) and step["status"] in (*range(REFUSED), NOT_FOUND)
    if lacks or "is required" in answer.lower():
        yield ABSENT
    if any(words in answer for words in EXCESS):
        yield OVER_LIMIT
    for problem in _problems(route.body, body):
        yield _mistake(problem)


def _problems(model: type[BaseModel], sent: Mapping[str, Any]) -> list[ErrorDetails]:
    try:
        model.model_validate_json(json.dumps(_filled(sent)), context=TENANT)
    except ValidationError as error:
        return error.errors()
    return []


def _mistake(problem: ErrorDetails) -> str:
    kind = problem["type"]
    if kind in MISTAKES:
        return MISTAKES[kind]
    if any(word in problem["msg"] for word in EXCESS):
        return OVER_LIMIT
    return WRONG_TYPE if kind.endswith(OF_TYPE) and problem["input"] is not None else ""


def _values(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _values(inner)


def _filled(value: Any) -> Any:
    """With samples in place of placeholders."""
    if isinstance(value, str):
        return golden.PLACEHOLDER.sub(lambda match: golden.repeated(match) or SAMPLES.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {name: _filled(inner) for name, inner in value.items()}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


# --- what there can be ------------------------------------------------------------------------------------------------


def applicable(operation: str) -> Iterator[str]:
    """The cases that the operation's shape allows."""
    route = operations()[operation]
    yield SUCCESS
    asked = [model for model in (route.body, route.query) if model is not None and model.model_fields]
    if route.body is not None:
        yield from (NULL, ABSENT, EMPTY)
    if asked:
        yield WRONG_TYPE
    if any(limit in json.dumps(model.model_json_schema()) for model in asked for limit in LIMITS):
        yield OVER_LIMIT
    if "{" in route.path:
        yield UNKNOWN_ID
        if not operation.startswith("crm "):  # whose ids are small numbers in every tenant; tests/isolation tries them
            yield FOREIGN_ID
    if any(operation in kin(name) for name in DUPLICATES):
        yield DUPLICATE


def table() -> str:
    """A row for each operation: x is shown, o is to be shown, and nothing cannot be."""
    rows = [f"{'':78}" + " ".join(f"{case:10}" for case in CASES)]
    for operation in sorted(operations()):
        can = set(applicable(operation))
        there = {case for name in kin(operation) for case in shown()[name]}
        marks = ["x" if case in there else "o" if case in can else "" for case in CASES]
        rows.append(f"{operation:78}" + " ".join(f"{mark:10}" for mark in marks))
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
