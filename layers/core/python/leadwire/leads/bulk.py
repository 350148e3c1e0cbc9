"""Many new leads in one request: each row becomes a lead of its own, flagged if it looks like another (D6).

    rows ─▶ steps of a few leads, each one transaction with a record of the numbers that it gave out

The records are kept under an Idempotency-Key only: a request that is repeated after a crash takes over what an earlier
try made, and goes on with the first row that is without a number.

Where rows say that leads are placed or whose they are, each step lands only if that is there still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leadwire import keys, tags
from leadwire.context import Ctx
from leadwire.errors import NotFound, Unready
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import ABSENT, InvalidOperation, Key, Put, Query, TransactionFailed, TransactWrite

from . import batch, identity, numbers, placement
from .batch import Step
from .model import Lead
from .service import Requirement

MOST = 2000
PER_STEP = (MOST_TRANSACTED - 1) // batch.MOST_WRITES
"""Leads in one transaction, beside the record of the step."""
ATTEMPTS = 20
KEPT = 24 * 3600


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the request as the lead that it makes, and its place in the request."""

    index: int
    draft: Lead


@dataclass(frozen=True, slots=True)
class Created:
    """What became of the rows, by their index."""

    numbers: Mapping[int, int]
    gone: Mapping[int, NotFound]
    """Those that were not stored, because a place or a user of theirs went away."""


class _Absent(Exception):
    """A step did not land, because these are not there."""

    def __init__(self, requirements: Sequence[Requirement]) -> None:
        super().__init__(requirements)
        self.requirements = {requirement.check.key: requirement for requirement in requirements}


def create(ctx: Ctx, rows: Sequence[Row]) -> Created:
    """Raises Unready when others are in the way too often."""
    tags.ensure(ctx, {tag for row in rows for tag in row.draft.tags})
    made, gone = _made_before(ctx), dict[int, NotFound]()
    size = PER_STEP
    overtaken = 0
    while waiting := [row for row in rows if row.index not in made and row.index not in gone]:
        step = waiting[:size]
        try:
            made |= _step(ctx, step)
            overtaken, size = 0, PER_STEP
        except _Absent as absent:
            gone |= {row.index: missing for row in waiting for missing in _missing(ctx, row, absent)}
        except TransactionFailed:
            overtaken += 1
            made |= _made_before(ctx)
        except InvalidOperation:  # too much for one transaction
            if len(step) == 1:
                raise
            size = len(step) // 2
        if overtaken >= ATTEMPTS:
            raise Unready("The leads are being changed by too many others at once; try again")
    return Created(made, gone)


def _made_before(ctx: Ctx) -> dict[int, int]:
    """What earlier tries of this request made."""
    if ctx.answer is None:
        return {}
    pk = keys.bulk_step(ctx.tenant.id, ctx.answer.reference, 0).pk
    steps = ctx.table.query_all(Query(pk, consistent=True))
    return {index: number for step in steps for index, number in zip(step["rows"], step["numbers"], strict=True)}


def _step(ctx: Ctx, rows: Sequence[Row]) -> dict[int, int]:
    known = batch.identities_of(ctx, [row.draft for row in rows])
    last = numbers.draw(ctx, len(rows))
    steps = _births(ctx, rows, last, {key: one.primary for key, one in known.items()})
    made = {row.index: step.after.number for row, step in zip(rows, steps, strict=True)}
    required = {one.check.key: one for row in rows for one in placement.requirements(ctx, row.draft)}
    first: list[TransactWrite] = [*(one.check for one in required.values()), *_record(ctx, made)]
    try:
        ctx.table.transact([*first, *batch.writes(ctx, steps, known)])
    except (TransactionFailed, InvalidOperation) as refused:
        numbers.give_back(ctx, last, len(rows))
        failed = refused.failed if isinstance(refused, TransactionFailed) else ()
        absent = [one for place, one in enumerate(required.values()) if place in failed]
        if absent:
            raise _Absent(absent) from refused
        raise
    return made


def _missing(ctx: Ctx, row: Row, absent: _Absent) -> list[NotFound]:
    """What the row asks for and is not there."""
    asked = placement.requirements(ctx, row.draft)
    return [one.missing for one in asked if one.check.key in absent.requirements]


def _births(ctx: Ctx, rows: Sequence[Row], last: int, owners: dict[Key, int | None]) -> list[Step]:
    """New leads, numbered in the order of the rows up to `last`; a row may also look like one before it."""
    steps = []
    for number, row in enumerate(rows, start=last - len(rows) + 1):
        own = identity.keys_of(ctx.tenant, row.draft)
        twin = next((owners[key] for key in own.values() if owners[key]), None)
        steps.append(batch.birth(ctx, replace(row.draft, possible_duplicate_of=twin), number))
        owners |= {key: owners[key] or number for key in own.values()}
    return steps


def _record(ctx: Ctx, made: Mapping[int, int]) -> list[Put]:
    if ctx.answer is None:
        return []
    key = keys.bulk_step(ctx.tenant.id, ctx.answer.reference, min(made))
    rows = {"rows": [*made], "numbers": [*made.values()], "expires_at": ctx.now_ms() // 1000 + KEPT}
    return [Put({"pk": key.pk, "sk": key.sk, **rows}, ABSENT)]
