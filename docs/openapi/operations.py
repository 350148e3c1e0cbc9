"""One route as an operation of its document."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from leadwire.edge import forms
from leadwire.edge.http import UNSAFE
from leadwire.edge.types import Dialect, Route
from leadwire.errors import Unauthorized

from . import refusals
from .refusals import JSON
from .schemas import Types, query_parameters

PARAMETER = re.compile(r"\{(\w+)\}")
Text = Annotated[str, Field(min_length=1)]
VERSIONS = ("api", "v1", "v2", "pub")
MOVED = range(300, 400)
LOCATION = {"description": "Where it is now", "required": True, "schema": {"type": "string", "format": "uri-reference"}}
KEY = "key"
"""The name of the security scheme."""


@dataclass(frozen=True, slots=True)
class Served:
    """A route, and where it is declared."""

    module: ModuleType
    dialect: Dialect
    route: Route

    @property
    def resource(self) -> str:
        return self.module.__name__.rpartition(".")[2]

    @property
    def verb(self) -> str:
        """The name of the function that does it."""
        call: Any = self.route.call
        return str(getattr(call, "func", call).__name__)


@dataclass(slots=True)
class Shared:
    """What operations of one document have in common, as it is found."""

    types: Types
    error: str
    """Place of the error's type."""
    neighbours: Mapping[str, str]
    """Route to the place of another dialect's, which answers there if no key says whose the request is."""
    responses: dict[str, Any] = field(default_factory=dict)


def ids(served: Sequence[Served]) -> dict[str, str]:
    """Route to its operationId: dialect, module and function; where that is not unique the method, then the path."""
    found: dict[str, str] = {}
    for attempt in (_plain, _with_method, _with_path):
        names = {one.route.key: attempt(one) for one in served if one.route.key not in found}
        taken = Counter(names.values())
        found |= {key: name for key, name in names.items() if taken[name] == 1}
    return found


def _plain(one: Served) -> str:
    return f"{one.dialect.name}_{one.resource}_{one.verb}"


def _with_method(one: Served) -> str:
    return f"{_plain(one)}_{one.route.method.lower()}"


def _with_path(one: Served) -> str:
    words = [word for word in one.route.path.split("/") if word and word not in VERSIONS and word[0] != "{"]
    return f"{_with_method(one)}_{'_'.join(words).replace('-', '_')}"


def declare(one: Served, types: Types) -> None:
    """Name the route's types, so that their schemas can be made together."""
    if one.route.body:
        types.add(one.route.body, "validation")
    for shape in one.route.answers.values():
        if shape is not None:
            types.add(shape, "serialization")


def operation(one: Served, operation_id: str, shared: Shared, schemas: Mapping[str, Any]) -> dict[str, Any]:
    route = one.route
    return {
        "operationId": operation_id,
        "summary": route.summary,
        "description": f"Needs the scope `{route.scope}`.",
        "tags": [tag(one.module)],
        "security": [{KEY: [route.scope]}],
        "parameters": list(_parameters(one)),
        **_request(route, shared.types, schemas),
        "responses": _responses(one, shared, schemas),
    }


def tag(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", " ").capitalize()


def about(module: ModuleType) -> str:
    """The first sentence of the module's docstring, without its references to other documents."""
    first = (inspect.getdoc(module) or "").partition("\n")[0]
    return re.sub(r"\s*\([^)]*\.md[^)]*\)", "", first)


def _parameters(one: Served) -> Iterator[dict[str, Any]]:
    for name in PARAMETER.findall(one.route.path):
        schema = TypeAdapter(one.dialect.parameters.get(name, Text)).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    yield from query_parameters(one.route.query)
    if one.route.method in UNSAFE:
        yield {"$ref": "#/components/parameters/Idempotency-Key"}


def _request(route: Route, types: Types, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if route.body is None:
        return {}
    schema = schemas[types.add(route.body, "validation")]
    kinds = [JSON, *((forms.URLENCODED, forms.MULTIPART) if route.body.takes_forms else ())]
    required = not route.body.optional and route.method != "DELETE"
    return {"requestBody": {"required": required, "content": {kind: {"schema": schema} for kind in kinds}}}


def _responses(one: Served, shared: Shared, schemas: Mapping[str, Any]) -> dict[str, Any]:
    found = {str(status): _success(one, status, shared, schemas) for status in sorted(one.route.answers)}
    own, neighbour = schemas[shared.error], shared.neighbours.get(one.route.key)
    for status, name, response in refusals.responses(one.dialect, one.route, own):
        if neighbour and status == Unauthorized.status:
            response["content"][JSON]["schema"] = {"anyOf": [own, schemas[neighbour]]}
        if name and shared.responses.setdefault(name, response) == response:
            response = {"$ref": f"#/components/responses/{name}"}  # noqa: PLW2901  # the same, by its name
        found.setdefault(str(status), response)
    return found


def _success(one: Served, status: int, shared: Shared, schemas: Mapping[str, Any]) -> dict[str, Any]:
    shape, names = one.route.answers[status], [*refusals.limits(one.dialect), "X-Request-Id"]
    names += ["Idempotency-Replayed"] if one.route.method in UNSAFE else []
    found: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }
    if status in MOVED:
        found["headers"]["Location"] = LOCATION
    if shape is not None:
        found["content"] = {JSON: {"schema": schemas[shared.types.add(shape, "serialization")]}}
    return found
