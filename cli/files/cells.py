"""Cells of CSV: several values in one, and text that a spreadsheet would take for a formula.

A cell that begins with = + - @, a tab or a return may be a formula to a spreadsheet (OWASP, "CSV Injection"). Such text
gets an apostrophe in front, which `plain` takes away again. Numbers and E.164 phones calculate nothing and stay as they
are: `+14155552671`, `-5`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]\d+(\.\d+)?")
_PROTECTED = re.compile(r"'+[=+\-@\t\r]")
_VALUE = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=[;,]|$)|([^;,]*))(?:[;,]|$)')


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet calculates. `plain` is its inverse."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain(cell: str) -> str:
    """The text of a cell; one that another program has protected in the same way is freed too."""
    return cell[1:] if _PROTECTED.match(cell) else cell


def joined(values: Iterable[str]) -> str:
    """Several values as one cell: `vip; spring fair`. Those with a separator, a quote or outer blanks are quoted."""
    return "; ".join(map(_quoted, values))


def parted(cell: str) -> list[str]:
    """The values of a cell, parted by semicolons or commas; empty ones are left out."""
    found = (quoted.replace('""', '"') if quoted else bare.strip() for quoted, bare in _VALUE.findall(cell))
    return [value for value in found if value]


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if re.search(r'[;,"]', value) or value != value.strip() else value
