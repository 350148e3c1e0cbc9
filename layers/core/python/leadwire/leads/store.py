"""Leads in the table: what is read and written, and in which transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from leadwire import events, keys, tags
from leadwire.context import Ctx
from leadwire.store.types import (
    ABSENT,
    Check,
    Delete,
    Item,
    Key,
    Put,
    TransactionFailed,
    TransactWrite,
    equals,
)

from . import identity, items, model, numbers, pending
from .identity import Identity
from .model import Lead, Stored
from .numbers import Counter

type Along = Callable[[Lead], Sequence[TransactWrite]]
"""Writes that belong into the transaction of a lead, made of the lead as it is stored."""


def nothing(_lead: Lead) -> Sequence[TransactWrite]:
    return ()


class Lost(Exception):
    """Another request changed an identity or the lead first. Read again and decide again."""


class Refused(Exception):
    """A check that the caller added did not hold. `position` is its place among the checks."""

    def __init__(self, position: int) -> None:
        super().__init__(f"check {position} did not hold")
        self.position = position


class Taken(Exception):
    """Another lead has the e-mail address or the phone that was to be this lead's alone."""

    def __init__(self, kind: str, value: str, number: int) -> None:
        super().__init__(f"lead {number} has this {kind}")
        self.kind, self.value, self.number = kind, value, number


@dataclass(frozen=True, slots=True)
class Known:
    """What a create must know first: the identities of the draft as they are, and the tenant's lead counter."""

    email: Identity | None
    phone: Identity | None
    counter: Counter
    new_tags: tuple[str, ...] = ()
    """Of the draft's tags those that the tenant does not have yet."""
    absent: frozenset[Key] = frozenset()
    """Of the records that were asked for those that are not there."""

    def identities(self) -> list[Identity]:
        return [identity for identity in (self.email, self.phone) if identity]

    def primary(self) -> int | None:
        """The lead that this one would duplicate: by e-mail first, then by phone (decision D6)."""
        return next((known.primary for known in self.identities() if known.primary), None)


# --- reads ------------------------------------------------------------------------------------------------------------


def find(ctx: Ctx, number: int) -> Lead | None:
    item = ctx.table.get(keys.lead(ctx.tenant.id, number))
    return items.of_item(item) if item else None


def find_survivor(ctx: Ctx, number: int) -> Lead | None:
    """The lead that this one became part of, through however many merges. One read for each, and one for the lead."""
    while (marker := ctx.table.get(keys.merged(ctx.tenant.id, number))) is not None:
        number = marker["into"]
        lead = find(ctx, number)
        if lead:
            return lead
    return None


def find_many(ctx: Ctx, numbers: Iterable[int], *, consistent: bool = True) -> list[Lead]:
    """The leads that exist, in no order: 1 RRU each, half of that if they need not be consistent."""
    found = ctx.table.batch_get([keys.lead(ctx.tenant.id, number) for number in numbers], consistent=consistent)
    return [items.of_item(item) for item in found.values()]


def find_identity(ctx: Ctx, kind: str, value: str) -> Identity:
    key = keys.identity(ctx.tenant.id, kind, value)
    return identity.from_item(key, ctx.table.get(key))


def look_up(ctx: Ctx, draft: Lead, records: Sequence[Key] = ()) -> Known:
    """One round trip: 1 RRU for each identity, for each tag, for each of the `records`, and for the counter."""
    wanted, named = identity.keys_of(ctx.tenant, draft), tags.keys_of(ctx, draft.tags)
    counter = numbers.key(ctx)
    found = ctx.table.batch_get([counter, *wanted.values(), *named.values(), *records])
    known = {kind: identity.from_item(key, found.get(key)) for kind, key in wanted.items()}
    unknown = tuple(name for name, key in named.items() if key not in found)
    absent = frozenset(records) - found.keys()
    return Known(known.get("email"), known.get("phone"), numbers.of_item(found.get(counter)), unknown, absent)


# --- writes -----------------------------------------------------------------------------------------------------------


def insert(ctx: Ctx, draft: Lead, known: Known, checks: Sequence[TransactWrite] = (), along: Along = nothing) -> Stored:
    """Store a new lead, its identities and its event in one transaction. Raises Lost, Refused, InvalidInput.

    The number comes from the transaction itself while the counter is quiet (no number is burnt, no extra round trip),
    and from an update of its own when another create was faster or has just been there.
    """
    model.sized(draft)
    if numbers.is_quiet(ctx, known.counter):
        drawn = [*checks, numbers.following(ctx, known.counter)]
        try:
            return _insert(ctx, draft, known.counter.value + 1, known, drawn, len(checks), along)
        except _NumberTaken:
            pass
    number = numbers.take(ctx, known.counter)
    try:
        return _insert(ctx, draft, number, known, [*checks], len(checks), along)
    except (Lost, Refused):
        numbers.give_back(ctx, number)
        raise


def _insert(
    ctx: Ctx, draft: Lead, number: int, known: Known, first: list[TransactWrite], checks: int, along: Along
) -> Stored:
    lead = model.born(draft, number, ctx.now_ms(), ctx.ulid())
    event = events.of_lead(ctx, events.LEAD_CREATED, lead.event, model.snapshot(lead), {})
    joins = [identity.joined(known_identity, number) for known_identity in known.identities()]
    own = [Put(items.to_item(ctx, lead), ABSENT), *joins, events.put(event), pending.put(ctx, lead)]
    ops = [*first, *own, *tags.births(ctx, known.new_tags), *along(lead)]
    try:
        return ctx.commit(ops, Stored(lead, existed=False))
    except TransactionFailed as refused:
        position = min(refused.failed)
        if position < checks:
            raise Refused(position) from refused
        if position < len(first):
            raise _NumberTaken from refused
        raise Lost from refused


class _NumberTaken(Exception):
    """Another create drew the number first."""


def replace(
    ctx: Ctx,
    before: Lead,
    wanted: Lead,
    checks: Sequence[TransactWrite] = (),
    exclusive: str = "",
    along: Along = nothing,
) -> Stored:
    """Store the next version of a lead with its event and its identities. Raises Lost, Refused, InvalidInput.

    `exclusive` is email or phone: a new one must be the lead's alone, or this raises Taken.
    """
    lead = model.sized(model.changed(before, wanted, ctx.now_ms(), ctx.ulid(before.event)))
    event = events.of_lead(ctx, events.LEAD_UPDATED, lead.event, model.snapshot(lead), model.changes(before, lead))
    put = Put(items.to_item(ctx, lead), equals("version", before.version))
    ops = [*checks, put, *_moves(ctx, before, lead, exclusive), events.put(event), pending.put(ctx, lead)]
    ops += [*tags.births(ctx, _new_tags(ctx, before, lead)), *along(lead)]
    try:
        return ctx.commit(ops, Stored(lead, existed=True))
    except TransactionFailed as refused:
        position = min(refused.failed)
        if position < len(checks):
            raise Refused(position) from refused
        raise Lost from refused


def beside(ctx: Ctx, lead: Lead, along: Along) -> Stored:
    """Write what belongs to a lead that does not change itself. Raises Lost if it has changed or is gone."""
    unchanged = Check(keys.lead(ctx.tenant.id, lead.number), equals("version", lead.version))
    try:
        return ctx.commit([unchanged, *along(lead)], Stored(lead, existed=True))
    except TransactionFailed as refused:
        raise Lost from refused


def _new_tags(ctx: Ctx, before: Lead, after: Lead) -> list[str]:
    """Of the tags that are added those that the tenant does not have yet. One read if there are any."""
    named = tags.keys_of(ctx, [tag for tag in after.tags if tag not in before.tags])
    found = ctx.table.batch_get([*named.values()]) if named else {}
    return [name for name, key in named.items() if key not in found]


def remove(ctx: Ctx, before: Lead) -> Stored:
    """Delete a lead and leave its identities; its events stay. Raises Lost."""
    lead = model.changed(before, before, ctx.now_ms(), ctx.ulid(before.event))
    event = events.of_lead(ctx, events.LEAD_DELETED, lead.event, model.snapshot(lead), {})
    delete = Delete(keys.lead(ctx.tenant.id, lead.number), equals("version", before.version))
    known = [identity.from_item(key, item) for key, item in _identities(ctx, before).items()]
    leaving = [identity.left(one, lead.number) for one in known]
    try:
        return ctx.commit(
            [delete, *leaving, events.put(event), pending.tombstone(ctx, lead)], Stored(lead, existed=True)
        )
    except TransactionFailed as refused:
        raise Lost from refused


def _identities(ctx: Ctx, lead: Lead) -> dict[Key, Item | None]:
    wanted = [*identity.keys_of(ctx.tenant, lead).values()]
    found = ctx.table.batch_get(wanted) if wanted else {}
    return {key: found.get(key) for key in wanted}


def _moves(ctx: Ctx, before: Lead, after: Lead, exclusive: str) -> list[TransactWrite]:
    """The writes that take the lead out of identities it left and into those it joined. One read if there are any."""
    old, new = identity.keys_of(ctx.tenant, before), identity.keys_of(ctx.tenant, after)
    leaving = [key for key in old.values() if key not in new.values()]
    joining = {kind: key for kind, key in new.items() if key not in old.values()}
    if not leaving and not joining:
        return []
    found = ctx.table.batch_get([*leaving, *joining.values()])
    known = {key: identity.from_item(key, found.get(key)) for key in (*leaving, *joining.values())}
    primary = known[joining[exclusive]].primary if exclusive in joining else None
    if primary:
        raise Taken(exclusive, getattr(after, exclusive), primary)
    left = [identity.left(known[key], after.number) for key in leaving]
    return [*left, *(identity.joined(known[key], after.number) for key in joining.values())]
