"""Tags: the words that leads are marked with, in every dialect; crm also shows them as records with a number (D4).

A tag comes to be when a lead first gets it (in the lead's transaction) or by itself. Its name is its key, so that the
write of a lead asks for all its tags in the batch that it reads anyway. What becomes of the leads when a tag is renamed
or deleted: leads/cascade.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from . import keys, records
from .context import Ctx
from .errors import NotFound, Unready
from .store.limits import MOST_TRANSACTED
from .store.types import (
    ABSENT,
    Condition,
    Delete,
    Item,
    Key,
    Put,
    Query,
    TransactionFailed,
    TransactWrite,
    Update,
    all_of,
    equals,
)

COUNTER = "tag"
BORN_AT_ONCE = MOST_TRANSACTED - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    id: int
    name: str
    color: str = ""
    was: str = ""
    """Its name before, while leads may still bear it."""
    created_at: int = 0
    updated_at: int = 0


def every(ctx: Ctx) -> list[Tag]:
    """All tags by number: one query."""
    items = ctx.table.query_all(Query(keys.tags(ctx.tenant.id), consistent=True))
    return sorted(map(_of_item, items), key=lambda tag: tag.id)


def get(ctx: Ctx, tag_id: int | None) -> Tag:
    """Raises NotFound."""
    for tag in every(ctx):
        if tag.id == tag_id:
            return tag
    raise NotFound("tag")


def create(ctx: Ctx, name: str, color: str = "") -> Tag:
    """Raises InvalidInput if there is one of that name."""

    def attempt() -> Tag:
        number, drawn = records.draw(ctx, COUNTER)
        tag = Tag(id=number, name=name, color=color, created_at=ctx.now_ms(), updated_at=ctx.now_ms())
        return records.commit(ctx, [Put(_item(ctx, tag), ABSENT), drawn], tag, {0: records.taken("name", name)})

    return records.persist(attempt)


def change(ctx: Ctx, before: Tag, name: str, color: str) -> Tag:
    """The record under its new name, which remembers the old one until `settled`. Raises InvalidInput, Overtaken."""
    after = replace(before, name=name, color=color, updated_at=max(ctx.now_ms(), before.updated_at))
    if after.name == before.name:
        return records.commit(ctx, [Put(_item(ctx, after), _unchanged(before))], after)
    after = replace(after, was=before.name)
    ops: list[TransactWrite] = [
        Put(_item(ctx, after), ABSENT),
        Delete(keys.tag(ctx.tenant.id, before.name), _unchanged(before)),
    ]
    return records.commit(ctx, ops, after, {0: records.taken("name", name)})


def settled(ctx: Ctx, tag: Tag) -> Tag:
    """No lead bears the old name any more. Raises Overtaken."""
    done = replace(tag, was="")
    return records.commit(ctx, [Put(_item(ctx, done), _unchanged(tag))], done)


def delete(ctx: Ctx, tag: Tag) -> Tag:
    """Forget the record, whatever leads bear it. Raises Overtaken."""
    return records.commit(ctx, [Delete(keys.tag(ctx.tenant.id, tag.name), equals("id", tag.id))], tag)


# --- for the transactions of leads ------------------------------------------------------------------------------------


def keys_of(ctx: Ctx, names: Collection[str]) -> dict[str, Key]:
    """Name to the key by which a batch read finds out whether the tag is known."""
    return {name: keys.tag(ctx.tenant.id, name) for name in names}


def births(ctx: Ctx, names: Sequence[str]) -> list[Put | Update]:
    """The writes that make these unknown tags, if there are any: that costs one read."""
    if not names:
        return []
    (first, drawn), now = records.draw(ctx, COUNTER, len(names)), ctx.now_ms()
    fresh = [Tag(id=first + place, name=name, created_at=now, updated_at=now) for place, name in enumerate(names)]
    return [drawn, *(Put(_item(ctx, tag), ABSENT) for tag in fresh)]


def ensure(ctx: Ctx, names: Collection[str]) -> None:
    """Make those of them that are unknown, apart from any lead, as imports do. Raises Unready."""
    for _ in range(records.ATTEMPTS):
        named = keys_of(ctx, sorted(names))
        found = ctx.table.batch_get([*named.values()]) if named else {}
        unknown = [name for name, key in named.items() if key not in found]
        if not unknown:
            return
        for start in range(0, len(unknown), BORN_AT_ONCE):
            with contextlib.suppress(TransactionFailed):  # somebody else made one of them: look again
                ctx.table.transact(births(ctx, unknown[start : start + BORN_AT_ONCE]))
    raise Unready("Tags are being made by too many others at once; try again")


# --- inside -----------------------------------------------------------------------------------------------------------


def _unchanged(tag: Tag) -> Condition:
    return all_of(equals("id", tag.id), equals("updated_at", tag.updated_at), equals("was", tag.was))


def _item(ctx: Ctx, tag: Tag) -> Item:
    key = keys.tag(ctx.tenant.id, tag.name)
    return {"pk": key.pk, "sk": key.sk, **{name: getattr(tag, name) for name in Tag.__slots__ if name != "name"}}


def _of_item(item: Item) -> Tag:
    return Tag(name=item["sk"], **{name: item[name] for name in Tag.__slots__ if name in item})
