"""Files as records: encodings, delimiters, quotes, empty lines, and what cannot be read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.files import source
from cli.files.source import Record, WrongFile


def records(path: Path, encoding: str = "utf-8") -> list[Record]:
    return list(source.records(source.opened(path, None, encoding)))


def written(folder: Path, content: str | bytes, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_parts_the_header(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path, f'"Name, all"{delimiter}Email\n"Lee; Ann"{delimiter}a@b.co\n')
    assert [record.values for record in records(path)] == [{"Name, all": "Lee; Ann", "Email": "a@b.co"}]


def test_a_file_of_one_column_is_read(tmp_path: Path) -> None:
    assert [record.values for record in records(written(tmp_path, "Email\r\na@b.co\r\n"))] == [{"Email": "a@b.co"}]


def test_rows_are_counted_as_spreadsheets_do(tmp_path: Path) -> None:
    """The header is the first, empty ones count, and a quoted newline does not."""
    path = written(tmp_path, 'Name,Notes\nAnn,"two\nlines"\n\n , \nBob,x\n')
    assert [(record.number, record.values["Name"]) for record in records(path)] == [(2, "Ann"), (5, "Bob")]


def test_too_many_and_too_few_cells_are_the_problem_of_their_row(tmp_path: Path) -> None:
    path = written(tmp_path, "Name,Email\nAnn\nBob,b@b.co,more\nCid,c@b.co\n")
    problems = ["has 1 cells, and the header 2", "has 3 cells, and the header 2", ""]
    assert [record.problem for record in records(path)] == problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_read_in_the_encoding_that_is_named(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "Näme,Größe\nJosé,5\n".encode(encoding))
    named = "utf-8" if encoding == "utf-8-sig" else encoding
    assert [record.values for record in records(path, named)] == [{"Näme": "José", "Größe": "5"}]


def test_another_encoding_is_an_error_that_names_the_line_and_the_option(tmp_path: Path) -> None:
    path = written(tmp_path, "Name\nAnn\nJosé\n".encode("cp1252"))
    with pytest.raises(WrongFile, match=r"Line 3 .* is not utf-8: .*--encoding cp1252"):
        records(path)


def test_utf_16_is_recognized(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match="say --encoding utf-16"):
        records(written(tmp_path, "Name\nAnn\n".encode("utf-16")))


@pytest.mark.parametrize("content", ['Name,Notes\nAnn,"open\nBob,x\n', 'Name,Notes\nAnn,"a"b\n'])
def test_a_quote_that_is_not_closed_or_doubled_is_an_error_of_the_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(WrongFile, match=r"row 2.*quote"):
        records(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), ("\n\n", "is empty"), ("Phone,Phone\n1,2\n", "more than one column Phone")],
)
def test_a_header_that_names_nothing_or_twice_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(WrongFile, match=message):
        records(written(tmp_path, content))


def test_columns_without_a_name_are_called_by_their_place(tmp_path: Path) -> None:
    assert list(records(written(tmp_path, "Name,,\nAnn,,x\n"))[0].values) == ["Name", "column 2", "column 3"]


def test_what_is_no_file_and_no_encoding_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match="no file"):
        source.opened(tmp_path / "x.csv", None, "utf-8")
    with pytest.raises(WrongFile, match="is a folder"):
        source.opened(tmp_path, None, "utf-8")
    for encoding in ("utf-9", "base64", "undefined"):
        with pytest.raises(WrongFile, match=f"No encoding is called {encoding}"):
            source.opened(written(tmp_path, "Name\n"), None, encoding)


def test_a_scan_tells_columns_which_of_them_are_used_and_how_many_records(tmp_path: Path) -> None:
    scan = source.scan(source.opened(written(tmp_path, "Name,Fax\nAnn,\n\nBob,\n"), None, "utf-8"))
    assert (scan.columns, scan.records) == ({"Name": True, "Fax": False}, 2)


def test_json_lines_are_objects_and_others_are_the_problem_of_their_line(tmp_path: Path) -> None:
    lines = '{"name": "Ann\u2028Lee", "tags": ["a"]}\n\n[1]\n{"name": \n{"score": NaN}\n{"zip": 1}\n'
    path = written(tmp_path, lines, "leads.jsonl")
    found = records(path)
    assert [(record.number, bool(record.problem)) for record in found] == [
        (1, False),
        (3, True),
        (4, True),
        (5, True),
        (6, False),
    ]
    assert found[0].values == {"name": "Ann\u2028Lee", "tags": ["a"]}
    assert list(source.scan(source.opened(path, None, "utf-8")).columns) == ["name", "tags", "zip"]


CELLS = st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=3, max_size=3), max_size=6)


@given(CELLS, st.sampled_from(",;\t"))
def test_any_table_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["a", "b", "c"], *table])
    path = written(tmp_path_factory.mktemp("any"), text.getvalue())
    assert [[*record.values.values()] for record in records(path)] == [
        row for row in table if any(cell and not cell.isspace() for cell in row)
    ]
