"""Every answer that a test sees, checked against the published documents: status, media type, headers, body."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from leadwire import apikeys

FOLDER = Path(__file__).parents[1] / "functions/reference/openapi"
DIALECTS = ("public", "chatbot", "lists", "crm")
GATEWAYS_OWN = re.compile(r'\{"message": ?"[A-Z][a-zA-Z ]*"\}')
PARAMETER = re.compile(r"\{\w+\}")


def check(method: str, target: str, token: str, status: int, headers: Mapping[str, str], body: str) -> None:
    """Fails if a route that some document has answers what no document of that route says.

    `target` is path and query, header names are in lower case. `token` tells whose document counts where two dialects
    share the path; without one, either may.
    """
    paths = {name: _path(name, method, target.partition("?")[0]) for name in DIALECTS}
    known = [name for name, path in paths.items() if path]
    spoken = [name for name in known if token.startswith(apikeys.FAMILIES[name].prefix)] or known
    problems = [_problem(name, paths[name], method.lower(), status, headers, body) for name in spoken]
    if problems and all(problems):
        raise AssertionError(f"{method} {target} is not as published: {'; '.join(problems)}\n{body}")


def check_http(method: str, target: str, sent: Mapping[str, str], answer: tuple[int, Mapping[str, str], str]) -> None:
    """The same over HTTP. Header names are in lower case; what the gateway itself refuses is in no document."""
    status, headers, body = answer
    if not GATEWAYS_OWN.fullmatch(body):
        token = sent.get("x-api-key") or sent.get("authorization", "").removeprefix("Bearer ")
        check(method, target, token, status, headers, body)


def check_delivery(body: Mapping[str, Any]) -> None:
    """Fails if this is the body of no webhook of any document. A ping is in none: it says nothing of a lead."""
    if body.get("type") == "ping":
        return
    word = body.get("eventType") or body.get("event") or "CONVERSATION_COMPLETED"
    known = [one for one in document("all")["webhooks"] if one.partition(".")[2] == word]
    assert any(_delivery(one).is_valid(body) for one in known), f"no webhook is published that sends {body}"


@functools.cache
def document(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


@functools.cache
def _patterns(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Paths without parameters come first, as in API Gateway."""
    paths = sorted(document(name)["paths"], key=lambda path: path.count("{"))
    return tuple((re.compile(PARAMETER.sub("[^/]+", path)), path) for path in paths)


def _path(name: str, method: str, path: str) -> str:
    """The document's path that this one is an instance of, or an empty text."""
    for pattern, known in _patterns(name):
        if pattern.fullmatch(path) and method.lower() in document(name)["paths"][known]:
            return known
    return ""


def _problem(name: str, path: str, method: str, status: int, headers: Mapping[str, str], body: str) -> str:
    """What is not as the document says, or an empty text."""
    responses = document(name)["paths"][path][method]["responses"]
    if str(status) not in responses:
        return f"{name}.json knows no status {status}"
    response = _resolved(name, responses[str(status)])
    missing = [header for header in _required(name, response) if header.lower() not in headers]
    if missing:
        return f"{name}.json promises the headers {', '.join(missing)} with status {status}"
    content = response.get("content", {})
    if not content:
        return f"{name}.json knows no body with status {status}" if body else ""
    kind = headers["content-type"].partition(";")[0]
    if kind not in content:
        return f"{name}.json knows no {kind} with status {status}"
    errors = list(_validator(name, path, method, status, kind).iter_errors(json.loads(body)))
    return "; ".join(f"{name}.json, {status}: {'/'.join(map(str, e.instance_path))} {e.message}" for e in errors)


def _required(name: str, response: Mapping[str, Any]) -> Iterator[str]:
    for header, value in response.get("headers", {}).items():
        if _resolved(name, value).get("required"):
            yield header


def _resolved(name: str, value: Any) -> Any:
    if "$ref" not in value:
        return value
    return functools.reduce(lambda found, part: found[part], value["$ref"].split("/")[1:], document(name))


@functools.cache
def _validator(name: str, path: str, method: str, status: int, kind: str) -> Any:
    response = _resolved(name, document(name)["paths"][path][method]["responses"][str(status)])
    schema = {**response["content"][kind]["schema"], "components": document(name)["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


@functools.cache
def _delivery(name: str) -> Any:
    operation = document("all")["webhooks"][name]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": document("all")["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
