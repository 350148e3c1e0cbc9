"""Types of bodies as JSON Schema 2020-12: closed objects, no titles that repeat names, one component for each type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

type Schema = dict[str, Any]
type Mode = Literal["validation", "serialization"]

COMPONENTS = "#/components/schemas/"
_LONG = re.compile(r"leadwire__(?:\w+__)?(\w+?)__(\w+)")
"""A name that pydantic made longer, because two modules have a type of this name: module and type are kept."""


class Closed(GenerateJsonSchema):
    """Answers have the members that their types name, and no others."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def field_title_should_be_set(self, _schema: CoreSchema | Any) -> bool:
        return False


class Types:
    """The types that one document names, and their schemas once all are known."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, Mode], TypeAdapter[Any]] = {}

    def add(self, kind: Any, mode: Mode) -> str:
        """The place of the type in `schemas`."""
        place = f"{getattr(kind, '__module__', '')} {kind!r} {mode}"
        self._adapters[place, mode] = TypeAdapter(kind)
        return place

    def schemas(self) -> tuple[Mapping[str, Schema], dict[str, Schema]]:
        """Each place's schema, and the components that they refer to."""
        inputs = [(place, mode, adapter) for (place, mode), adapter in self._adapters.items()]
        made, rest = TypeAdapter.json_schemas(inputs, ref_template=COMPONENTS + "{model}", schema_generator=Closed)
        definitions: dict[str, Schema] = rest.get("$defs", {})
        names = {name: short(name) for name in definitions}
        components = {names[name]: _tidy(schema, names) for name, schema in definitions.items()}
        if len(components) < len(definitions):
            raise ValueError(f"two types come out under one name: {sorted(definitions)}")
        return {place: _tidy(schema, names) for (place, _), schema in made.items()}, dict(sorted(components.items()))


def query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """The parameters of a query string. None is how a parameter that was not sent arrives: it is no value to send."""
    schema = model.model_json_schema(by_alias=True, mode="validation", schema_generator=Closed)
    definitions, required = schema.get("$defs", {}), schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, **_parameter(one, definitions)}
        for name, one in schema["properties"].items()
    ]


def _parameter(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Any]:
    found = _tidy(_resolved(schema, definitions), {})
    variants = [one for one in found.pop("anyOf", []) if one != {"type": "null"}]
    found = {**found, **(variants[0] if len(variants) == 1 else {"anyOf": variants} if variants else {})}
    description = found.pop("description", None)
    return {**({"description": description} if description else {}), "schema": found}


def _resolved(value: Any, definitions: Mapping[str, Schema]) -> Any:
    if isinstance(value, list):
        return [_resolved(one, definitions) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _resolved(one, definitions) for name, one in value.items() if name != "$ref"}
    if "$ref" not in value:
        return inner
    return {**_resolved(definitions[value["$ref"].rpartition("/")[2]], definitions), **inner}


def short(name: str) -> str:
    """`One_Tag_` is OneTag."""
    long = _LONG.fullmatch(name)
    spelled = f"{long[1].title()}{long[2]}" if long else name
    return re.sub(r"_+", "", spelled)


def _tidy(value: Any, names: Mapping[str, str], *, inside: bool = False) -> Any:
    """Without titles and without `default: null`; references by the components' names. `inside` of `properties`,
    members are names rather than keywords.
    """
    if isinstance(value, list):
        return [_tidy(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if not inside and (name == "title" or (name == "default" and one is None)):
            continue
        if not inside and name == "$ref":
            bare = one.removeprefix(COMPONENTS)
            found[name] = COMPONENTS + names.get(bare, bare)
        else:
            found[name] = _tidy(one, names, inside=name == "properties" and not inside)
    return found
