"""How far each import of a file has come, and what each of its steps made: kept for 30 days.

    t#FILE / id       the import: the last row that is behind it, and the counts
    t#ROWS#log / row  a step: the leads that it made or changed, and the rows that it refused

Both are written in the transaction of the step's leads, on condition that the import still stood where it was read. So
an import that is started again, after whatever end, goes on exactly where it stands; two that run at once do nothing
twice; and what an import made can be told, and undone, whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from leadwire import keys
from leadwire.context import Ctx
from leadwire.errors import Conflict, NotFound
from leadwire.store.types import (
    ABSENT,
    Compare,
    Condition,
    ConditionFailed,
    Item,
    Key,
    Put,
    Query,
    TransactWrite,
    Update,
    all_of,
    any_of,
    equals,
)

KEPT = 30 * 24 * 3600
"""Seconds for which an import is remembered, and can be undone."""

_ID = re.compile(r"imp_[0-9a-f]{16}")

type State = Literal["running", "done", "undoing", "undone"]

SUPERSEDED: Mapping[State | None, str] = {
    "done": "Another run has completed the import",
    "undoing": "The import is being undone",
    "undone": "The import was undone already",
}
"""What is in the way, by the state in which an import was found."""


class Superseded(Conflict):
    """Another run of the same import is at work, or its undoing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the row of this number was not stored; `field` is empty if it is the row as a whole."""

    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """The import of one file. Times are epoch milliseconds; rows are counted as spreadsheets do, the header is one."""

    id: str
    """`imp_` and 16 hex digits, which the caller makes of the file and of what is to become of it."""
    log: str
    """Names the partition of its steps."""
    name: str
    """Of the file, for people."""
    rows: int
    """How many there are to be stored."""
    state: State = "running"
    position: int = 0
    """The last row that is behind us."""
    created: int = 0
    merged: int = 0
    skipped: int = 0
    refused: int = 0
    created_at: int
    updated_at: int

    @property
    def settled(self) -> int:
        """Rows of which it is known what became of them."""
        return self.created + self.merged + self.skipped + self.refused


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction of an import did: numbers of leads, and the rows that were refused on the way."""

    made: Sequence[int] = ()
    changed: Sequence[int] = ()
    refusals: Sequence[Refusal] = ()


# --- reads ------------------------------------------------------------------------------------------------------------


def find(ctx: Ctx, import_id: str) -> FileImport:
    """Raises NotFound, also for one that is no longer kept."""
    item = ctx.table.get(_key(ctx, import_id)) if _ID.fullmatch(import_id) else None
    if item is None or item["expires_at"] <= ctx.now_ms() // 1000:
        raise NotFound("import")
    return _of_item(item)


def every(ctx: Ctx) -> list[FileImport]:
    """All imports that are kept, the newest first: one query."""
    found = ctx.table.query_all(Query(keys.file_imports(ctx.tenant.id), consistent=True))
    kept = [_of_item(item) for item in found if item["expires_at"] > ctx.now_ms() // 1000]
    return sorted(kept, key=lambda one: one.created_at, reverse=True)


def steps(ctx: Ctx, one: FileImport) -> Iterator[Step]:
    """What its steps did, in the order of the rows."""
    for item in ctx.table.query_all(Query(keys.file_import_steps(ctx.tenant.id, one.log), consistent=True)):
        yield Step(item["made"], item["changed"], [Refusal(*refusal) for refusal in item["refusals"]])


def refusals(ctx: Ctx, one: FileImport) -> Iterator[Refusal]:
    """The rows that were not stored, in their order."""
    for step in steps(ctx, one):
        yield from step.refusals


# --- writes -----------------------------------------------------------------------------------------------------------


def begin(ctx: Ctx, import_id: str, name: str, rows: int) -> FileImport:
    """A new import, or the one of this id as it stands."""
    now = ctx.now_ms()
    one = FileImport(id=import_id, log=ctx.ulid(), name=name, rows=rows, created_at=now, updated_at=now)
    try:
        ctx.table.write(Put(_item(ctx, one), any_of(ABSENT, _expired(ctx))))
    except ConditionFailed:
        return find(ctx, import_id)
    return one


def progress(ctx: Ctx, before: FileImport, after: FileImport, step: Step) -> list[TransactWrite]:
    """The writes of a step; the first of them is refused if another run was faster."""
    counts = {name: getattr(after, name) for name in ("position", "created", "merged", "skipped", "refused")}
    still = all_of(equals("position", before.position), equals("state", "running"))
    moved = Update(_key(ctx, before.id), set={**counts, "updated_at": ctx.now_ms()}, condition=still)
    return [moved, *_step(ctx, after, step)]


def move(ctx: Ctx, one: FileImport, state: State, *allowed: State) -> FileImport:
    """The import in its next state. Raises Superseded if it is in none of those that are allowed before."""
    now = ctx.now_ms()
    before = any_of(*(equals("state", one_of) for one_of in allowed))
    try:
        ctx.table.write(Update(_key(ctx, one.id), set={"state": state, "updated_at": now}, condition=before))
    except ConditionFailed as refused:
        found: State | None = refused.item["state"] if refused.item else None
        raise Superseded(SUPERSEDED.get(found, "The import is no longer kept")) from refused
    return replace(one, state=state, updated_at=now)


# --- items ------------------------------------------------------------------------------------------------------------


def _key(ctx: Ctx, import_id: str) -> Key:
    return Key(keys.file_imports(ctx.tenant.id), import_id)


def _expired(ctx: Ctx) -> Condition:
    return Compare("expires_at", "<=", ctx.now_ms() // 1000)


def _item(ctx: Ctx, one: FileImport) -> Item:
    key = _key(ctx, one.id)
    values: dict[str, Any] = {f.name: getattr(one, f.name) for f in fields(FileImport)}
    return {"pk": key.pk, "sk": key.sk, **values, "expires_at": one.created_at // 1000 + KEPT}


def _of_item(item: Item) -> FileImport:
    return FileImport(**{f.name: item[f.name] for f in fields(FileImport)})


def _step(ctx: Ctx, one: FileImport, step: Step) -> list[Put]:
    """The record of the step that ended at the import's position; none if there is nothing to tell."""
    if not (step.made or step.changed or step.refusals):
        return []
    told = {
        "made": step.made,
        "changed": step.changed,
        "refusals": [(r.row, r.field, r.message) for r in step.refusals],
    }
    key = {"pk": keys.file_import_steps(ctx.tenant.id, one.log), "sk": keys.numbered(one.position)}
    return [Put({**key, **told, "expires_at": one.created_at // 1000 + KEPT})]
