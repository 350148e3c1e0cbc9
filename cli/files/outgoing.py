"""Leads as rows of CSV or as JSON Lines, into a file that appears when it is complete."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from leadwire import lists, pipelines, records, users
from leadwire.context import Ctx, iso
from leadwire.leads.model import Lead

from . import cells
from .columns import CUSTOM, GIVEN, SPELLINGS
from .rows import ADDRESS, SEVERAL

PLAIN = ("first_name", "last_name", "email", "phone", "company", "job_title", "source", "status", "notes")
COLUMNS = ("id", *(name for name in SPELLINGS if name != "name"), *GIVEN[1:])
"""Of every file, in this order; custom fields follow."""


@contextmanager
def appearing(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A file to write, which takes its place when it is complete: until then it is called `….part`."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding=encoding, errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def standard() -> Iterator[TextIO]:
    """The standard output, in UTF-8 whatever the terminal."""
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield file
    finally:
        file.detach()


@dataclass(frozen=True, slots=True)
class Words:
    """What ids of the tenant's records are called in a file."""

    lists: Mapping[str, str]
    pipelines: Mapping[int, str]
    stages: Mapping[int, str]
    users: Mapping[int, str]


def words(ctx: Ctx) -> Words:
    boards = pipelines.every(ctx)
    return Words(
        {one.id: one.name for one in lists.every(ctx)},
        {board.pipeline.id: board.pipeline.name for board in boards},
        {stage.id: stage.name for board in boards for stage in board.stages},
        {user.id: user.email for user in records.every(ctx, users.USERS)},
    )


def row(lead: Lead, words: Words) -> dict[str, Any]:
    """The lead as an object, without what is empty: the columns, and the open map as it is."""
    values = {
        "id": lead.number,
        **{name: getattr(lead, name) for name in PLAIN},
        "score": lead.score,
        "starred": lead.starred,
        "tags": list(lead.tags),
        "lists": [words.lists[id_] for id_ in lead.lists if id_ in words.lists],
        "pipeline": words.pipelines.get(lead.pipeline_id or 0),
        "stage": words.stages.get(lead.stage_id or 0),
        "assigned_to": words.users.get(lead.assigned_user_id or 0),
        **{name: lead.address.get(name) for name in ADDRESS},
        "created_at": iso(lead.created_at),
        "updated_at": iso(lead.updated_at),
        CUSTOM: lead.custom,
    }
    order = (*COLUMNS, CUSTOM)
    return {name: values[name] for name in order if values[name]}


def write_lines(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> int:
    """JSON Lines. Says how many."""
    return sum(bool(file.write(f"{json.dumps(one, ensure_ascii=False)}\n")) for one in rows)


def write_table(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> int:
    """CSV. Its first line names all columns, so the rows pass through a file of their own before. Says how many."""
    names: dict[str, None] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as kept:
        for one in rows:
            custom = {name: text for name, value in one.get(CUSTOM, {}).items() if (text := _custom(value))}
            names.update(dict.fromkeys(custom))
            kept.write(f"{json.dumps({**one, CUSTOM: custom})}\n")
        kept.seek(0)
        table = csv.writer(file)
        table.writerow([*COLUMNS, *(f"{CUSTOM}.{name}" for name in names)])
        return sum(bool(table.writerow(_cells(json.loads(line), names))) for line in kept)


def _cells(one: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    texts = [*(_cell(name, one.get(name)) for name in COLUMNS), *(one[CUSTOM].get(name, "") for name in names)]
    return map(cells.safe, texts)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in SEVERAL:
        return cells.joined(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _custom(value: Any) -> str:
    """Text as it is, anything else as JSON; nothing for what is empty."""
    if value in (None, "", [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
