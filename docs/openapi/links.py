"""What a created record leads to: from the answer of a POST to the operations on the record, by the id in its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .operations import PARAMETER
from .schemas import COMPONENTS

BY_NAME = {"uuid": "leadId", "phone": "phone"}
"""Parameters whose record is shown under another path than its own: public shows leads as clients."""
PLACES = (("data",), ("data", "webhook"), ("webhook",), ())
"""Where in a body its record may stand."""


def add(paths: Mapping[str, Any], components: Mapping[str, Any]) -> None:
    """Give the answers of every POST their `links`."""
    for path, item in paths.items():
        for status, response in item.get("post", {}).get("responses", {}).items():
            found = dict(_links(path, paths, response, components)) if status in ("200", "201") else {}
            if found:
                response["links"] = found


def _links(
    path: str, paths: Mapping[str, Any], response: Mapping[str, Any], components: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    own = PARAMETER.findall(path)
    for place in PLACES:
        record = _record(schema, place, components)
        if not record:
            continue
        for target, item in paths.items():
            values = _values(path, target, record)
            if values:
                known = {name: f"$request.path.{name}" for name in own if name in PARAMETER.findall(target)}
                pointers = {name: f"$response.body#/{'/'.join((*place, value))}" for name, value in values.items()}
                for operation in item.values():
                    yield (
                        operation["operationId"],
                        {
                            "operationId": operation["operationId"],
                            "parameters": {**known, **pointers},
                        },
                    )
        return


def _values(path: str, target: str, record: Mapping[str, Any]) -> dict[str, str]:
    """The target's parameters by the record's members that fill them; none if some cannot be filled."""
    wanted = PARAMETER.findall(target)
    if target.startswith(f"{path}/{{") and "id" in record:
        nested = wanted[len(PARAMETER.findall(path)) :]
        return {nested[0]: "id"} if len(nested) == 1 and nested[0].lower().endswith("id") else {}
    named = {name: BY_NAME[name] for name in wanted if BY_NAME.get(name) in record}
    return named if len(named) == len(wanted) else {}


def _record(schema: Mapping[str, Any], place: tuple[str, ...], components: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of the object at this place of a body, or nothing."""
    found = _resolved(schema, components)
    for name in place:
        found = _resolved(found.get("properties", {}).get(name, {}), components)
    members: Mapping[str, Any] = found.get("properties", {})
    return members if {"id", *BY_NAME.values()} & members.keys() else {}


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix(COMPONENTS)
    found: Mapping[str, Any] = components[name] if name else schema
    return found
