"""What the small resources of a tenant share: a number of their own (D4), one partition per kind, a version.

Pipelines, stages, users, forms, automations and integrations are read as a whole kind in one query. Every change is
conditional on the version that it was decided on, and starts again if somebody else was faster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from . import keys
from .context import Ctx
from .errors import FieldError, InvalidInput, NotFound, Unready
from .json_text import json_text
from .store.types import (
    ABSENT,
    PRESENT,
    Check,
    Delete,
    Item,
    Key,
    Put,
    Query,
    TransactionFailed,
    TransactWrite,
    Update,
    any_of,
    equals,
)

ATTEMPTS = 10


class Overtaken(Exception):
    """Another request changed the record first. Read again and decide again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """Base of the records. `id` 0 means not stored yet; times are epoch milliseconds."""

    id: int = 0
    version: int = 0
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class Kind[Record: Numbered]:
    """A kind of record: its name in errors and of its counter, its partition, its class."""

    name: str
    partition: Callable[[str], str]
    record: type[Record]
    texts: frozenset[str] = frozenset()
    """Fields that are stored as JSON text: open structures, whose numbers need not be integers."""


# --- reads ------------------------------------------------------------------------------------------------------------


def every[Record: Numbered](ctx: Ctx, kind: Kind[Record]) -> list[Record]:
    """All records of the kind by number: one query."""
    items = ctx.table.query_all(Query(kind.partition(ctx.tenant.id), consistent=True))
    return [of_item(kind, item) for item in items]


def find[Record: Numbered](ctx: Ctx, kind: Kind[Record], number: int | None) -> Record:
    """Raises NotFound, also for None (an id that is no number)."""
    item = ctx.table.get(_key(ctx.tenant.id, kind, number)) if number else None
    if item is None:
        raise NotFound(kind.name)
    return of_item(kind, item)


# --- writes, for transactions -----------------------------------------------------------------------------------------


def draw(ctx: Ctx, kind: str, count: int = 1) -> tuple[int, Update]:
    """The first of the next `count` numbers of a kind, and the write that takes them, for the same transaction."""
    key = keys.counter(ctx.tenant.id, kind)
    item = ctx.table.get(key)
    value = item["value"] if item else 0
    unmoved = equals("value", value) if item else ABSENT
    return value + 1, Update(key, set={"value": value + count}, condition=unmoved)


def first[Record: Numbered](draft: Record, now_ms: int) -> Record:
    """The first version of a record that has its number."""
    return replace(draft, version=1, created_at=now_ms, updated_at=now_ms)


def addition[Record: Numbered](ctx: Ctx, kind: Kind[Record], record: Record) -> Put:
    return Put(to_item(ctx.tenant.id, kind, record), ABSENT)


def revised[Record: Numbered](ctx: Ctx, before: Record, wanted: Record) -> Record:
    """The next version of a record."""
    return replace(wanted, version=before.version + 1, updated_at=max(ctx.now_ms(), before.updated_at))


def revision[Record: Numbered](ctx: Ctx, kind: Kind[Record], before: Record, after: Record) -> Put:
    return Put(to_item(ctx.tenant.id, kind, after), equals("version", before.version))


def removal[Record: Numbered](ctx: Ctx, kind: Kind[Record], record: Record) -> Delete:
    return Delete(_key(ctx.tenant.id, kind, record.id), equals("version", record.version))


def exists[Record: Numbered](ctx: Ctx, kind: Kind[Record], number: int) -> Check:
    """The condition that the record is there."""
    return Check(_key(ctx.tenant.id, kind, number), PRESENT)


def claim(ctx: Ctx, kind: str, value: str, owner: int) -> Put:
    """Takes a value (a user's e-mail, a form's slug) that only one record of the tenant may have."""
    key = keys.claim(ctx.tenant.id, kind, value)
    return Put({"pk": key.pk, "sk": key.sk, "id": owner}, any_of(ABSENT, equals("id", owner)))


def unclaim(ctx: Ctx, kind: str, value: str) -> Delete:
    return Delete(keys.claim(ctx.tenant.id, kind, value))


def taken(field: str, value: object) -> InvalidInput:
    """The refusal of a value that another record has."""
    return InvalidInput(FieldError(field, "is taken already", "taken", value))


# --- committing -------------------------------------------------------------------------------------------------------


def commit[Result](
    ctx: Ctx, ops: Sequence[TransactWrite], result: Result, refusals: Mapping[int, Exception] | None = None
) -> Result:
    """Raises the refusal of the first operation that has one and did not hold; Overtaken if others did not."""
    try:
        return ctx.commit(ops, result)
    except TransactionFailed as refused:
        for position in sorted(refused.failed):
            if refusals and position in refusals:
                raise refusals[position] from refused
        raise Overtaken from refused


def persist[Result](attempt: Callable[[], Result]) -> Result:
    """Run the attempt until it is not overtaken. Raises Unready when it is too often."""
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except Overtaken:
            continue
    raise Unready("The record is being changed by too many others at once; try again")


def change[Record: Numbered](
    ctx: Ctx, kind: Kind[Record], number: int | None, wanted: Callable[[Record], Record]
) -> Record:
    """The record after `wanted`; nothing is written if it is the same. Raises NotFound."""

    def attempt() -> Record:
        before = find(ctx, kind, number)
        asked = wanted(before)
        if asked == before:
            return before
        after = revised(ctx, before, asked)
        return commit(ctx, [revision(ctx, kind, before, after)], after)

    return persist(attempt)


# --- items ------------------------------------------------------------------------------------------------------------


def to_item[Record: Numbered](tenant: str, kind: Kind[Record], record: Record) -> Item:
    key = _key(tenant, kind, record.id)
    values = {f.name: _stored(kind, f.name, getattr(record, f.name)) for f in fields(kind.record)}
    return {"pk": key.pk, "sk": key.sk, **values}


def of_item[Record: Numbered](kind: Kind[Record], item: Item) -> Record:
    present = {f.name: item[f.name] for f in fields(kind.record) if f.name in item}
    return kind.record(**{name: _read(kind, name, value) for name, value in present.items()})


def _stored(kind: Kind[Any], name: str, value: Any) -> Any:
    return json_text(value) if name in kind.texts else value


def _read(kind: Kind[Any], name: str, value: Any) -> Any:
    if name in kind.texts:
        return json.loads(value)
    return tuple(value) if isinstance(value, list) else value


def _key(tenant: str, kind: Kind[Any], number: int) -> Key:
    return Key(kind.partition(tenant), keys.numbered(number))
