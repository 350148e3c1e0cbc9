"""Several leads in one transaction: what they become, their events, and the identities that they leave and join.

Leads of one batch may share an identity, which a transaction may write once only: moves are added up per identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadwire import events
from leadwire.context import Ctx
from leadwire.store.types import ABSENT, Delete, Key, Put, TransactWrite, equals

from . import identity, items, model, pending
from .identity import Identity
from .model import Lead

type Identities = Mapping[Key, Identity]

MOST_WRITES = 5
"""Of one lead: itself, its event, its pending item, an e-mail address and a phone."""


GONE = frozenset({events.LEAD_DELETED, events.LEAD_MERGED})
"""After these events there is no such lead."""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one lead: `before` is None for a new one; `after` of a deleted one carries its last version."""

    before: Lead | None
    after: Lead
    type: str
    """The type of the event."""
    about: Mapping[str, Any] = field(default_factory=dict)


def birth(ctx: Ctx, draft: Lead, number: int) -> Step:
    """Raises InvalidInput if it is too large."""
    return Step(None, model.sized(model.born(draft, number, ctx.now_ms(), ctx.ulid())), events.LEAD_CREATED)


def change(ctx: Ctx, before: Lead, wanted: Lead) -> Step:
    """Raises InvalidInput if it becomes too large."""
    after = model.changed(before, wanted, ctx.now_ms(), ctx.ulid(before.event))
    return Step(before, model.sized(after), events.LEAD_UPDATED)


def removal(ctx: Ctx, before: Lead) -> Step:
    return Step(before, model.changed(before, before, ctx.now_ms(), ctx.ulid(before.event)), events.LEAD_DELETED)


def identities_of(ctx: Ctx, leads: Iterable[Lead]) -> Identities:
    """The identities that these leads have or are to have, as they are: one batch read."""
    wanted = [*{key for lead in leads for key in identity.keys_of(ctx.tenant, lead).values()}]
    found = ctx.table.batch_get(wanted) if wanted else {}
    return {key: identity.from_item(key, found.get(key)) for key in wanted}


def writes(ctx: Ctx, steps: Sequence[Step], known: Identities) -> list[TransactWrite]:
    """Everything that makes the steps true, if nobody changed a lead or an identity since they were read."""
    ops: list[TransactWrite] = []
    members = {key: set(one.leads) for key, one in known.items()}
    for step in steps:
        ops += _of_step(ctx, step)
        old = _keys(ctx, step.before)
        new = _keys(ctx, None if step.type in GONE else step.after)
        for key in old - new:
            members[key].discard(step.after.number)
        for key in new - old:
            members[key].add(step.after.number)
    return ops + [identity.rewritten(known[key], new) for key, new in members.items() if new != set(known[key].leads)]


def _of_step(ctx: Ctx, step: Step) -> list[TransactWrite]:
    before, after = step.before, step.after
    unchanged = equals("version", before.version) if before else ABSENT
    changes = model.changes(before, after) if before else {}
    event = events.put(events.of_lead(ctx, step.type, after.event, model.snapshot(after), changes, step.about))
    item = items.to_item(ctx, after)
    if step.type in GONE:
        return [Delete(Put(item).key, unchanged), event, pending.tombstone(ctx, after)]
    return [Put(item, unchanged), event, pending.put(ctx, after)]


def _keys(ctx: Ctx, lead: Lead | None) -> set[Key]:
    return {*identity.keys_of(ctx.tenant, lead).values()} if lead else set()
