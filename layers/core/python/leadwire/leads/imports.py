"""Bulk import into a list: create or merge by phone, exact for each row, and safe to repeat.

    rows ─▶ gathered by phone ─▶ steps of a few leads, each one transaction with the tally of the request

Under an Idempotency-Key the tally is a record: a step lands only if the tally still stood where it was read. So a
request that is repeated after a crash goes on where it stopped, and two tries of one request do nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from leadwire import keys, lists, tags
from leadwire.context import Ctx
from leadwire.errors import FieldError, NotFound, Unready
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import (
    ABSENT,
    Compare,
    InvalidOperation,
    Item,
    Key,
    Put,
    TransactionFailed,
    TransactWrite,
    any_of,
    equals,
)

from . import batch, identity, model, numbers, store
from .batch import Identities, Step
from .model import Lead
from .rows import Row, gathered, problem

MOST = 2000
"""Rows of one request (contracts/lists.md)."""
PER_STEP = (MOST_TRANSACTED - 2) // batch.MOST_WRITES
"""Leads in one transaction, beside the list and the tally."""
ATTEMPTS = 20
RESUMED = 24 * 3600 - 60
"""Seconds: a request is repeated under its Idempotency-Key for a little longer than its tally is taken up."""

type Mode = Literal["merge", "skip"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the row at `index` was not stored; `field` is empty if it is the row as a whole."""

    index: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the rows so far; `position` counts the gathered ones."""

    position: int = 0
    inserted: int = 0
    updated: int = 0
    duplicates: int = 0
    refusals: tuple[Refusal, ...] = field(default=())


# --- the import -------------------------------------------------------------------------------------------------------


def run(ctx: Ctx, list_id: str, rows: Sequence[Row], mode: Mode) -> Tally:
    """Store all rows. Raises NotFound if the list is not there, or goes away on the way."""
    tally = _begun(ctx) or _start(ctx, list_id)
    once = gathered(rows)
    troubles = {row.index: problem(replace(row.born(ctx.now_ms()), lists=(list_id,))) for row in once}
    refusals = [_refusal(index, trouble) for index, trouble in troubles.items() if trouble]
    waiting = [row for row in once if not troubles[row.index]]
    tags.ensure(ctx, {tag for row in waiting for draft in (row.draft, *row.more) for tag in draft.tags})
    while tally.position < len(waiting):
        tally = _step(ctx, list_id, waiting[tally.position : tally.position + PER_STEP], mode, tally)
    repeated = len(rows) - len(once)
    return replace(tally, duplicates=tally.duplicates + repeated, refusals=(*refusals, *tally.refusals))


def _start(ctx: Ctx, list_id: str) -> Tally:
    try:
        lists.get(ctx, list_id)
    except NotFound as error:
        raise NotFound(error.kind, "list_id") from error
    return Tally()


def _step(ctx: Ctx, list_id: str, rows: Sequence[Row], mode: Mode, tally: Tally) -> Tally:
    """A transaction may also be too large in bytes: then half of the rows go first."""
    try:
        return _store(ctx, list_id, rows, mode, tally)
    except InvalidOperation:
        if len(rows) == 1:
            raise
        return _step(ctx, list_id, rows[: len(rows) // 2], mode, tally)


def _store(ctx: Ctx, list_id: str, rows: Sequence[Row], mode: Mode, tally: Tally) -> Tally:
    for _ in range(ATTEMPTS):
        known = batch.identities_of(ctx, [row.born(ctx.now_ms()) for row in rows])
        found = _existing(ctx, rows, known)
        fresh = [row for row in rows if row.index not in found]
        last = numbers.draw(ctx, len(fresh)) if fresh else 0
        steps, after = _births(ctx, list_id, fresh, last, known), replace(tally, inserted=tally.inserted + len(fresh))
        for row in rows:
            if row.index in found:
                after = _meet(ctx, list_id, row, found[row.index], mode, after, steps)
        ops = [lists.exists(ctx, list_id), *batch.writes(ctx, steps, known)] if steps else []
        try:
            return _written(ctx, tally, after, len(rows), ops)
        except (store.Lost, InvalidOperation) as refused:
            if fresh:
                numbers.give_back(ctx, last, len(fresh))
            if isinstance(refused, InvalidOperation):
                raise
    raise Unready("The leads are being changed by too many others at once; try again")


def _existing(ctx: Ctx, rows: Sequence[Row], known: Identities) -> dict[int, Lead]:
    """Place of the row to the lead that has its phone. One that is gone meanwhile is found out by the transaction."""
    primaries = {row.index: known[_phone(ctx, row)].primary for row in rows}
    leads = {lead.number: lead for lead in store.find_many(ctx, filter(None, {*primaries.values()}))}
    return {index: leads[number] for index, number in primaries.items() if number in leads}


def _births(ctx: Ctx, list_id: str, rows: Sequence[Row], last: int, known: Identities) -> list[Step]:
    """New leads, numbered in the order of the rows up to `last`; each flagged with who has its address already."""
    owners = {key: one.primary for key, one in known.items()}
    steps = []
    for number, row in enumerate(rows, start=last - len(rows) + 1):
        draft = row.born(ctx.now_ms())
        shared = identity.keys_of(ctx.tenant, draft)
        twin = owners.get(shared["email"]) if "email" in shared else None
        steps.append(batch.birth(ctx, replace(draft, lists=(list_id,), possible_duplicate_of=twin), number))
        for key in shared.values():
            owners[key] = owners.get(key) or number
    return steps


def _meet(ctx: Ctx, list_id: str, row: Row, lead: Lead, mode: Mode, tally: Tally, steps: list[Step]) -> Tally:
    """A row whose phone is known: left alone, or merged; `steps` gets what is to be written."""
    if mode == "skip":
        return replace(tally, duplicates=tally.duplicates + 1)
    wanted = replace(row.into(lead, ctx.now_ms()), lists=model.with_tags(lead.lists, (list_id,)))
    trouble = problem(wanted)
    if trouble:
        return replace(tally, refusals=(*tally.refusals, _refusal(row.index, trouble)))
    if model.changes(lead, wanted):
        steps.append(batch.change(ctx, lead, wanted))
    return replace(tally, updated=tally.updated + 1)


def _refusal(index: int, trouble: FieldError) -> Refusal:
    return Refusal(index, trouble.path, trouble.code, trouble.message)


def _phone(ctx: Ctx, row: Row) -> Key:
    return identity.keys_of(ctx.tenant, row.draft)["phone"]


# --- the tally --------------------------------------------------------------------------------------------------------


def _begun(ctx: Ctx) -> Tally | None:
    """How far an earlier try of this request came."""
    item = ctx.table.get(_key(ctx)) if ctx.answer else None
    if item is None or item["expires_at"] <= ctx.now_ms() // 1000:
        return None
    return _of_item(item)


def _written(ctx: Ctx, before: Tally, after: Tally, rows: int, ops: Sequence[TransactWrite]) -> Tally:
    """Land a step: its writes and, under an Idempotency-Key, the tally. Raises store.Lost, NotFound."""
    after = replace(after, position=before.position + rows)
    own = [_record(ctx, before, after)] if ctx.answer else []
    if not own and not ops:
        return after
    try:
        ctx.table.transact([*own, *ops])
    except TransactionFailed as refused:
        position = min(refused.failed)
        if position < len(own):
            raise Unready("Another try of this request is under way; try again") from refused
        if position == len(own):
            raise NotFound("list", "list_id") from refused
        raise store.Lost from refused
    return after


def _record(ctx: Ctx, before: Tally, after: Tally) -> Put:
    now = ctx.now_ms() // 1000
    begin = any_of(ABSENT, Compare("expires_at", "<=", now))
    key = _key(ctx)
    refusals = [asdict(refusal) for refusal in after.refusals]
    counts = {name: getattr(after, name) for name in ("position", "inserted", "updated", "duplicates")}
    item = {"pk": key.pk, "sk": key.sk, **counts, "refusals": refusals, "expires_at": now + RESUMED}
    return Put(item, equals("position", before.position) if before.position else begin)


def _of_item(item: Item) -> Tally:
    refusals: Sequence[Mapping[str, object]] = item["refusals"]
    counts = {name: item[name] for name in ("position", "inserted", "updated", "duplicates")}
    return Tally(**counts, refusals=tuple(Refusal(**refusal) for refusal in refusals))  # type: ignore[arg-type]  # as written


def _key(ctx: Ctx) -> Key:
    if ctx.answer is None:
        raise AssertionError("only a request under an Idempotency-Key has a tally that is kept")
    return keys.bulk_import(ctx.tenant.id, ctx.answer.reference)
