"""What can be done with a lead. Dialects, workers and automations all come through these verbs.

Each verb decides on what it has read, writes once, and starts again if somebody else was faster (`store.Lost`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from leadwire.context import Ctx
from leadwire.errors import Conflict, DuplicateEmail, DuplicatePhone, NotFound, Unready
from leadwire.store.types import Check

from . import store
from .model import Lead, Stored, changes
from .store import Along, Known, nothing

ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Requirement:
    """A record that must exist when the lead is written; `kind` and `field` name it if it does not."""

    check: Check
    kind: str
    field: str = ""
    looked_up: bool = False
    """It is read with the identities of a new lead instead, which costs an eighth: right where nothing is wrong with a
    lead that comes just after the record went (ADR 0024)."""
    of: str = ""
    """The field of the lead that names it. Of a known lead it is asked only if that changes: who has it may keep it."""

    @property
    def missing(self) -> NotFound:
        return NotFound(self.kind, self.field)


def get(ctx: Ctx, number: int | None) -> Lead:
    """The lead, or the one that it became part of. Raises NotFound, also for None (an id that decodes to nothing)."""
    lead = (store.find(ctx, number) or store.find_survivor(ctx, number)) if number else None
    if lead is None:
        raise NotFound("lead")
    return lead


def own(ctx: Ctx, number: int | None) -> Lead:
    """The lead of this very number: for what must not befall another. Raises NotFound."""
    lead = store.find(ctx, number) if number else None
    if lead is None:
        raise NotFound("lead")
    return lead


def by_phone(ctx: Ctx, phone: str) -> Lead:
    """The primary lead of an E.164 number. Raises NotFound."""
    return get(ctx, store.find_identity(ctx, "phone", phone).primary)


def create(ctx: Ctx, draft: Lead, *, requires: Sequence[Requirement] = (), unique_email: bool = False) -> Stored:
    """A new lead in any case, flagged if others share its e-mail or phone.

    With `unique_email` a known address raises DuplicateEmail instead. A requirement that does not hold is NotFound.
    """

    def attempt() -> Stored:
        known = store.look_up(ctx, draft, [one.check.key for one in looked_up])
        if unique_email and known.email and known.email.primary:
            raise DuplicateEmail(draft.email, known.email.primary)
        _require(known, looked_up)
        return _insert(ctx, replace(draft, possible_duplicate_of=known.primary()), known, checked)

    looked_up = [requirement for requirement in requires if requirement.looked_up]
    checked = [requirement for requirement in requires if not requirement.looked_up]
    return _persist(attempt)


def create_or_attach(ctx: Ctx, draft: Lead, list_id: str, exists: Requirement) -> Stored:
    """The lead with this phone, in this list, which `exists` finds: a known one is attached and otherwise left alone.

    Raises NotFound.
    """

    def attempt() -> Stored:
        known = store.look_up(ctx, draft, [exists.check.key])
        _require(known, [exists])
        if known.phone is None or known.phone.primary is None:
            new = replace(draft, lists=(list_id,), possible_duplicate_of=known.primary())
            return store.insert(ctx, new, known)
        before = _found(store.find(ctx, known.phone.primary))
        if list_id in before.lists:
            return Stored(before, existed=True)
        return store.replace(ctx, before, replace(before, lists=(*before.lists, list_id)))

    return _persist(attempt)


def upsert_by_phone(ctx: Ctx, draft: Lead, change: Callable[[Lead], Lead]) -> Stored:
    """The lead with the draft's phone after `change`, or the draft as a new lead."""

    def attempt() -> Stored:
        known = store.look_up(ctx, draft)
        if known.phone is None or known.phone.primary is None:
            new = replace(draft, possible_duplicate_of=known.primary())
            return store.insert(ctx, new, known)
        before = _found(store.find(ctx, known.phone.primary))
        return _save(ctx, before, change(before))

    return _persist(attempt)


def take_in(
    ctx: Ctx,
    draft: Lead,
    change: Callable[[Lead], Lead],
    *,
    requires: Sequence[Requirement] = (),
    along: Along = nothing,
) -> Stored:
    """The primary lead of the draft's e-mail, or else of its phone, after `change`; or the draft as a new lead.

    `along` is written in the same transaction, also if `change` changes nothing. Raises NotFound, also for a
    requirement that does not hold.
    """

    def attempt() -> Stored:
        known = store.look_up(ctx, draft)
        primary = known.primary()
        if primary is None:
            return _insert(ctx, draft, known, requires, along)
        before = _found(store.find(ctx, primary))
        wanted = change(before)
        if changes(before, wanted):
            return _save(ctx, before, wanted, requires=requires, along=along)
        return store.beside(ctx, before, along) if along is not nothing else Stored(before, existed=True)

    return _persist(attempt)


def change(
    ctx: Ctx,
    number: int | None,
    wanted: Callable[[Lead], Lead],
    *,
    exclusive: str = "",
    requires: Sequence[Requirement] = (),
    along: Along = nothing,
) -> Stored:
    """The lead after `wanted`, which is asked again if somebody else was faster. Raises NotFound.

    `along` is written in the same transaction, if anything changes.

    A requirement that does not hold is NotFound too. With `exclusive` (email or phone) taking over another lead's
    raises DuplicateEmail or DuplicatePhone.
    """

    def attempt() -> Stored:
        before = get(ctx, number)
        return _save(ctx, before, wanted(before), exclusive, requires, along)

    return _persist(attempt)


def beside(ctx: Ctx, lead: Lead, along: Along) -> Stored:
    """Write what belongs to a lead and does not change it; `along` is asked again if it changed since it was read.

    Raises NotFound.
    """
    as_read = iter([lead])
    return _persist(lambda: store.beside(ctx, next(as_read, None) or get(ctx, lead.number), along))


def detach(ctx: Ctx, number: int | None, list_id: str) -> Stored:
    """Take the lead out of the list; out of its last one means out of the store. Raises NotFound."""

    def attempt() -> Stored:
        before = own(ctx, number)
        if list_id not in before.lists:
            raise NotFound("list", "list_id")
        rest = tuple(other for other in before.lists if other != list_id)
        return store.replace(ctx, before, replace(before, lists=rest)) if rest else store.remove(ctx, before)

    return _persist(attempt)


def delete(ctx: Ctx, number: int | None) -> Stored:
    """Delete the lead for good; its number is never used again. Raises NotFound."""
    return _persist(lambda: store.remove(ctx, own(ctx, number)))


# --- inside -----------------------------------------------------------------------------------------------------------


def _require(known: Known, looked_up: Sequence[Requirement]) -> None:
    """Raises NotFound for the first that was not there."""
    for requirement in looked_up:
        if requirement.check.key in known.absent:
            raise requirement.missing


def _persist[Result](attempt: Callable[[], Result]) -> Result:
    """Run the attempt until it is not overtaken. Each loser lost to a winner, so somebody always gets on."""
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except store.Lost:
            continue
        except store.Taken as taken:
            raise _duplicate(taken) from taken
    raise Unready("The lead is being changed by too many others at once; try again")


def _save(
    ctx: Ctx,
    before: Lead,
    wanted: Lead,
    exclusive: str = "",
    requires: Sequence[Requirement] = (),
    along: Along = nothing,
) -> Stored:
    """A change that changes nothing writes nothing and makes no event."""
    if not changes(before, wanted):
        return Stored(before, existed=True)
    asked = [one for one in requires if not one.of or getattr(before, one.of) != getattr(wanted, one.of)]
    try:
        return store.replace(ctx, before, wanted, [one.check for one in asked], exclusive, along)
    except store.Refused as refused:
        raise asked[refused.position].missing from refused


def _insert(ctx: Ctx, new: Lead, known: Known, requires: Sequence[Requirement], along: Along = nothing) -> Stored:
    try:
        return store.insert(ctx, new, known, [one.check for one in requires], along)
    except store.Refused as refused:
        raise requires[refused.position].missing from refused


def _duplicate(taken: store.Taken) -> Conflict:
    kind = DuplicateEmail if taken.kind == "email" else DuplicatePhone
    return kind(taken.value, taken.number)


def _found(lead: Lead | None) -> Lead:
    """The primary of an identity; it may have been deleted since the identity was read."""
    if lead is None:
        raise store.Lost
    return lead
