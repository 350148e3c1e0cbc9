"""The page of the table is true: every key is on it, and every tenant's key begins with the tenant's prefix."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from leadwire import keys
from leadwire.store.types import Key

TENANT = "0123456789abcdef"
OUTSIDE = {"api_key": "KEY#", "slug": "SLUG#", "tenants": "TENANTS", "due": "DUE#", "health": "HEALTH"}
"""The keys that are no tenant's, as the docstring of keys.py names them."""


def makes_a_key(name: str, function: Callable[..., Any]) -> bool:
    """The others make parts of sort keys, and know no tenant."""
    signature = inspect.signature(function)
    return name in OUTSIDE or "tenant" in signature.parameters or signature.return_annotation == "Key"


MAKERS = {
    name: function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if not name.startswith("_") and name != "tenant_prefix" and makes_a_key(name, function)
}


def partition(name: str) -> str:
    """The partition key that the function makes of plain arguments."""
    function = MAKERS[name]
    parameters = inspect.signature(function).parameters.values()
    arguments = [TENANT if one.name == "tenant" else 1 if one.annotation == "int" else "x" for one in parameters]
    made = function(*arguments)
    return made.pk if isinstance(made, Key) else str(made)


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - OUTSIDE.keys()))
def test_a_tenants_key_begins_with_its_prefix(name: str) -> None:
    assert partition(name).startswith(keys.tenant_prefix(TENANT))


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_keys_outside_of_tenants_are_those_that_are_named(name: str) -> None:
    assert partition(name).startswith(OUTSIDE[name])


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_table_on_one_page_shows_every_key(name: str) -> None:
    word = re.match(r"[A-Z]+", partition(name).removeprefix(keys.tenant_prefix(TENANT)))
    assert word
    rows = [line for line in str(keys.__doc__).splitlines() if line.startswith("| ")]
    assert any(re.search(rf"[ #]{word[0]}\b", row) for row in rows)


def test_the_prefix_of_one_tenant_does_not_begin_anothers() -> None:
    """Ids have one length and the prefix ends in a separator."""
    assert not keys.tenant_prefix("ab").startswith(keys.tenant_prefix("a"))


def test_numbers_sort_as_numbers() -> None:
    assert sorted(map(keys.numbered, [10, 9, 100, 1])) == list(map(keys.numbered, [1, 9, 10, 100]))


def test_a_shorter_value_sorts_before_a_longer_one_that_begins_with_it() -> None:
    assert keys.lead_sort_value("ann", 9) < keys.lead_sort_value("ann b", 1)
    assert keys.lead_sort_value("ann", 9) < keys.lead_sort_value("ann", 10)


def test_attempts_sort_in_their_order() -> None:
    made = [keys.attempt(TENANT, "d", number).sk for number in range(1, 1001)]
    assert made == sorted(made)


def test_index_attributes_are_named_by_their_index() -> None:
    assert keys.indexed(g1=("p", "s"), g6=("q", "t")) == {"g1pk": "p", "g1sk": "s", "g6pk": "q", "g6sk": "t"}
