"""Bulk deletion in the lists dialect (TopCalls), and the jobs that large ones become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import ConfigDict, Field, model_validator

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import Tag, Uuid
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import deletions, jobs
from leadwire.leads.jobs import Job

from . import errors, shapes
from .shapes import Count, Id, Time


def _given(name: str, kind: str = "string") -> dict[str, Any]:
    """JSON Schema of objects in which this is more than null."""
    return {"required": [name], "properties": {name: {"type": kind}}}


class Filter(Body):
    """Which leads to delete; all parts must hold."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_given(name) for name in ("list_id", "status", "tag")]})

    list_id: Uuid | None = None
    status: shapes.Status | None = None
    tag: Tag | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.list_id, self.status, self.tag)):
            raise ValueError("must have list_id, status or tag")
        return self


class DeleteLeads(Body):
    """Either `ids` or `filter`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_given("ids", "array"), _given("filter", "object")]})

    ids: Annotated[list[Uuid], Field(min_length=1, max_length=jobs.SYNC)] | None = None
    filter: Filter | None = None
    account_id: Uuid | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("must have ids or filter, and not both")
        return self


@dataclass(frozen=True, slots=True)
class Deleted:
    """A job, and of ids in the request those that cannot be of any lead."""

    job: Job
    unknown: Sequence[str] = ()


def delete_leads(ctx: Ctx, request: Request) -> Deleted | Job:
    body: DeleteLeads = request.body
    if body.account_id not in (None, str(ids.account_uuid(ctx.tenant.id))):
        raise NotFound("account", "account_id")
    if body.filter:
        asked = shapes.LeadList.model_construct(**body.filter.model_dump())
        job = deletions.delete_chosen(ctx, shapes.lead_query(asked, None).facets)
        return Deleted(job) if job.in_request else job
    numbers = {text: ids.number_of_uuid(ctx.tenant.id_key, text) for text in body.ids or ()}
    job = deletions.delete_named(ctx, [number for number in numbers.values() if number])
    return Deleted(job, [text for text, number in numbers.items() if not number])


class Skipped(TypedDict):
    lead_id: str
    reason: Literal["not_found"]


class DeletedNow(TypedDict):
    kind: Literal["sync"]
    deleted: Count
    skipped: Count
    skipped_payload: list[Skipped]


class DeletedLater(TypedDict):
    kind: Literal["async"]
    job_id: Id
    status: Literal["pending"]
    total_leads: Count
    chunks_total: Count


def show_deleted(tenant: Tenant, deleted: Deleted | Job) -> Reply[DeletedNow] | Reply[DeletedLater]:
    if isinstance(deleted, Job):
        return Reply(202, _begun(deleted))
    missed = [*deleted.unknown, *(ids.lead_uuid(tenant.id_key, number) for number in deleted.job.missed)]
    skipped: list[Skipped] = [{"lead_id": lead_id, "reason": "not_found"} for lead_id in missed]
    counts: DeletedNow = {
        "kind": "sync",
        "deleted": deleted.job.deleted,
        "skipped": len(skipped),
        "skipped_payload": skipped,
    }
    return Reply(200, counts)


def _begun(job: Job) -> DeletedLater:
    return {
        "kind": "async",
        "job_id": job.id,
        "status": "pending",
        "total_leads": job.total,
        "chunks_total": job.chunks,
    }


def get_job(ctx: Ctx, request: Request) -> Job:
    return jobs.find(ctx, shapes.id_in(request, "job_id"))


class ShownJob(TypedDict):
    job_id: Id
    status: Literal["pending", "running", "done"]
    total_leads: Count
    chunks_total: Count
    chunks_done: Count
    deleted: Count
    skipped: Count
    created_at: Time
    updated_at: Time


def show_job(_tenant: Tenant, job: Job) -> Reply[ShownJob]:
    """pending, running or done, and the counts (decisions.md, lists)."""
    return Reply(
        200,
        {
            "job_id": job.id,
            "status": job.state,
            "total_leads": job.total,
            "chunks_total": job.chunks,
            "chunks_done": job.chunks if job.state == "done" else job.position // jobs.CHUNK,
            "deleted": job.deleted,
            "skipped": job.position - job.deleted,
            "created_at": iso(job.created_at),
            "updated_at": iso(job.updated_at),
        },
    )


DIALECT = Dialect(
    name="lists",
    routes=(
        Route(
            "POST",
            "/v1/leads/bulk-delete",
            "write:leads",
            delete_leads,
            show_deleted,
            body=DeleteLeads,
            summary="Delete many leads, at once or in a job",
            answers={200: DeletedNow, 202: DeletedLater},
            refuses=[NotFound("account", "account_id")],
        ),
        Route(
            "GET",
            "/v1/bulk-jobs/{job_id}",
            "read:leads",
            get_job,
            show_job,
            summary="Get a bulk job",
            answers={200: ShownJob},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
)
