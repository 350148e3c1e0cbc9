"""Field types that all dialects share: they check, and name what is wrong, but know no dialect's words.

Those of e-mail addresses and phones: contacts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from leadwire.leads import model

CONTROL = model.CONTROL
UUID = r"^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"
ONE_LINE = r"^[\t-\r ]*[^\x00-\x1f\x7f]*[\t-\r ]*$"
FILLED_LINE = r"^[\t-\r ]*[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*[\t-\r ]*$"
"""What `_line` takes, before white space is stripped: as the published documents say it."""


def published(**keywords: Any) -> FieldInfo:
    """JSON Schema of what a type's own code checks, or of a text that we make: `enum`, `format`, `pattern` …"""
    return cast(FieldInfo, Field(json_schema_extra=keywords))


@dataclass(frozen=True, slots=True)
class Moment:
    """An ISO 8601 date or date-time: as it was sent, and in epoch milliseconds. In a query string it is text."""

    text: str
    ms: int

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(max_length=64, strip_whitespace=True)
        shown = core_schema.to_string_ser_schema()
        return core_schema.no_info_after_validator_function(cls.read, text, serialization=shown)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "anyOf": [{"format": "date-time"}, {"format": "date"}]}

    @classmethod
    def read(cls, text: str) -> Self:
        """A date is its midnight, no zone is UTC; a `+` that a URL made a space still counts. Raises ValueError.

        What lies before 1970 counts as its first moment: nothing that we know is older.
        """
        try:
            moment = datetime.fromisoformat(text.replace(" ", "+"))
            aware = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # the latter for what a zone moves out of the years 1 to 9999
            raise ValueError("must be an ISO 8601 date or date-time") from None
        return cls(text, max(0, int(aware.timestamp() * 1000)))

    def __str__(self) -> str:
        return self.text


def _line(text: str) -> str:
    if CONTROL.search(text):
        raise ValueError("must not contain control characters")
    if len(text.encode()) > model.LINE_BYTES:
        raise ValueError(f"must not be longer than {model.LINE_BYTES} bytes")
    return " ".join(text.split())


def _open_map(value: dict[str, Any]) -> dict[str, Any]:
    problem = model.open_map_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def _at_most(characters: int) -> BeforeValidator:
    """As sent, with the white space around it: that is what the documents' maxLength says."""

    def check(value: object) -> object:
        if isinstance(value, str) and len(value) > characters:
            raise PydanticKnownError("string_too_long", {"max_length": characters})
        return value

    return BeforeValidator(check)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Lets a body's integer be spelled `8.0`: to JSON and to JSON Schema that is the same number."""
Line = Annotated[
    str,
    StringConstraints(max_length=model.NAME_LIMIT),
    _at_most(model.NAME_LIMIT),
    AfterValidator(_line),
    published(pattern=ONE_LINE),
]
"""One line of text; runs of white space become one space."""
FilledLine = Annotated[
    str,
    StringConstraints(min_length=1, max_length=model.NAME_LIMIT, strip_whitespace=True),
    _at_most(model.NAME_LIMIT),
    AfterValidator(_line),
    published(pattern=FILLED_LINE),
]
Text = Annotated[str, StringConstraints(max_length=model.TEXT_LIMIT)]
OpenMap = Annotated[dict[str, Any], AfterValidator(_open_map)]
Uuid = Annotated[str, StringConstraints(pattern=UUID, to_lower=True)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=1000), published(format="iri", pattern="^https?://")]
"""Where webhooks go: https, and http too where settings.py opens private targets. webhooks/guard.py checks the rest."""
Tag = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    _at_most(100),
    AfterValidator(_line),
    published(pattern=FILLED_LINE),
]


def unsent(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of a body that changes only what is sent: what is not sent has no default."""
    for one in schema["properties"].values():
        one.pop("default", None)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are neither None nor empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
