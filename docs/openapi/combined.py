"""The document of all dialects. Names get their dialect before them; where two dialects share a route (D13), the key
decides which of them answers, and the operation says what either would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leadwire import VERSION

NAMED = ("schemas", "responses", "securitySchemes")
"""Components that each dialect has of its own; headers and parameters are everybody's."""
TITLE = "Leadwire, all four APIs"
ABOUT = """\
The four APIs to the leads of a business, public, chatbot, lists and crm, in one document. Each has keys of its own. \
Where two have an operation under the same path, the key decides which of them answers."""


def combined(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`documents` by dialect."""
    own = {name: _named(document, name) for name, document in documents.items()}
    components: dict[str, dict[str, Any]] = {}
    for name, document in own.items():
        for section, members in document["components"].items():
            spelled = {_with(name, one) if section in NAMED else one: inner for one, inner in members.items()}
            components[section] = {**components.get(section, {}), **spelled}
    first = next(iter(documents.values()))
    return {
        "openapi": first["openapi"],
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT},
        "servers": first["servers"],
        "tags": [tag for document in own.values() for tag in document["tags"]],
        "paths": _paths(own.values(), components["responses"]),
        "webhooks": {name: item for document in own.values() for name, item in document["webhooks"].items()},
        "components": components,
    }


def _paths(documents: Iterable[Mapping[str, Any]], shared: Mapping[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for document in documents:
        for path, item in document["paths"].items():
            known = paths.setdefault(path, {})
            for method, operation in item.items():
                known[method] = _either(known[method], operation, shared) if method in known else operation
    return dict(sorted(paths.items()))


def _with(dialect: str, name: str) -> str:
    return f"{dialect}.{name}"


def _named(document: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """A document with the names that its components, schemes and tags have here."""
    paths = {
        path: {method: _operation(operation, dialect) for method, operation in item.items()}
        for path, item in document["paths"].items()
    }
    tags = [{**tag, "name": f"{dialect}: {tag['name']}"} for tag in document["tags"]]
    return {**_referring(dict(document), dialect), "paths": _referring(paths, dialect), "tags": tags}


def _operation(operation: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    responses = {
        status: {
            name: value for name, value in response.items() if name != "links"
        }  # they name operations of one dialect
        for status, response in operation["responses"].items()
    }
    return {
        **operation,
        "responses": responses,
        "tags": [f"{dialect}: {tag}" for tag in operation["tags"]],
        "security": [{_with(dialect, one): scopes for one, scopes in need.items()} for need in operation["security"]],
    }


def _referring(value: Any, dialect: str) -> Any:
    """With references as they are here."""
    if isinstance(value, list):
        return [_referring(one, dialect) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _referring(one, dialect) for name, one in value.items()}
    if isinstance(found.get("$ref"), str):
        head, section, name = found["$ref"].rsplit("/", 2)
        found["$ref"] = f"{head}/{section}/{_with(dialect, name) if section in NAMED else name}"
    return found


def _either(one: Mapping[str, Any], other: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """An operation of two dialects. `shared` are the components of responses."""
    statuses = sorted({*one["responses"], *other["responses"]})
    found = {
        "operationId": f"{one['operationId']}_or_{other['operationId']}",
        "summary": " / ".join(dict.fromkeys((one["summary"], other["summary"]))),
        "description": " ".join(dict.fromkeys((one["description"], other["description"]))),
        "tags": [*one["tags"], *other["tags"]],
        "security": [*one["security"], *other["security"]],
        "parameters": _parameters(one["parameters"], other["parameters"]),
        "responses": {status: _response(status, one, other, shared) for status in statuses},
    }
    bodies = [operation["requestBody"] for operation in (one, other) if "requestBody" in operation]
    required = all(body["required"] for body in bodies)
    return {**found, **({"requestBody": {"required": required, "content": _content(bodies)}} if bodies else {})}


def _parameters(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for parameter in (*one, *other):
        key = (parameter.get("in", ""), parameter.get("name") or parameter["$ref"])
        known = found.setdefault(key, parameter)
        if known != parameter:
            found[key] = {**known, "schema": _any_of([known["schema"], parameter["schema"]])}
    return list(found.values())


def _response(
    status: str, one: Mapping[str, Any], other: Mapping[str, Any], shared: Mapping[str, Any]
) -> Mapping[str, Any]:
    found: list[Mapping[str, Any]] = [
        shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for response in (operation["responses"].get(status) for operation in (one, other))
        if response
    ]
    if len(found) == 1:
        return found[0]
    first, second = found
    content = _content(found)
    headers = {name: header for name, header in first.get("headers", {}).items() if name in second.get("headers", {})}
    return {"description": first["description"], "headers": headers, **({"content": content} if content else {})}


def _content(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What any of the parts may hold, by media type."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        for kind, content in part.get("content", {}).items():
            known = found.get(kind)
            if known is None:
                found[kind] = dict(content)
                continue
            known["schema"] = _any_of([known["schema"], content["schema"]])
            if "examples" in content:
                second = {f"{name} (2)": example for name, example in content["examples"].items()}
                known["examples"] = {**known.get("examples", {}), **second}
    return found


def _any_of(schemas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    first, second = schemas
    return first if first == second else {"anyOf": [first, second]}
