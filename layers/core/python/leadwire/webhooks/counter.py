"""The counter of a face: how many endpoints a tenant has there, and how often that has changed.

It is moved in the transaction that makes or deletes an endpoint, so that races cannot pass the limit. Who has seen the
same number of changes before and after a look at the endpoints knows that none came or went in between.
"""

from __future__ import annotations

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import Check, Compare, Condition, Key, Missing, Update, all_of, any_of, equals

from .model import Face

type Seen = int | None
"""Changes so far; None before the first."""


def seen(ctx: Ctx, face: Face) -> Seen:
    return (ctx.table.get(_key(ctx, face)) or {}).get("changes")


def still(seen: Seen) -> Condition:
    """That nothing has changed since."""
    return Missing("changes") if seen is None else equals("changes", seen)


def room(face: Face, *also: Condition) -> Condition:
    """That there may be one more, and what else must hold."""
    return all_of(any_of(Missing("count"), Compare("count", "<", face.limit)), *also)


def moved(ctx: Ctx, face: Face, by: int, condition: Condition) -> Update | Check:
    """The write that counts so many endpoints more, or less; for none, the condition alone."""
    if not by:
        return Check(_key(ctx, face), condition)
    return Update(_key(ctx, face), add={"count": by, "changes": 1}, condition=condition)


def _key(ctx: Ctx, face: Face) -> Key:
    return keys.counter(ctx.tenant.id, f"webhooks.{face.name}")
