"""Bitmaps do what sets do, and a chunk is stored in the smallest of three forms."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.leads import bitmap
from leadwire.leads.bitmap import FULL, SIZE, Bitmap, of_numbers

NUMBERS = st.sets(st.integers(0, 3 * SIZE) | st.sampled_from([0, SIZE - 1, SIZE, 2 * SIZE, 10**12]), max_size=60)


@given(NUMBERS, NUMBERS)
def test_algebra_is_that_of_sets(left: set[int], right: set[int]) -> None:
    a, b = of_numbers(left), of_numbers(right)
    assert [set(a & b), set(a | b), set(a - b)] == [left & right, left | right, left - right]
    assert (len(a), list(a)) == (len(left), sorted(left))
    assert all((number in a) == (number in left) for number in left | right)


@given(numbers=NUMBERS, offset=st.integers(0, 70), limit=st.integers(1, 70), descending=st.booleans())
def test_a_selection_is_a_slice_of_the_sorted_numbers(
    numbers: set[int], offset: int, limit: int, *, descending: bool
) -> None:
    expected = sorted(numbers, reverse=descending)
    assert list(of_numbers(numbers).numbers(descending=descending)) == expected
    assert of_numbers(numbers).select(offset, limit, descending=descending) == expected[offset : offset + limit]


@given(NUMBERS, st.integers(-5, 4 * SIZE), st.integers(-5, 4 * SIZE))
def test_bounds_are_included(numbers: set[int], low: int, high: int) -> None:
    assert set(of_numbers(numbers).between(low, high)) == {number for number in numbers if low <= number <= high}


@given(st.integers(0, FULL) | st.sampled_from([0, 1, FULL, FULL - 1, 1 << (SIZE - 1)]))
def test_a_stored_chunk_is_read_as_it_was(bits: int) -> None:
    assert bitmap.decode(bitmap.encode(bits)) == bits


@pytest.mark.parametrize("ones", [0, 1, 100, 255, 256, 257, 2000, SIZE - 256, SIZE - 255, SIZE - 1, SIZE])
def test_a_chunk_takes_two_bytes_for_each_rare_bit_and_never_more_than_its_bits(ones: int) -> None:
    bits = sum(1 << place for place in random.Random(ones).sample(range(SIZE), ones))
    stored = bitmap.encode(bits)
    assert len(stored) == 1 + min(2 * ones, 2 * (SIZE - ones), SIZE // 8)
    assert bitmap.decode(stored) == bits


def test_an_empty_bitmap_is_no_number() -> None:
    assert (len(Bitmap()), list(Bitmap()), Bitmap().select(0, 5, descending=True)) == (0, [], [])
