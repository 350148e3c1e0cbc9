"""Which field each column of a file becomes. What is not beyond doubt is an error that says what to type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import columns
from .columns import CUSTOM
from .source import WrongFile

IGNORED = "-"
"""What `--map` calls a column that is left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. `used` is whether any row has a value in it."""

    name: str
    used: bool


def asked(words: Iterable[str]) -> dict[str, str]:
    """Column to field, from `--map "Work phone=phone"`. Raises WrongFile."""
    found = {}
    for word in words:
        column, sign, field = (part.strip() for part in word.rpartition("="))
        if not sign or not column:
            raise WrongFile(f'--map "{word}" has no column and field: say --map "Work phone=phone"')
        found[column] = field
    return found


def resolved(columns_: Sequence[Column], wanted: Mapping[str, str], *, objects: bool) -> dict[str, str]:
    """Column to field, for those that are imported. `objects`: a column `custom` may hold the whole open map (JSON).

    Raises WrongFile with everything that is not clear.
    """
    problems = [*_unknown_words(columns_, wanted)]
    targets: dict[str, str] = {}
    for column in columns_:
        field = wanted.get(column.name) or _found(column, objects=objects)
        if field is None:
            problems.append(_nobody_knows(column.name))
        elif field != IGNORED:
            targets[column.name] = field
    problems += _conflicts(targets)
    if not targets and not problems and any(column.used for column in columns_):
        problems.append("No column is imported.")
    if problems:
        raise WrongFile("\n".join(problems))
    return targets


def _found(column: Column, *, objects: bool) -> str | None:
    if not column.used or columns.plain(column.name) in columns.LEFT_OUT:
        return IGNORED
    if column.name.startswith(f"{CUSTOM}.") or (objects and column.name == CUSTOM):
        return column.name
    return columns.field_of(column.name)


def _unknown_words(columns_: Sequence[Column], wanted: Mapping[str, str]) -> Iterable[str]:
    names = [column.name for column in columns_]
    for column, field in wanted.items():
        if column not in names:
            yield f'--map "{column}={field}": there is no column "{column}". The file has: {", ".join(names)}.'
        if field != IGNORED and not columns.is_field(field):
            known = ", ".join((*columns.SPELLINGS, f"{CUSTOM}.<name>"))
            yield f'--map "{column}={field}": there is no field {field}. Fields: {known}; - ignores the column.'


def _nobody_knows(name: str) -> str:
    guess = columns.guess(name)
    perhaps = f" Perhaps it is {guess}." if guess else ""
    choices = [*([guess] if guess else []), own(name), IGNORED]
    return f'No field is known for the column "{name}".{perhaps} Say one of:\n{_choices(name, choices)}'


def _conflicts(targets: Mapping[str, str]) -> Iterable[str]:
    by_field: dict[str, list[str]] = {}
    for column, field in targets.items():
        by_field.setdefault(field, []).append(column)
    for field, names in by_field.items():
        if len(names) > 1:
            yield _ambiguous(field, names)
    parts = [column for field in ("first_name", "last_name") for column in by_field.get(field, ())]
    if parts and "name" in by_field:
        yield _ambiguous("name", [*parts, *by_field["name"]])


def _ambiguous(field: str, names: Sequence[str]) -> str:
    quoted = " and ".join(f'"{name}"' for name in names)
    others = "\n".join(_choices(name, [own(name), IGNORED]) for name in names)
    return f"More than one column would be the {field}: {quoted}. Keep one as it is, and say for each other:\n{others}"


def _choices(name: str, fields: Sequence[str]) -> str:
    return "   " + "   or   ".join(f'--map "{name}={field}"' for field in fields)


def own(name: str) -> str:
    """A custom field that is called like the column."""
    return f"{CUSTOM}.{re.sub(r'[^a-z0-9]+', '_', name.casefold()).strip('_') or 'column'}"
