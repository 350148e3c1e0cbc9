"""A file as records: CSV with any of three delimiters, or JSON Lines. It is read twice, and never held in memory."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TextIO

from .columns import CUSTOM

DELIMITERS = ",;\t"
UTF_8 = "utf-8-sig"
"""UTF-8, with or without a byte order mark."""
BLOCK = 1 << 20
EMPTY: tuple[object, ...] = (None, "", [], {})
"""No value; blanks are one, in notes and custom fields."""

Format = Literal["csv", "jsonl"]


class WrongFile(Exception):
    """The file, or what was said about it, cannot be imported as a whole. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    format: Format
    encoding: str
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `number` counts as spreadsheets do: the first one of the file is 1, empty ones count too."""

    number: int
    values: Mapping[str, Any]
    """By column."""
    raw: Sequence[str]
    """The cells of CSV; the line of JSON Lines."""
    problem: str = ""


@dataclass(slots=True)
class Scan:
    """What one look at the whole file tells."""

    digest: str
    columns: dict[str, bool] = field(default_factory=dict)
    """In their order; whether any record has a value there."""
    records: int = 0


def opened(path: Path, format_: Format | None, encoding: str) -> Source:
    """Raises WrongFile."""
    if path.is_dir():
        raise WrongFile(f"{path} is a folder, not a file.")
    if not path.is_file():
        raise WrongFile(f"There is no file {path}.")
    kind = format_ or format_of(path)
    try:
        codec = codecs.lookup(encoding).name
        "".encode(codec)  # base64 and its like are known too, and hold no text
    except (LookupError, UnicodeError) as error:
        raise WrongFile(f"No encoding is called {encoding}; say utf-8, cp1252, utf-16 …") from error
    source = Source(path, kind, UTF_8 if codec == "utf-8" else codec)
    return replace(source, delimiter=_delimiter(source)) if kind == "csv" else source


def format_of(path: Path) -> Format:
    """By its extension; CSV if that says nothing."""
    return "jsonl" if path.suffix.lower() in {".jsonl", ".ndjson"} else "csv"


def scan(source: Source) -> Scan:
    """Raises WrongFile for what cannot be read to its end."""
    found = Scan(_digest(source.path), dict.fromkeys(header(source), False) if source.format == "csv" else {})
    for record in records(source):
        found.records += 1
        for name, value in record.values.items():
            if not found.columns.get(name):
                found.columns[name] = value not in EMPTY
    return found


def header(source: Source) -> list[str]:
    """The names of the columns of CSV; those without a name are called by their place. Raises WrongFile."""
    _, cells = next(_filled(source), (0, []))
    if not cells:
        raise WrongFile(f"{source.path} is empty: its first row must name the columns.")
    names = [_name(cell, place) for place, cell in enumerate(cells, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise WrongFile(f"The header has more than one column {', '.join(twice)}: give each a name of its own.")
    return names


def _name(cell: str, place: int) -> str:
    """Names of custom fields are whatever they are."""
    return cell if cell.startswith(f"{CUSTOM}.") else cell.strip() or f"column {place}"


def records(source: Source) -> Iterator[Record]:
    """Those that are not empty, without the header. Raises WrongFile."""
    return _csv(source) if source.format == "csv" else _jsonl(source)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv(source: Source) -> Iterator[Record]:
    names = header(source)
    rows = _filled(source)
    next(rows)
    for number, cells in rows:
        problem = f"has {len(cells)} cells, and the header {len(names)}" if len(cells) != len(names) else ""
        yield Record(number, dict(zip(names, cells, strict=False)), cells, problem)


def _filled(source: Source) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its number."""
    number = 0
    with _text(source) as lines:
        reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                if any(cell and not cell.isspace() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            where = f"row {number + 1}, which ends in line {reader.line_num}"
            raise WrongFile(f"{source.path}, {where}: {error}. Is a quote not closed, or not doubled?") from error
        except UnicodeError as error:
            raise _undecodable(source) from error


def _delimiter(source: Source) -> str:
    """The one that parts the first row into the most cells."""

    def cells(sign: str) -> int:
        try:
            return len(next(_filled(replace(source, delimiter=sign)), (0, []))[1])
        except WrongFile:
            return 0

    return max(DELIMITERS, key=cells)


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def _jsonl(source: Source) -> Iterator[Record]:
    with _text(source) as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _object(number, line.strip())
        except UnicodeError as error:
            raise _undecodable(source) from error


def _object(number: int, line: str) -> Record:
    try:
        value = json.loads(line, parse_constant=_no_json)
    except ValueError as error:
        return Record(number, {}, [line], f"is not JSON: {error}")
    if not isinstance(value, dict):
        return Record(number, {}, [line], "is not a JSON object")
    return Record(number, value, [line])


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


# --- bytes ------------------------------------------------------------------------------------------------------------


def _text(source: Source) -> TextIO:
    return source.path.open(encoding=source.encoding, newline="" if source.format == "csv" else "\n")


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _undecodable(source: Source) -> WrongFile:
    encoding = "utf-8" if source.encoding == UTF_8 else source.encoding
    with source.path.open("rb") as file:
        if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            return WrongFile(f"{source.path} is UTF-16, not {encoding}: say --encoding utf-16.")
        file.seek(0)
        for number, line in enumerate(file, start=1):
            try:
                line.decode(source.encoding)
            except UnicodeError:
                hint = "CSV from Excel is mostly --encoding cp1252" if encoding == "utf-8" else "try --encoding utf-8"
                return WrongFile(f"Line {number} of {source.path} is not {encoding}: {hint}.")
    return WrongFile(f"{source.path} is not {encoding}: say --encoding …")
