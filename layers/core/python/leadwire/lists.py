"""Lists: named groups that leads are attached to."""

from __future__ import annotations

import uuid

from . import keys
from .context import Ctx
from .store.types import ABSENT, PRESENT, Check, Key, Put


def create(ctx: Ctx, name: str) -> str:
    """A new list; its id is a random uuid."""
    list_id = str(uuid.uuid4())
    item = {"pk": keys.lists(ctx.tenant.id), "sk": list_id, "name": name, "created_at": ctx.now_ms()}
    ctx.table.write(Put(item, ABSENT))
    return list_id


def exists(ctx: Ctx, list_id: str) -> Check:
    """The condition, for a transaction, that the list is there."""
    return Check(Key(keys.lists(ctx.tenant.id), list_id), PRESENT)
