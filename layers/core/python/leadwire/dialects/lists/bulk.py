"""Bulk operations of the lists dialect: import, delete, and the jobs that large deletions become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import ConfigDict, Field, SkipValidation, ValidationError, model_validator

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.contacts import E164Phone, Email
from leadwire.dialects.fields import Line, OpenMap, Tag, Text, Uuid
from leadwire.edge import strict
from leadwire.edge.types import KIB, Body, Dialect, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import deletions, imports, jobs, model
from leadwire.leads.imports import Mode, Refusal, Row, Tally
from leadwire.leads.jobs import Job
from leadwire.leads.model import Lead

from . import errors, shapes
from .shapes import Count, Id, Time

BODY_LIMIT = 5 * KIB * KIB
SHOWN = 100
"""Characters of a row's phone and of its error's text that the answer repeats."""


class ImportRow(Body):
    phone_number: E164Phone
    name: Line = ""
    email: Email | None = None
    status: shapes.Status = "New"
    notes: Text | None = None
    tags: list[Tag] = Field(default_factory=list)
    metadata: OpenMap = Field(default_factory=dict)


class ImportLeads(Body):
    """Rows are checked one by one: what is no ImportRow is told in `errors` and does not stop the others."""

    list_id: Uuid
    leads: Annotated[list[SkipValidation[ImportRow | Any]], Field(min_length=1, max_length=imports.MOST)]
    mode: Mode = "merge"


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


# --- import -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Imported:
    tally: Tally
    phones: Sequence[str]
    """Of each row, as far as it has one."""
    ms: int


def import_leads(ctx: Ctx, request: Request) -> Imported:
    body: ImportLeads = request.body
    began = ctx.now_ms()
    rows: list[Row] = []
    wrong: list[Refusal] = []
    for index, sent in enumerate(body.leads):
        read = _row(ctx.tenant, index, sent)
        if isinstance(read, Row):
            rows.append(read)
        else:
            wrong.append(read)
    tally = imports.run(ctx, body.list_id, rows, body.mode)
    refusals = sorted((*wrong, *tally.refusals), key=lambda refusal: refusal.index)
    return Imported(
        replace(tally, refusals=tuple(refusals)), [_phone(sent) for sent in body.leads], ctx.now_ms() - began
    )


def _phone(sent: Any) -> str:
    """What a row has for a phone, if that is a text at all."""
    phone = sent.get("phone_number") if isinstance(sent, dict) else None
    return phone if isinstance(phone, str) else ""


def _row(tenant: Tenant, index: int, sent: Any) -> Row | Refusal:
    try:
        row = ImportRow.model_validate(sent, context=tenant)
    except ValidationError as error:
        first = strict.invalid(ImportRow, error.errors(include_url=False, include_context=True)).errors[0]
        return Refusal(index, first.code, f"{first.path} {first.message}".strip())
    first_name, last_name = model.split_name(row.name)
    draft = Lead(
        first_name=first_name,
        last_name=last_name,
        phone=row.phone_number.e164,
        email=row.email or "",
        status=shapes.STATUS_IN[row.status],
        notes=row.notes or "",
        tags=model.with_tags((), tuple(row.tags)),
        custom=row.metadata,
        source="import",
    )
    return Row(index, draft)


class FailedRow(TypedDict):
    index: Annotated[int, Field(ge=0, description="The row's place in `leads`.")]
    phone_number: Annotated[str, Field(max_length=SHOWN)]
    code: str
    message: Annotated[str, Field(max_length=SHOWN)]


class Import(TypedDict):
    success: Literal[True]
    inserted: Count
    updated: Count
    duplicates: Count
    total_processed: Count
    duration_ms: Count
    errors: list[FailedRow]


def show_imported(_tenant: Tenant, imported: Imported) -> Reply[Import]:
    tally = imported.tally
    failed: list[FailedRow] = [
        {
            "index": refusal.index,
            "phone_number": imported.phones[refusal.index][:SHOWN],
            "code": refusal.code,
            "message": refusal.message[:SHOWN],
        }
        for refusal in tally.refusals
    ]
    return Reply(
        200,
        {
            "success": True,
            "inserted": tally.inserted,
            "updated": tally.updated,
            "duplicates": tally.duplicates,
            "total_processed": tally.inserted + tally.updated + tally.duplicates,
            "duration_ms": imported.ms,
            "errors": failed,
        },
    )


# --- delete -----------------------------------------------------------------------------------------------------------


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
    return jobs.find(ctx, request.path["job_id"])


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
            "/v1/leads/bulk",
            "write:leads",
            import_leads,
            show_imported,
            body=ImportLeads,
            body_limit=BODY_LIMIT,
            summary="Import leads into a list",
            answers={200: Import},
            refuses=[NotFound("list", "list_id")],
        ),
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
