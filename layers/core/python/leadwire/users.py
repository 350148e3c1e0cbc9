"""Users: the people of a tenant to whom leads are assigned. Numbers of their own per tenant (D4)."""

from __future__ import annotations

from . import keys
from .context import Ctx
from .store.types import ABSENT, PRESENT, Check, Key, Put, Update


def create(ctx: Ctx, name: str, email: str, role: str = "agent") -> int:
    """A new active user; role is admin, manager, agent or read_only."""
    drawn = ctx.table.update(Update(keys.counter(ctx.tenant.id, "user"), add={"value": 1}))
    item = {"pk": keys.users(ctx.tenant.id), "sk": keys.numbered(drawn["value"]), "name": name, "email": email}
    ctx.table.write(Put({**item, "role": role, "status": "active", "created_at": ctx.now_ms()}, ABSENT))
    return int(drawn["value"])


def exists(ctx: Ctx, user_id: int) -> Check:
    """The condition, for a transaction, that the user is there."""
    return Check(Key(keys.users(ctx.tenant.id), keys.numbered(user_id)), PRESENT)
