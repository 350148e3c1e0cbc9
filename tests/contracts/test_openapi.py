"""The published documents: valid, complete, and the same routes as the template's."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_dict

from docs import openapi
from docs.openapi import dialects, examples
from leadwire import faces
from tests import doors, published
from tests.dialects import golden

DOCUMENTS = (*dialects.NAMES, "all")
UNSHOWN = ("crm_leads_unmerge",)
"""Its body is optional, and golden files succeed without it."""
UNLISTED = "reference"
"""The function that serves the documents themselves."""


def operations(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Route key and operation."""
    for path, item in published.document(name)["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


every_document = pytest.mark.parametrize("name", DOCUMENTS)
every_operation = pytest.mark.parametrize(
    ("name", "operation"),
    [pytest.param(name, one, id=f"{name} {key}") for name in dialects.NAMES for key, one in operations(name)],
)


def test_the_documents_are_current() -> None:
    stale = [path.name for path, text in openapi.written() if not path.exists() or path.read_text() != text]
    assert not stale, f"run: .venv/bin/python -m docs.openapi ({', '.join(stale)})"


@every_document
def test_a_document_is_one_that_others_can_read(name: str) -> None:
    schema = from_dict(published.document(name), config=SchemathesisConfig())  # not the one of make fuzz
    schema.validate()
    assert schema.specification.version.startswith("3.1")
    assert all(operation.ok() for operation in schema.get_all_operations())


@every_document
def test_every_schema_is_valid(name: str) -> None:
    components = published.document(name)["components"]
    for schema in components["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "components": components})


@every_document
def test_every_reference_leads_somewhere(name: str) -> None:
    text = json.dumps(published.document(name))
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found = published.document(name)
        for part in reference.split("/"):
            found = found[part]


def test_the_documents_have_the_routes_of_the_template_and_no_others() -> None:
    published_routes = {key for name in dialects.NAMES for key, _ in operations(name)}
    assert published_routes == {route.key for route in doors.routes() if route.function != UNLISTED}
    assert published_routes == {key for key, _ in operations("all")}


@every_document
def test_operations_have_names_of_their_own(name: str) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(name))
    assert [one for one, times in names.items() if times > 1] == []


@every_operation
def test_an_operation_says_what_it_does_and_answers(name: str, operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z].*[^.]", operation["summary"])
    assert any(status < "400" for status in operation["responses"])


@every_document
def test_links_lead_to_operations_and_fill_their_parameters(name: str) -> None:
    known = {operation["operationId"]: operation for _, operation in operations(name)}
    for _, operation in operations(name):
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = known[link["operationId"]]
                wanted = {one["name"] for one in target["parameters"] if one.get("in") == "path"}
                assert set(link["parameters"]) == wanted


def test_every_face_has_its_webhooks() -> None:
    told = {one.partition(".")[0] for one in published.document("all")["webhooks"]}
    assert told == {face.name for face in faces.ALL}


@every_document
def test_types_have_readable_names(name: str) -> None:
    unreadable = [
        one
        for one in published.document(name)["components"]["schemas"]
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", one.rpartition(".")[2])
    ]
    assert unreadable == []


@every_document
def test_a_document_speaks_of_nothing_that_its_readers_do_not_have(name: str) -> None:
    """Titles and descriptions come from docstrings, which may name files and decisions; their first lines may not."""
    texts = set(_texts(published.document(name)))
    assert [text for text in texts if re.search(r"\b\w+\.(py|md)\b|\bD\d+\b|\bADR\b|\bdecision\b", text)] == []


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in ("description", "summary") if isinstance(node.get(name), str))
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(child)


@every_document
def test_every_example_is_one_that_its_schema_allows(name: str) -> None:
    for told in _bodies(name):
        for content in told.get("content", {}).values():
            schema = {**content["schema"], "components": published.document(name)["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
            for example in content.get("examples", {}).values():
                assert [error.message for error in validator.iter_errors(example["value"])] == [], example["summary"]


@every_operation
def test_a_body_that_an_operation_takes_has_an_example(name: str, operation: dict[str, Any]) -> None:
    """Swagger UI would make one up of the schema's patterns, which nobody can read."""
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json", {"examples": {"Example": {}}})
    assert "examples" in asked or operation["operationId"] in UNSHOWN


@pytest.mark.parametrize("kind", golden.KINDS)
def test_what_stands_for_a_placeholder_in_an_example_is_of_its_kind(kind: str) -> None:
    assert re.fullmatch(golden.KINDS[kind], examples.SAMPLES[kind])


def _bodies(name: str) -> Iterator[dict[str, Any]]:
    """What requests and responses say of their bodies."""
    yield from published.document(name)["components"]["responses"].values()
    for _, operation in operations(name):
        yield operation.get("requestBody", {})
        yield from (one for one in operation["responses"].values() if "$ref" not in one)
