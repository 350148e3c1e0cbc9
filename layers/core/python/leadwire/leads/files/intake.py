"""Rows of a file become leads: a few in one transaction, together with how far the import has come (log.py).

    rows ─▶ cut into steps ─▶ whose identities are known? ─▶ births and merges ─▶ one transaction each

A row is known by its e-mail address first and then by its phone (decision D6, and `one_person`). A step ends before a
row that shares either with an earlier one of the step, so that the later row meets the lead that the earlier one made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from leadwire import tags
from leadwire.context import Ctx
from leadwire.errors import NotFound, Unready
from leadwire.leads import batch, identity, model, numbers, store
from leadwire.leads.batch import Identities
from leadwire.leads.model import Lead
from leadwire.leads.rows import problem
from leadwire.leads.service import Requirement
from leadwire.store.types import InvalidOperation, TransactionFailed, TransactWrite

from . import log
from .log import FileImport, Refusal, Step, Superseded
from .rows import Duplicates, Row, checked, merged, number_of, one_person, steps

ATTEMPTS = 20


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
    for step in steps(ctx.tenant, map(checked, rows), apart=duplicates != "keep"):
        new = {tag for row in step if isinstance(row, Row) for tag in row.draft.tags} - named
        tags.ensure(ctx, new)
        named |= new
        one = _stored(ctx, one, step, duplicates)
        moved(one)
    return log.move(ctx, one, "done", "running")


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
        after = plan.counted(one, number_of(step[-1]), len(found) if duplicates == "skip" else 0)
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
        trouble = problem(after)
        if trouble:
            excess = f"{trouble.path} {trouble.message}".strip()
            plan.refusals.append(Refusal(row.number, "", f"cannot be merged: {excess}"))
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
