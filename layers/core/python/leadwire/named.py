"""What lists and chatbots share: a random id, a name, and one partition for all of a kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .context import Ctx
from .errors import NotFound
from .store.types import ABSENT, PRESENT, Check, Delete, Item, Key, Put, Query, TransactionFailed, TransactWrite, Update


@dataclass(frozen=True, slots=True)
class Named:
    """A record with a name. Times are epoch milliseconds."""

    id: str
    name: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of such records: what errors call it, its partition, its ids."""

    name: str
    partition: Callable[[str], str]
    fresh_id: Callable[[], str]
    pattern: re.Pattern[str]
    """Of all ids that can be: what comes in a path may be longer than a key."""


def create(kind: Kind, ctx: Ctx, name: str) -> Named:
    """A new record of the kind under an id of its own."""
    made = Named(kind.fresh_id(), name, ctx.now_ms(), ctx.now_ms())
    return ctx.commit([Put(item(kind, ctx.tenant.id, made), ABSENT)], made)


def every(kind: Kind, ctx: Ctx) -> list[Named]:
    """All records of the kind by name: one query."""
    found = ctx.table.query_all(Query(kind.partition(ctx.tenant.id), consistent=True))
    return sorted(map(_of_item, found), key=lambda record: (record.name.casefold(), record.id))


def get(kind: Kind, ctx: Ctx, id_: str) -> Named:
    """Raises NotFound."""
    found = ctx.table.get(_key(kind, ctx, id_))
    if found is None:
        raise NotFound(kind.name)
    return _of_item(found)


def rename[Result](kind: Kind, ctx: Ctx, id_: str, name: str, shown: Callable[[Named], Result]) -> Result:
    """What `shown` makes of the renamed record, which is what the answer is rendered from. Raises NotFound."""
    renamed = replace(get(kind, ctx, id_), name=name, updated_at=ctx.now_ms())
    new = Update(_key(kind, ctx, id_), set={"name": name, "updated_at": renamed.updated_at}, condition=PRESENT)
    return _change(kind, ctx, [new], shown(renamed))


def delete(kind: Kind, ctx: Ctx, id_: str, more: Sequence[TransactWrite] = ()) -> str:
    """Delete the record together with what `more` writes. Returns its id. Raises NotFound."""
    return _change(kind, ctx, [Delete(_key(kind, ctx, id_), PRESENT), *more], id_)


def exists(kind: Kind, ctx: Ctx, id_: str) -> Check:
    """The condition, for a transaction, that the record is there. Raises NotFound if nothing can be called so."""
    return Check(_key(kind, ctx, id_), PRESENT)


# --- inside -----------------------------------------------------------------------------------------------------------


def _change[Result](kind: Kind, ctx: Ctx, ops: Sequence[TransactWrite], result: Result) -> Result:
    try:
        return ctx.commit(ops, result)
    except TransactionFailed as refused:
        raise NotFound(kind.name) from refused


def _key(kind: Kind, ctx: Ctx, id_: str) -> Key:
    if not kind.pattern.fullmatch(id_):
        raise NotFound(kind.name)
    return Key(kind.partition(ctx.tenant.id), id_)


def item(kind: Kind, tenant: str, record: Named) -> Item:
    times = {"created_at": record.created_at, "updated_at": record.updated_at}
    return {"pk": kind.partition(tenant), "sk": record.id, "name": record.name, **times}


def _of_item(item: Item) -> Named:
    return Named(item["sk"], item["name"], item["created_at"], item["updated_at"])
