"""Examples of requests and of their answers: steps of golden files (tests/dialects), which are run as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.dialects import golden

from .operations import PARAMETER
from .refusals import JSON, REQUEST_ID
from .schemas import COMPONENTS

PUBLISHED = "published"
"""A step that says this goes before the others: it is the sample of the dialect's own page."""
SUCCESS = range(200, 300)
SAMPLES: Mapping[str, str] = {
    "number": "1",
    "count": "0",
    "uuid": "550e8400-e29b-41d4-a716-446655440000",
    "lead_id": "lead_1234567890abcdef",
    "chatbot_id": "cb_1234567890abcdef",
    "workspace_id": "ws_1234567890abcdef",
    "company_id": "1234567890abcdef",
    "time": "2026-11-21T10:30:00Z",
    "time_ms": "2026-11-21T10:30:00.000Z",
    "time_offset": "2026-11-21T10:30:00+00:00",
    "time_offset_ms": "2026-11-21T10:30:00.000+00:00",
    "secret": f"whsec_{'A' * 43}=",
    "x": "x",
    "cursor": "AAAAAAAAAAAAAAAAAAAAAAA",
    "unix_time": "1795257000",
    "request_id": REQUEST_ID,
    "seconds": "60",
    "submission_id": f"sub_{'0' * 26}",
    "key_id": f"key_{'0' * 26}",
    "token": f"lh_{'0' * 33}",
    "hex": "0" * 32,
    "hex6": "0" * 6,
    "ulid": f"01{'0' * 24}",
    "hint": "••••0000",
    "actor": f"api_key:key_{'0' * 26}",
    "inbound_url": f"/hooks/acme/1/{'0' * 32}",
    "url": "https://example.com",
    "version": "0.1.0",
}
"""What placeholders of each kind stand for here; `golden.KINDS` has what they match there."""
TWINS = {"put": "patch", "patch": "put"}
"""Where a path has both, they do the same."""
NUMBERS = ("number", "count", "seconds", "unix_time")

type Step = Mapping[str, Any]


def add(dialect: str, paths: Mapping[str, Any], components: Mapping[str, Any]) -> None:
    """Give the bodies of every operation their `examples`, as far as some step shows one that succeeds."""
    found = _by_operation(dialect, paths)
    for path, item in paths.items():
        for method, operation in item.items():
            twin = (TWINS.get(method, ""), path)
            _show(operation, found.get((method, path)) or found.get(twin) or [], components)


def _show(operation: Mapping[str, Any], shown: Sequence[Step], components: Mapping[str, Any]) -> None:
    asked = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if asked:
        _exemplify(
            asked, next((step for step in shown if isinstance(step.get("body"), dict)), None), "body", components
        )
    for status, response in operation["responses"].items():
        answered = response.get("content", {}).get(JSON)
        if answered and int(status) in SUCCESS:
            told = (step for step in shown if step["status"] == int(status) and "answer" in step)
            _exemplify(answered, next(told, None), "answer", components)


def _exemplify(content: dict[str, Any], step: Step | None, part: str, components: Mapping[str, Any]) -> None:
    if step:
        value = _filled(step[part], content["schema"], components)
        content["examples"] = {"Example": {"summary": step["does"], "value": value}}


def _by_operation(dialect: str, paths: Mapping[str, Any]) -> Mapping[tuple[str, str], list[Step]]:
    """Method and path to the steps that succeed there, those of the published samples first."""
    found: dict[tuple[str, str], list[Step]] = {}
    patterns = _patterns(tuple(paths))
    for step in _steps(dialect):
        method, _, target = step["request"].partition(" ")
        for path, pattern in patterns.items():
            if method.lower() in paths[path] and pattern.fullmatch(target.partition("?")[0]):
                found.setdefault((method.lower(), path), []).append(step)
                break
    for steps in found.values():
        steps.sort(key=lambda step: PUBLISHED not in step["does"])
    return found


def _steps(dialect: str) -> Iterator[Step]:
    for file in golden.files():
        for step in golden.steps(file):
            spoken = step.get("key", file.parent.name).partition(" ")[0]
            if spoken == dialect and step["status"] in SUCCESS and "content-type" not in step.get("sends", {}):
                yield step


def _patterns(paths: Sequence[str]) -> Mapping[str, re.Pattern[str]]:
    """Those without parameters first, as in API Gateway."""
    ordered = sorted(paths, key=lambda path: path.count("{"))
    return {path: re.compile(PARAMETER.sub("[^/]+", path)) for path in ordered}


# --- placeholders -----------------------------------------------------------------------------------------------------


def _filled(value: Any, schema: Any, components: Mapping[str, Any]) -> Any:
    """The value with samples in place of placeholders, which are numbers where the schema has them."""
    shape = _shape(value, schema, components)
    if isinstance(value, dict):
        members, others = shape.get("properties", {}), shape.get("additionalProperties", {})
        return {name: _filled(inner, members.get(name, others), components) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, shape.get("items", {}), components) for inner in value]
    if not isinstance(value, str):
        return value
    placeholder = golden.PLACEHOLDER.fullmatch(value)
    if placeholder and placeholder[1] in NUMBERS and "integer" in _types(schema, components):
        return int(SAMPLES[placeholder[1]])
    return golden.PLACEHOLDER.sub(_sample, value)


def _sample(match: re.Match[str]) -> str:
    return golden.repeated(match) if match[1] == "x" and match[2] else SAMPLES.get(match[1], match[0])


def _shape(value: Any, schema: Any, components: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the schema's variants the one that has all of the value's members."""
    variants = list(_variants(schema, components))
    if isinstance(value, dict):
        named = [one for one in variants if value.keys() <= one.get("properties", {}).keys()]
        return next(iter([*named, *(one for one in variants if one.get("type") == "object"), {}]))
    return next((one for one in variants if one.get("type") == "array"), {})


def _types(schema: Any, components: Mapping[str, Any]) -> set[str]:
    return {one.get("type", "") for one in _variants(schema, components)}


def _variants(schema: Any, components: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        yield from _variants(components[schema["$ref"].removeprefix(COMPONENTS)], components)
    for one in schema.get("anyOf", ()):
        yield from _variants(one, components)
    yield schema
