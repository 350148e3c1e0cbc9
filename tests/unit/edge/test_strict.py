"""Strict requests: everything that is wrong is named at once, with the nearest right name (decision D9)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from leadwire.context import Tenant
from leadwire.dialects.contacts import AnyPhone, E164Phone
from leadwire.dialects.fields import FilledLine, Line, OpenMap, Tag, Uuid
from leadwire.edge import strict
from leadwire.edge.types import Body, QueryString
from leadwire.errors import InvalidInput, UnsupportedMediaType
from leadwire.leads import identity

TENANT = Tenant("0" * 16, "acme", b"k" * 16)


class Person(Body):
    name: FilledLine
    nickname: Line | None = None
    phone: AnyPhone | None = None
    dialled: E164Phone | None = None
    age: Annotated[int, Field(ge=0)] | None = None
    color: Literal["red", "green"] = "red"
    list_id: Uuid | None = None
    tags: list[Tag] = Field(default_factory=list)
    extra: OpenMap = Field(default_factory=dict)


class Paging(QueryString):
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    starred: bool | None = None


def parse(body: Any, kind: str = "application/json") -> Person:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return strict.parse_body(Person, raw, kind, TENANT)


def problems(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse(body)
    return [(error.path, error.message) for error in refused.value.errors]


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.api+json"])
def test_a_body_that_says_it_is_json_is_read(kind: str) -> None:
    assert parse({"name": "Ada"}, kind).name == "Ada"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_body_that_does_not_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        parse({"name": "Ada"}, kind)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"name": "\\ud800"}', b'{"name": ' + b"1" * 5000 + b"}"])
def test_what_is_not_json_is_refused_as_a_whole(raw: bytes) -> None:
    assert problems(raw) == [("", "must be valid JSON")]


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert problems(body) == [("", "must be an object")]


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({}, "name", "is required"),
        ({"name": None}, "name", "must be a string"),
        ({"name": ""}, "name", "must not be empty"),
        ({"name": "  "}, "name", "must not be empty"),
        ({"name": 7}, "name", "must be a string"),
        ({"name": "a\nb"}, "name", "must not contain control characters"),
        ({"name": "a", "nmae": 1}, "nmae", "is not a known field; did you mean name?"),
        ({"name": "a", "list": 1}, "list", "is not a known field; did you mean list_id?"),
        ({"name": "a", "Colour": 1}, "Colour", "is not a known field; did you mean color?"),
        ({"name": "a", "AGE": 1}, "AGE", "is not a known field; did you mean age?"),
        ({"name": "a", "zzz": 1}, "zzz", "is not a known field"),
        ({"name": "a", "": 1}, "", "is not a known field"),
        ({"name": "a", "age": "7"}, "age", "must be an integer"),
        ({"name": "a", "age": 1.0}, "age", "must be an integer"),
        ({"name": "a", "age": True}, "age", "must be an integer"),
        ({"name": "a", "age": -1}, "age", "should be greater than or equal to 0"),
        ({"name": "a", "color": "blue"}, "color", "must be 'red' or 'green'"),
        ({"name": "a", "tags": "x"}, "tags", "must be an array"),
        ({"name": "a", "tags": ["x", ""]}, "tags.1", "must not be empty"),
        ({"name": "a", "extra": []}, "extra", "must be an object"),
        ({"name": "a", "phone": "12"}, "phone", identity.NOT_A_PHONE),
        ({"name": "a", "phone": "call me"}, "phone", identity.NOT_A_PHONE),
        ({"name": "a", "dialled": "+999123456789"}, "dialled", identity.NOT_A_PHONE),
        ({"name": "a", "dialled": "04155551234"}, "dialled", r"should match pattern '^\+[1-9]\d{8,14}$'"),
    ],
)
def test_each_mistake_is_named(body: dict[str, Any], path: str, message: str) -> None:
    assert (path, message) in problems(body)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = {"age": "x", "color": "blue", "nmae": "Ada"}
    assert sorted(path for path, _ in problems(wrong)) == ["age", "color", "name", "nmae"]


def test_surrounding_space_is_cut_and_inner_space_is_one() -> None:
    assert parse({"name": "  Ada   Lovelace "}).name == "Ada Lovelace"


def test_a_uuid_is_kept_in_small_letters() -> None:
    text = "3C90C3CC-0d44-4b50-8888-8dd25736052a"
    assert parse({"name": "a", "list_id": text}).list_id == text.lower()


@given(value=st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=30))
def test_the_value_that_an_error_repeats_is_json_and_at_most_a_line(value: Any) -> None:
    """The bug: NaN, which JSON parsers accept, came back in the error's body, which was then no JSON."""
    try:
        raw = json.dumps({"name": [value]}).encode()
    except UnicodeEncodeError:
        return
    with pytest.raises(InvalidInput) as refused:
        parse(raw)
    for error in refused.value.errors:
        assert len(json.dumps(error.value, allow_nan=False, ensure_ascii=False)) <= 2 * strict.LINE


def test_a_missing_fields_error_repeats_nothing() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse({"nickname": "secret"})
    assert refused.value.errors[0].value is None


# --- query strings ----------------------------------------------------------------------------------------------------


def test_query_values_are_converted() -> None:
    read = strict.parse_query(Paging, {"limit": ["20"], "starred": ["true"]})
    assert (read.limit, read.starred) == (20, True)


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ({"limt": ["1"]}, "limt", "is not a known field; did you mean limit?"),
        ({"limit": ["x"]}, "limit", "must be an integer"),
        ({"limit": ["0"]}, "limit", "should be greater than or equal to 1"),
        ({"limit": ["1", "2"]}, "limit", "must be given once"),
        ({"starred": ["maybe"]}, "starred", "must be true or false"),
        ({"limit": [""]}, "limit", "must be an integer"),
    ],
)
def test_each_mistake_in_a_query_is_named(query: dict[str, list[str]], path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        strict.parse_query(Paging, query)
    assert [(error.path, error.message) for error in refused.value.errors] == [(path, message)]


def test_a_parameter_that_is_given_twice_is_named_once_beside_the_others_that_are_wrong() -> None:
    with pytest.raises(InvalidInput) as refused:
        strict.parse_query(Paging, {"limit": ["x", "2"], "colour": ["blue"]})
    found = [(error.path, error.message) for error in refused.value.errors]
    assert found == [("limit", "must be given once"), ("colour", "is not a known field")]
