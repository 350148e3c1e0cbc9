"""Users: the people of a tenant to whom leads are assigned. Numbers of their own per tenant (D4).

Deleting a user leaves the assignments (contracts/crm.md): the leads still say whose they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import keys, records
from .context import Ctx
from .records import Kind, Numbered
from .store.types import Check, TransactWrite

ROLES = ("admin", "manager", "agent", "read_only")
STATES = ("active", "invited", "suspended")
EMAIL = "user email"
"""The kind of claim by which no two users share an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Numbered):
    name: str
    email: str
    """In its normal form."""
    role: str = "agent"
    status: str = "active"


USERS = Kind("user", keys.users, User)


def exists(ctx: Ctx, user_id: int) -> Check:
    """The condition, for a transaction, that the user is there."""
    return records.exists(ctx, USERS, user_id)


def create(ctx: Ctx, name: str, email: str, role: str = "agent", status: str = "active") -> User:
    """Raises InvalidInput if another user has the address."""

    def attempt() -> User:
        number, drawn = records.draw(ctx, USERS.name)
        user = records.first(User(id=number, name=name, email=email, role=role, status=status), ctx.now_ms())
        ops: list[TransactWrite] = [
            records.claim(ctx, EMAIL, email, user.id),
            drawn,
            records.addition(ctx, USERS, user),
        ]
        return records.commit(ctx, ops, user, {0: records.taken("email", email)})

    return records.persist(attempt)


def update(ctx: Ctx, user_id: int | None, changes: Mapping[str, Any]) -> User:
    """`changes`: name, email, role, status. Raises NotFound, InvalidInput."""

    def attempt() -> User:
        before = records.find(ctx, USERS, user_id)
        wanted = replace(before, **changes)
        if wanted == before:
            return before
        after = records.revised(ctx, before, wanted)
        ops: list[TransactWrite] = [records.revision(ctx, USERS, before, after)]
        if after.email != before.email:
            ops += [records.claim(ctx, EMAIL, after.email, after.id), records.unclaim(ctx, EMAIL, before.email)]
        return records.commit(ctx, ops, after, {1: records.taken("email", after.email)})

    return records.persist(attempt)


def delete(ctx: Ctx, user_id: int | None) -> User:
    """Raises NotFound."""

    def attempt() -> User:
        user = records.find(ctx, USERS, user_id)
        return records.commit(ctx, [records.removal(ctx, USERS, user), records.unclaim(ctx, EMAIL, user.email)], user)

    return records.persist(attempt)
