"""Rows of a file become leads: a few in one transaction, together with how far the import has come (log.py).

    rows ─▶ cut into steps ─▶ whose identities are known? ─▶ births and merges ─▶ one transaction each

A row is known by its e-mail address first and then by its phone (decision D6, and `one_person`). A step ends before a
row that shares either with an earlier one of the step, so that the later row meets the lead that the earlier one made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from leadwire import tags
from leadwire.context import Ctx, Tenant
from leadwire.errors import NotFound, Unready
from leadwire.leads import batch, identity, imports, model, numbers, store
from leadwire.leads.batch import Identities
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import InvalidOperation, Key, TransactionFailed, TransactWrite

from . import log
from .log import FileImport, Refusal, Step, Superseded

OWN_WRITES = 2
"""Of the log, in each transaction."""
MOST_REQUIRED = 90
"""Lists and other records that one row may require: they are checked in its transaction."""
MOST_ROWS = 200
"""Of one step: the reasons of those that it refuses must fit into its record."""
ATTEMPTS = 20

Duplicates = Literal["merge", "skip", "keep"]
"""What becomes of a row whose lead is known: it is merged, left out, or stored as a lead of its own that is flagged."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the lead that it would make; `requires` is what must exist for that."""

    number: int
    draft: Lead
    requires: Sequence[Requirement] = ()


def run(
    ctx: Ctx,
    one: FileImport,
    rows: Iterable[Row | Refusal],
    duplicates: Duplicates,
    moved: Callable[[FileImport], None],
) -> FileImport:
    """Store the rows that are not behind the import yet. `moved` is told after each step, whose rows are safe then.

    Raises Superseded if another run is ahead, NotFound if a record that a row requires has gone, Unready.
    """
    named: set[str] = set()
    for step in _steps(ctx.tenant, map(checked, rows), apart=duplicates != "keep"):
        new = {tag for row in step if isinstance(row, Row) for tag in row.draft.tags} - named
        tags.ensure(ctx, new)
        named |= new
        one = _stored(ctx, one, step, duplicates)
        moved(one)
    return log.move(ctx, one, "done", "running")


# --- what rows mean: pure ---------------------------------------------------------------------------------------------


def checked(row: Row | Refusal) -> Row | Refusal:
    """The row, or why it is more than a lead may be."""
    trouble = imports.problem(row.draft) if isinstance(row, Row) else None
    return Refusal(_number(row), "", trouble[1]) if trouble else row


def one_person(row_email: object, lead_email: object) -> bool:
    """Whether a row and a lead that share a phone are the same person: not if each has an address of its own.

    People of one household or office share a phone, and stay leads of their own.
    """
    return not (row_email and lead_email)


def merged(lead: Lead, row: Lead, now_ms: int) -> Lead:
    """As bulk imports merge, and also what is lacking of phone, company, job title, place, user and address.

    A note that the lead has already is not added again.
    """
    told = replace(row, notes="") if row.notes in lead.notes else row
    lacking = {name: getattr(row, name) for name in ("phone", "company", "job_title") if not getattr(lead, name)}
    if not (lead.pipeline_id or lead.stage_id):
        lacking |= {"pipeline_id": row.pipeline_id, "stage_id": row.stage_id}
    return replace(
        imports.merged(lead, told, now_ms),
        **lacking,
        assigned_user_id=lead.assigned_user_id or row.assigned_user_id,
        address={**row.address, **lead.address},
        lists=model.with_tags(lead.lists, row.lists),
    )


def _steps(tenant: Tenant, rows: Iterable[Row | Refusal], *, apart: bool) -> Iterator[list[Row | Refusal]]:
    """Runs of rows that fit into one transaction; `apart` keeps those that share an identity in different ones."""
    step: list[Row | Refusal] = []
    identities: set[Key] = set()
    required: set[Key] = set()
    leads = 0
    for row in rows:
        own, needs = _keys(tenant, row)
        ops = OWN_WRITES + batch.MOST_WRITES * (leads + 1) + len(required | needs)
        if step and (ops > MOST_TRANSACTED or len(step) == MOST_ROWS or (apart and own & identities)):
            yield step
            step, identities, required, leads = [], set(), set(), 0
        step.append(row)
        identities |= own
        required |= needs
        leads += isinstance(row, Row)
    if step:
        yield step


def _keys(tenant: Tenant, row: Row | Refusal) -> tuple[set[Key], set[Key]]:
    """Of the identities that the row has, and of the records that it requires."""
    if isinstance(row, Refusal):
        return set(), set()
    return {*identity.keys_of(tenant, row.draft).values()}, {one.check.key for one in row.requires}


# --- a step -----------------------------------------------------------------------------------------------------------


def _stored(ctx: Ctx, one: FileImport, step: Sequence[Row | Refusal], duplicates: Duplicates) -> FileImport:
    """A transaction may also be too large in bytes: then half of the rows go first."""
    try:
        return _store(ctx, one, step, duplicates)
    except InvalidOperation:
        half = len(step) // 2
        if not half:
            raise
        return _stored(ctx, _stored(ctx, one, step[:half], duplicates), step[half:], duplicates)


def _store(ctx: Ctx, one: FileImport, step: Sequence[Row | Refusal], duplicates: Duplicates) -> FileImport:
    rows = [row for row in step if isinstance(row, Row)]
    for _ in range(ATTEMPTS):
        known = batch.identities_of(ctx, [row.draft for row in rows])
        found = {} if duplicates == "keep" else existing(ctx, rows, known)
        plan = _Plan(refusals=[row for row in step if isinstance(row, Refusal)])
        _bear(ctx, [row for row in rows if row.number not in found], known, plan)
        if duplicates == "merge":
            _meet(ctx, [(row, found[row.number]) for row in rows if row.number in found], plan)
        after = plan.counted(one, _number(step[-1]), len(found) if duplicates == "skip" else 0)
        required = {needed.check.key: needed for row in rows for needed in row.requires}
        own, ops = log.progress(ctx, one, after, plan.told()), batch.writes(ctx, plan.steps, known)
        try:
            _write(ctx, own, [*required.values()], ops)
        except store.Lost:
            plan.give_back(ctx)
        except InvalidOperation:
            plan.give_back(ctx)
            raise
        else:
            return after
    raise Unready("The leads are being changed by too many others at once; try again")


@dataclass(slots=True)
class _Plan:
    """What one transaction is to do."""

    refusals: list[Refusal]
    steps: list[batch.Step] = field(default_factory=list)
    last: int = 0
    """The last number that was drawn for it."""
    made: int = 0
    merged: int = 0

    def told(self) -> Step:
        made = [step.after.number for step in self.steps if step.before is None]
        changed = [step.after.number for step in self.steps if step.before]
        return Step(made, changed, sorted(self.refusals, key=lambda refusal: refusal.row))

    def counted(self, one: FileImport, position: int, skipped: int) -> FileImport:
        return replace(
            one,
            position=position,
            created=one.created + self.made,
            merged=one.merged + self.merged,
            skipped=one.skipped + skipped,
            refused=one.refused + len(self.refusals),
        )

    def give_back(self, ctx: Ctx) -> None:
        if self.made:
            numbers.give_back(ctx, self.last, self.made)


def existing(ctx: Ctx, rows: Sequence[Row], known: Identities) -> dict[int, Lead]:
    """Number of the row to the lead that it means. One that is gone meanwhile is found out by the transaction."""
    owners = {row.number: _owners(ctx, row, known) for row in rows}
    wanted = {number for pair in owners.values() for number in pair if number}
    leads = {lead.number: lead for lead in store.find_many(ctx, wanted)} if wanted else {}
    found = {}
    for row in rows:
        by_email, by_phone = owners[row.number]
        lead, shared = leads.get(by_email or 0), leads.get(by_phone or 0)
        if lead is None and shared and one_person(row.draft.email, shared.email):
            lead = shared
        if lead:
            found[row.number] = lead
    return found


def _owners(ctx: Ctx, row: Row, known: Identities) -> tuple[int | None, int | None]:
    """The first lead with the row's e-mail address, and the first with its phone."""
    own = identity.keys_of(ctx.tenant, row.draft)
    by_email, by_phone = (known[own[kind]].primary if kind in own else None for kind in ("email", "phone"))
    return by_email, by_phone


def _bear(ctx: Ctx, rows: Sequence[Row], known: Identities, plan: _Plan) -> None:
    """New leads, numbered in the order of the rows; each flagged with who has its address or phone already."""
    if not rows:
        return
    plan.made, plan.last = len(rows), numbers.draw(ctx, len(rows))
    owners = {key: one.primary for key, one in known.items()}
    for number, row in enumerate(rows, start=plan.last - len(rows) + 1):
        own = identity.keys_of(ctx.tenant, row.draft).values()
        twin = next((owners[key] for key in own if owners[key]), None)
        plan.steps.append(batch.birth(ctx, replace(row.draft, possible_duplicate_of=twin), number))
        owners |= {key: owners[key] or number for key in own}


def _meet(ctx: Ctx, rows: Iterable[tuple[Row, Lead]], plan: _Plan) -> None:
    """Rows whose leads are known: two rows may mean the same lead, which is written once."""
    before: dict[int, Lead] = {}
    wanted: dict[int, Lead] = {}
    for row, lead in rows:
        before[lead.number] = lead
        after = merged(wanted.get(lead.number, lead), row.draft, ctx.now_ms())
        trouble = imports.problem(after)
        if trouble:
            plan.refusals.append(Refusal(row.number, "", f"cannot be merged: {trouble[1]}"))
        else:
            wanted[lead.number] = after
            plan.merged += 1
    changed = [(before[number], after) for number, after in wanted.items() if model.changes(before[number], after)]
    plan.steps += [batch.change(ctx, lead, after) for lead, after in changed]


def _write(
    ctx: Ctx, own: Sequence[TransactWrite], required: Sequence[Requirement], ops: Sequence[TransactWrite]
) -> None:
    """Raises Superseded, NotFound, store.Lost."""
    checks = [one.check for one in required]
    try:
        ctx.table.transact([*own, *checks, *ops])
    except TransactionFailed as refused:
        position = min(refused.failed)
        if position < len(own):
            raise Superseded("Another run of this import is at work, or it is being undone") from refused
        if position < len(own) + len(checks):
            raise NotFound(required[position - len(own)].kind) from refused
        raise store.Lost from refused


def _number(row: Row | Refusal) -> int:
    return row.number if isinstance(row, Row) else row.row
