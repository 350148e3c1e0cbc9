"""The rows that were refused, as a file to correct and import again: the reason first, then the row as it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from leadwire.leads.files.log import Refusal

from . import source
from .columns import ERRORS
from .outgoing import appearing
from .source import Record, Source


def beside(path: Path) -> Path:
    """Where the refused rows of a file go: leads.errors.csv beside leads.csv."""
    return path.with_name(f"{path.stem}.errors{path.suffix}")


def write(path: Path, of: Source, refusals: Iterable[Refusal]) -> None:
    """In the file's own encoding, so that the same options import it.

    Both the file and the refusals are in the order of rows: one pass, nothing held.
    """
    with appearing(path, of.encoding if of.format == "csv" else "utf-8") as file:
        found = _joined(source.records(of), refusals)
        if of.format == "jsonl":
            file.writelines(f"{_line(record, refusal)}\n" for record, refusal in found)
            return
        rows = csv.writer(file, delimiter=of.delimiter)
        rows.writerow([*ERRORS, *source.header(of)])
        rows.writerows([refusal.row, refusal.field, refusal.message, *record.raw] for record, refusal in found)


def _joined(records: Iterable[Record], refusals: Iterable[Refusal]) -> Iterator[tuple[Record, Refusal]]:
    waiting = iter(refusals)
    refusal = next(waiting, None)
    for record in records:
        if refusal and record.number == refusal.row:
            yield record, refusal
            refusal = next(waiting, None)


def _line(record: Record, refusal: Refusal) -> str:
    """A line that is no object stands in `import_line`, as text."""
    reason = dict(zip(ERRORS, (refusal.row, refusal.field, refusal.message), strict=True))
    own = {"import_line": record.raw[0]} if record.problem else record.values
    return json.dumps({**reason, **own}, ensure_ascii=False)
