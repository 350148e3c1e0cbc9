"""Bulk deletions: a set of leads that was chosen once, and how far its deletion has come.

The set is stored beside the job, in chunks of the list engine's bitmaps, and never changes. Each step deletes a few
leads and moves the job's `position` on, in one transaction on condition that it still was where it was read. So a job
that is started again after a crash, or worked on twice, goes on exactly where it stands, and its counts are exact.

    chosen ─▶ set stored ─▶ job stored ─┬─ up to SYNC leads: done in the request
                                        └─ more: messages of the jobs queue, a chunk of leads each

The message is sent twice: late before the job is stored, in case that we crash after it, and at once after it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from leadwire import keys
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import (
    ABSENT,
    Compare,
    InvalidOperation,
    Item,
    Put,
    Query,
    TransactionFailed,
    Update,
    any_of,
    equals,
)

from . import batch, bitmap, query, store
from .bitmap import Bitmap
from .query import LeadQuery

SYNC = 500
"""Leads that a request deletes itself (contracts/lists.md)."""
CHUNK = 1000
"""Leads that one message of a job deletes (contracts/lists.md)."""
PER_STEP = (MOST_TRANSACTED - 1) // batch.MOST_WRITES
"""Leads in one transaction, beside the job."""
ATTEMPTS = 20
RESUMED_MS = (24 * 3600 - 60) * 1000
"""A request is repeated under its Idempotency-Key for a little longer than its job is taken up again."""
KEPT = 30 * 24 * 3600

_ID = re.compile(r"[0-9a-f-]{36}")

type Facets = tuple[tuple[str, ...], ...]


class Superseded(Exception):
    """Somebody else is working on the same job, and is ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bulk deletion. Times are epoch milliseconds."""

    id: str
    set: str
    """The id of the stored set."""
    facets: Facets = ()
    """What a lead must still be to be deleted; empty if it was named by id."""
    total: int
    position: int = 0
    """Leads of the set, by number, that are behind us."""
    deleted: int = 0
    missed: tuple[int, ...] = ()
    """Numbers that were gone, or no longer what was chosen; kept for small jobs only."""
    created_at: int
    updated_at: int

    @property
    def state(self) -> Literal["pending", "running", "done"]:
        if self.position == self.total:
            return "done"
        return "running" if self.position else "pending"

    @property
    def chunks(self) -> int:
        return -(-self.total // CHUNK)

    @property
    def in_request(self) -> bool:
        return self.total <= SYNC


def find(ctx: Ctx, job_id: str) -> Job:
    """Raises NotFound."""
    item = ctx.table.get(keys.bulk_job(ctx.tenant.id, job_id)) if _ID.fullmatch(job_id) else None
    if item is None:
        raise NotFound("job")
    return _of_item(item)


def resumable(ctx: Ctx) -> Job | None:
    """The job of an earlier try of this request, under its Idempotency-Key."""
    item = ctx.table.get(keys.bulk_job(ctx.tenant.id, id_of(ctx))) if ctx.answer else None
    fresh = item and item["created_at"] > ctx.now_ms() - RESUMED_MS
    return _of_item(item) if item and fresh else None


def id_of(ctx: Ctx) -> str:
    """The same for every try of one request under an Idempotency-Key; otherwise random."""
    return str(uuid.UUID(ctx.answer.reference[:32], version=4) if ctx.answer else uuid.uuid4())


def chosen(ctx: Ctx, facets: Facets) -> Bitmap:
    """The leads that are in one facet of each group, now."""
    return query.members(ctx, LeadQuery(facets=facets))


def prepare(ctx: Ctx, numbers: Bitmap, facets: Facets = ()) -> Job:
    """A job for these leads, with its set stored."""
    now, set_id = ctx.now_ms(), uuid.uuid4().hex
    expires = now // 1000 + KEPT
    chunks = [
        Put({"pk": key.pk, "sk": key.sk, "bits": bitmap.encode(bits), "expires_at": expires})
        for chunk, bits in numbers.chunks.items()
        if bits and (key := keys.bulk_set(ctx.tenant.id, set_id, chunk))
    ]
    ctx.table.batch_write(chunks)
    return Job(id=id_of(ctx), set=set_id, facets=facets, total=len(numbers), created_at=now, updated_at=now)


def addition(ctx: Ctx, job: Job) -> Put:
    """The write that stores a new job."""
    old = Compare("created_at", "<=", job.created_at - RESUMED_MS)
    return Put(_item(ctx, job), any_of(ABSENT, old))


# --- working ----------------------------------------------------------------------------------------------------------


def work(ctx: Ctx, job: Job, most: int) -> Job:
    """Delete the next leads of the set, at most so many. Raises Superseded."""
    stored = ctx.table.query_all(Query(keys.bulk_sets(ctx.tenant.id, job.set), consistent=True))
    numbers = Bitmap({keys.chunk_of(item["sk"]): bitmap.decode(item["bits"]) for item in stored})
    end = min(job.total, job.position + most)
    while job.position < end:
        ahead = numbers.select(job.position, min(PER_STEP, end - job.position), descending=False)
        job = _step(ctx, job, ahead)
    return job


def _step(ctx: Ctx, job: Job, numbers: Sequence[int]) -> Job:
    """A transaction may also be too large in bytes: then half of the leads go first."""
    try:
        return _delete(ctx, job, numbers)
    except InvalidOperation:
        if len(numbers) == 1:
            raise
        return _step(ctx, job, numbers[: len(numbers) // 2])


def _delete(ctx: Ctx, job: Job, numbers: Sequence[int]) -> Job:
    for _ in range(ATTEMPTS):
        leads = [one for one in store.find_many(ctx, numbers) if query.matches(LeadQuery(facets=job.facets), one)]
        known = batch.identities_of(ctx, leads)
        gone = sorted({*numbers} - {lead.number for lead in leads}) if job.in_request else ()
        after = replace(
            job,
            position=job.position + len(numbers),
            deleted=job.deleted + len(leads),
            missed=(*job.missed, *gone),
            updated_at=ctx.now_ms(),
        )
        try:
            ctx.table.transact(
                [_progress(ctx, job, after), *batch.writes(ctx, [batch.removal(ctx, lead) for lead in leads], known)]
            )
        except TransactionFailed as refused:
            if 0 in refused.failed:
                raise Superseded(job.id) from refused
        else:
            return after
    raise Superseded(job.id)


def _progress(ctx: Ctx, before: Job, after: Job) -> Update:
    changed = {name: getattr(after, name) for name in ("position", "deleted", "missed", "updated_at")}
    still = equals("position", before.position)
    return Update(keys.bulk_job(ctx.tenant.id, after.id), set=changed, condition=still)


# --- items ------------------------------------------------------------------------------------------------------------


def _item(ctx: Ctx, job: Job) -> Item:
    key = keys.bulk_job(ctx.tenant.id, job.id)
    values: dict[str, Any] = {f.name: getattr(job, f.name) for f in fields(Job)}
    return {"pk": key.pk, "sk": key.sk, **values, "expires_at": job.created_at // 1000 + KEPT}


def _of_item(item: Item) -> Job:
    values = {f.name: item[f.name] for f in fields(Job)}
    return Job(**{**values, "facets": tuple(map(tuple, item["facets"])), "missed": tuple(item["missed"])})
