"""Sizes and units, against the figures that AWS publishes."""

from __future__ import annotations

import pytest

from leadwire.store.capacity import (
    NO_INDEX,
    index_keys,
    index_units,
    item_size,
    number_size,
    read_units,
    value_size,
    write_units,
)
from leadwire.store.types import Key


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 2),
        ("世", 3),
        ("\U0001f600", 4),
        (True, 1),
        (None, 1),
        (b"\x00\x01", 2),
        (frozenset(["ab", "c"]), 3),
        ([], 3),
        ({}, 3),
        (["ab"], 3 + 1 + 2),
        ({"k": "ab"}, 3 + 1 + 1 + 2),
        ([[], {"a": [1]}], 3 + (1 + 3) + (1 + 3 + (1 + 1 + 3 + (1 + 2)))),
    ],
)
def test_a_value_has_the_size_that_the_rules_give_it(value, size):
    assert value_size(value) == size


@pytest.mark.parametrize(
    ("number", "size"),
    [(0, 1), (1, 2), (27, 2), (-27, 3), (100, 2), (123, 3), (1234, 3), (-1234, 4), (10**37, 2), (10**38 - 1, 20)],
)
def test_a_number_has_a_byte_for_two_significant_digits_one_more_and_one_for_its_sign(number, size):
    assert number_size(number) == size


def test_an_item_counts_its_names_too():
    assert item_size({"shirt-color": "R", "shirt-size": "M"}) == 12 + 11


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [
        # The examples of "DynamoDB read and write operations": gets of 3,500 bytes, 8 KB and 10 KB, the two items of a
        # batch (1.5 and 6.5 KB), a query of 40.8 KB.
        (3500, True, 1),
        (8 * 1024, True, 2),
        (8 * 1024, False, 1),
        (10 * 1024, True, 3),
        (1536, True, 1),
        (6656, True, 2),
        (41779, True, 11),
        (0, True, 1),
        (0, False, 0.5),
        (4097, False, 1),
    ],
)
def test_reads_cost_a_unit_for_four_kilobytes(size, consistent, units):
    assert read_units(size, consistent=consistent) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (500, 1), (1024, 1), (1025, 2), (2048, 2), (400 * 1024, 400)])
def test_writes_cost_a_unit_for_each_kilobyte(size, units):
    assert write_units(size) == units


KEY = Key("p", "s")
IN_ONE = {"g1pk": "a", "g1sk": "1"}


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        # "Using global secondary indexes", write capacity: new entry 1, changed key 2, removed 1, untouched 0.
        ({}, IN_ONE, 1),
        (IN_ONE, {"g1pk": "a", "g1sk": "2"}, 2),
        (IN_ONE, {"g1pk": "b", "g1sk": "1"}, 2),
        (IN_ONE, {}, 1),
        (IN_ONE, {"g1pk": "a"}, 1),
        (IN_ONE, IN_ONE, 0),
        ({}, {"g1pk": "a"}, 0),
        (IN_ONE, {"g2pk": "a", "g2sk": "1"}, 2),
        ({}, {**IN_ONE, "g2pk": "a", "g2sk": "x" * 1020}, 1 + 2),
        ({}, {}, 0),
    ],
)
def test_indexes_cost_by_what_changes_in_them(old, new, units):
    assert index_units(KEY, index_keys(old), index_keys(new)) == units


def test_an_item_in_no_index_has_no_index_keys():
    assert index_keys({"pk": "p", "sk": "s"}) == NO_INDEX
