"""Files and functions stay small enough to be read: the hard stops. (The aim: functions of 30 lines, files of 250.)"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 400
FUNCTION_LINES = 50
DOOR_LINES = 30
SOURCES = sorted(
    path
    for folder in ("layers/core/python", "functions", "local", "cli", "docs", "bench", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
DOORS = sorted(ROOT.glob("functions/*/app.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines, decorators and docstring included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, (node.end_lineno or first) - first + 1


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_and_its_functions_are_short_enough(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES
    assert [(function, lines) for function, lines in functions(path) if lines > FUNCTION_LINES] == []


@pytest.mark.parametrize("path", DOORS, ids=name)
def test_a_functions_door_only_says_what_it_opens(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= DOOR_LINES
