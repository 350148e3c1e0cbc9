"""How commands answer: a table for people, JSON for machines; errors go to stderr and say what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

WIDE = 240
"""Characters of a line that no terminal wraps: pipes get whole rows."""


def record(values: Mapping[str, Any], *, as_json: bool) -> None:
    """One record, a line per field."""
    if as_json:
        print(json.dumps(dict(values), ensure_ascii=False))  # noqa: T201  # the answer
        return
    table = Table.grid(padding=(0, 2))
    for name, value in values.items():
        table.add_row(f"[dim]{name.replace('_', ' ')}[/dim]", _text(value))
    _console().print(table)


def records(rows: Sequence[Mapping[str, Any]], *, as_json: bool, none: str) -> None:
    """A row per record; `none` is said when there is none."""
    if as_json:
        print(json.dumps([dict(row) for row in rows], ensure_ascii=False))  # noqa: T201  # the answer
        return
    if not rows:
        _console().print(none)
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), no_wrap=True)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    _console().print(table)


def say(text: str) -> None:
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    Console(stderr=True, soft_wrap=True, emoji=False).print(text, style="red", markup=False, highlight=False)


def note(text: str) -> None:
    """To whoever watches; it is no part of the answer."""
    Console(stderr=True, soft_wrap=True, emoji=False).print(text, markup=False, highlight=False)


def moment(seconds: float) -> str:
    """Epoch seconds as UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _console() -> Console:
    """What customers have written stays as it is: `:tada:` is no picture."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=WIDE)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(", ".join(value) if isinstance(value, list) else str(value))
