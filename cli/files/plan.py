"""What is to become of a file: everything that a command says about it, and the id that follows from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadwire.context import Ctx
from leadwire.leads.files.log import Refusal
from leadwire.leads.files.rows import Duplicates, Row

from . import mapping, rows, source
from .mapping import Column
from .names import Names
from .rows import FileRow
from .source import Format, Scan, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of a command."""

    mapped: Sequence[str]
    duplicates: Duplicates
    into: str
    """Name or id of the list that all leads join; empty for none."""
    tags: Sequence[str]
    status: str
    source: str
    encoding: str
    format: Format | None


@dataclass(frozen=True, slots=True)
class Plan:
    file: Source
    scan: Scan
    targets: Mapping[str, str]
    """Column to field."""
    wanted: Wanted
    for_all: FileRow
    """What the options give every row."""

    def rows(self, names: Names, after: int = 0) -> Iterator[Row | Refusal]:
        """Those that follow this row, as leads or with what is wrong with them."""
        records = (record for record in source.records(self.file) if record.number > after)
        return rows.read(records, self.targets, self.file.format, names, rows.defaults(self.for_all, names))


def made(path: Path, wanted: Wanted) -> Plan:
    """Looks at the whole file once. Raises WrongFile."""
    for_all = rows.for_all(wanted.into, wanted.tags, wanted.status, wanted.source)
    file = source.opened(path, wanted.format, wanted.encoding)
    scan = source.scan(file)
    columns = [Column(name, used) for name, used in scan.columns.items()]
    targets = mapping.resolved(columns, mapping.asked(wanted.mapped), objects=file.format == "jsonl")
    return Plan(file, scan, targets, wanted, for_all)


def import_id(ctx: Ctx, plan: Plan, generation: int) -> str:
    """The same for the same file, read and treated in the same way, in the same tenant.

    A file whose import was undone can be imported again: as the next generation.
    """
    wanted = plan.wanted
    options = [wanted.duplicates, wanted.into, [*wanted.tags], wanted.status, wanted.source]
    treated = [ctx.tenant.id, generation, plan.scan.digest, plan.file.encoding, [*plan.targets.items()], options]
    return f"imp_{hashlib.sha256(json.dumps(treated).encode()).hexdigest()[:16]}"
