"""Bulk import in the lists dialect (TopCalls): rows are checked and stored one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field, SkipValidation, ValidationError

from leadwire.context import Ctx, Tenant
from leadwire.dialects.contacts import E164Phone, Email
from leadwire.dialects.fields import Line, OpenMap, Tag, Text, Uuid
from leadwire.edge import strict
from leadwire.edge.types import KIB, Body, Dialect, Reply, Request, Route
from leadwire.errors import NotFound
from leadwire.leads import imports, model
from leadwire.leads.imports import Mode, Refusal, Tally
from leadwire.leads.model import Lead
from leadwire.leads.rows import Row

from . import errors, shapes
from .shapes import Count

BODY_LIMIT = 5 * KIB * KIB
SHOWN = 100
"""Characters of a row's phone and of its error's text that the answer repeats."""
WORDS = {"custom": "metadata"}
"""Our names of fields to theirs, where they differ."""


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
        return Refusal(index, first.path, first.code, first.message)
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
            "message": f"{WORDS.get(refusal.field, refusal.field)} {refusal.message}".strip()[:SHOWN],
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
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
)
