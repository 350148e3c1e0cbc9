"""Bulk deletion as requests ask for it; and the jobs queue, which continues it, takes leads out of deleted lists, and
erases what deleted leads leave behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from leadwire import lists, telemetry, tenants
from leadwire.context import Ctx
from leadwire.errors import NotFound, Unready
from leadwire.ports import Message, Ports
from leadwire.store.types import ConditionFailed, StoreError, TransactionFailed

from . import erasure, jobs, query, service
from .bitmap import of_numbers
from .jobs import CHUNK, Facets, Job, Superseded
from .model import Lead
from .query import LeadQuery

WORKER = "run_jobs"
SAFELY = 60
"""Seconds after which the request has either stored its job or never will: no function of the API runs longer."""


class QueueRefused(Exception):
    """The queue did not take a message: the work is tried again."""


# --- requests ---------------------------------------------------------------------------------------------------------


def delete_named(ctx: Ctx, numbers: Sequence[int]) -> Job:
    """Delete these leads now, at most `jobs.SYNC`; the job tells which of them were not there."""
    job = jobs.resumable(ctx) or _stored(ctx, jobs.prepare(ctx, of_numbers(numbers)))
    return _finished(ctx, job)


def delete_chosen(ctx: Ctx, facets: Facets) -> Job:
    """Delete the leads that are in one facet of each group now: at once if they are few, otherwise in a job."""
    job = jobs.resumable(ctx)
    if job is None:
        job = jobs.prepare(ctx, jobs.chosen(ctx, facets), facets)
        if not job.in_request:
            return _started(ctx, job)
        job = _stored(ctx, job)
    return _finished(ctx, job) if job.in_request else job


def delete_list(ctx: Ctx, list_id: str) -> str:
    """Delete the list; its leads leave it in the background, and stay even if it was their last. Raises NotFound."""
    lists.get(ctx, list_id)
    message = {"tenant": ctx.tenant.id, "list": list_id}
    _ring(ctx, message, SAFELY)
    lists.delete(ctx, list_id)
    _ring(ctx, message)
    return list_id


def _stored(ctx: Ctx, job: Job) -> Job:
    try:
        ctx.table.write(jobs.addition(ctx, job))
    except ConditionFailed:
        return jobs.find(ctx, job.id)  # another try of this request was faster
    return job


def _finished(ctx: Ctx, job: Job) -> Job:
    try:
        return jobs.work(ctx, job, job.total)
    except Superseded as superseded:
        raise Unready("Another try of this request is under way; try again") from superseded


def _started(ctx: Ctx, job: Job) -> Job:
    message = {"tenant": ctx.tenant.id, "job": job.id}
    _ring(ctx, message, SAFELY)
    try:
        ctx.commit([jobs.addition(ctx, job)], job)
    except TransactionFailed:
        return jobs.find(ctx, job.id)
    _ring(ctx, message)
    return job


def _ring(ctx: Ctx, message: Mapping[str, Any], delay: int = 0) -> None:
    messages = [Message(json.dumps(message), group=ctx.tenant.id, delay=delay)]
    if ctx.ports.queue.send(ctx.ports.settings.jobs_queue_url, messages):
        raise QueueRefused("the jobs queue refused a message")


# --- the worker -------------------------------------------------------------------------------------------------------


def run_messages(ports: Ports, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of the jobs queue; the messages that failed are named and come again."""
    failed = []
    for record in records:
        try:
            run(ports, json.loads(record["body"]))
        except (StoreError, QueueRefused, Unready) as error:
            telemetry.fault("job.failed", error, message_id=record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def run(ports: Ports, message: Mapping[str, Any]) -> None:
    """One chunk of work; what is left is another message. Nothing is done for a tenant, job or list that is gone."""
    with suppress(NotFound, Superseded):
        ctx = tenants.operate(ports, tenants.load(ports, message["tenant"]), WORKER)
        kind = next(kind for kind in WORK if kind in message)
        following = WORK[kind](ctx, message)
        telemetry.say("job.worked", tenant=ctx.tenant.id, kind=kind, wru=ctx.table.meter.consumed.wru)
        if following:
            _ring(ctx, following)


def _delete(ctx: Ctx, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    job = jobs.work(ctx, jobs.find(ctx, message["job"]), CHUNK)
    return message if job.position < job.total else None


def _detach(ctx: Ctx, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Take leads out of a list that is gone.

    Nobody can join it any more, so this ends: at the latest with a page on which no lead is in the list, whatever the
    index counts.
    """
    list_id = message["list"]
    with suppress(NotFound):
        lists.get(ctx, list_id)
        return None

    def without(lead: Lead) -> Lead:
        return replace(lead, lists=tuple(other for other in lead.lists if other != list_id))

    listed = query.run(ctx, LeadQuery(facets=((lists.facet(list_id),),), limit=CHUNK // 5))
    members = [lead for lead in listed.leads if list_id in lead.lists]
    for lead in members:
        with suppress(NotFound):
            service.change(ctx, lead.number, without)
    return message if members and listed.total > len(listed.leads) else None


WORK: dict[str, Callable[[Ctx, Mapping[str, Any]], Mapping[str, Any] | None]] = {
    "job": _delete,
    "list": _detach,
    "erase": erasure.work,
}
"""By the key that a kind of message has: does a chunk of its work, and returns the message that follows, or None."""
