"""Cells of CSV: what a spreadsheet would calculate is text, and several values in one cell come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.files import cells

SIGNS = st.text(st.sampled_from("'=+-@\t\r;, \"ab1."), max_size=12)


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1-2", "-cmd", "\tx", "\rx", "+", "=HYPERLINK(1)", "'=1"])
def test_what_a_spreadsheet_would_calculate_gets_an_apostrophe(text: str) -> None:
    assert cells.safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+14155552671", "-5", "+1.5", "Ann", "O'Hara", "'tis", "a=b", ""])
def test_phones_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert cells.safe(text) == text


@given(SIGNS | st.text())
@example("''=1")
def test_any_text_comes_back_from_its_cell(text: str) -> None:
    assert cells.plain(cells.safe(text)) == text


@given(st.lists((SIGNS | st.text(max_size=5)).map(lambda text: " ".join(text.split())).filter(bool), max_size=5))
def test_any_values_come_back_from_one_cell(values: list[str]) -> None:
    assert cells.parted(cells.joined(values)) == values


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("vip", ["vip"]),
        ("vip, hot", ["vip", "hot"]),
        ("vip;hot ;", ["vip", "hot"]),
        (' "a, b" ; c', ["a, b", "c"]),
        ('6" pipe, x', ['6" pipe', "x"]),
        (",;", []),
    ],
)
def test_other_programs_part_values_by_commas_or_semicolons(cell: str, values: list[str]) -> None:
    assert cells.parted(cell) == values
