"""Lead bodies of the crm dialect (contracts/crm.md): from its words to ours and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, Field

from leadwire.context import Tenant
from leadwire.dialects.contacts import AnyPhone, Email
from leadwire.dialects.fields import WHOLE, FilledLine, Line, Moment, OpenMap, Tag, Text, published
from leadwire.edge.types import Body
from leadwire.leads import model
from leadwire.leads.model import STATUSES, Lead
from leadwire.leads.query import LeadQuery

from .paging import PageQuery
from .parts import CHANGES, Number, Time, time

WON = "won"
"""Another word for converted, accepted and never shown (decision D5)."""


def _status(text: str) -> str:
    status = "converted" if text == WON else text
    if status not in STATUSES:
        raise ValueError(f"must be one of {', '.join(STATUSES)}")
    return status


Id = Annotated[int, Field(gt=0, lt=10**12), WHOLE]
Status = Annotated[str, AfterValidator(_status), published(enum=[*STATUSES, WON])]
Score = Annotated[int, Field(ge=-(10**9), le=10**9), WHOLE]
Tags = Annotated[list[Tag], Field(max_length=50)]


class CreateLead(Body):
    """`POST /api/v1/leads`. null is the same as absent."""

    first_name: FilledLine
    last_name: Line | None = None
    email: Email | None = None
    phone: AnyPhone | None = None
    company: Line | None = None
    job_title: Line | None = None
    source: Line | None = None
    status: Status | None = None
    lead_score: Score | None = None
    starred: bool | None = None
    pipeline_id: Id | None = None
    pipeline_stage_id: Id | None = None
    assigned_user_id: Id | None = None
    notes: Text | None = None
    custom_fields: OpenMap | None = None
    tags: Tags | None = None


class UpdateLead(CreateLead):
    """`PUT` and `PATCH /api/v1/leads/{id}`: both change only what is sent, and null clears it."""

    model_config = CHANGES

    first_name: FilledLine = ""


class AddTag(Body):
    """`POST /api/v1/leads/{id}/tags`."""

    tag: Tag


class LeadList(PageQuery):
    """`GET /api/v1/leads`."""

    source: FilledLine | None = None
    status: Status | None = None
    pipeline_id: Id | None = None
    stage_id: Id | None = None
    pipeline_stage_id: Annotated[Id | None, Field(description="Another name of `stage_id`")] = None
    assigned_user_id: Id | None = None
    tag: Tag | None = None
    search: FilledLine | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    starred: Literal["true"] | None = None
    sort: Literal["created_at", "updated_at", "lead_score", "first_name", "last_name", "email"] = "created_at"
    direction: Literal["asc", "desc"] = "desc"


class LeadRecord(TypedDict):
    id: Number
    first_name: str | None
    last_name: str | None
    name: str
    email: str | None
    phone: Annotated[str | None, Field(description="E.164")]
    company: str | None
    job_title: str | None
    source: str | None
    status: Annotated[str, published(enum=[*STATUSES])]
    lead_score: int
    starred: bool
    pipeline_id: Number | None
    pipeline_stage_id: Number | None
    assigned_user_id: Annotated[Number | None, Field(description="Stays when the user is deleted")]
    notes: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    possible_duplicate_of: Annotated[Number | None, Field(description="The lead with the same e-mail or phone")]
    created_at: Time
    updated_at: Time


SORTS = {"created_at": "created", "updated_at": "updated", "lead_score": "score"}
"""Their names of sort orders to ours, where they differ."""


def lead_query(asked: LeadList) -> LeadQuery:
    facets = {
        "source": asked.source,
        "status": asked.status,
        "pipeline": asked.pipeline_id,
        "stage": asked.stage_id,
        "user": asked.assigned_user_id,
        "tag": asked.tag,
    }
    groups = [(f"{name}={value}",) for name, value in facets.items() if value]
    groups += [(f"stage={asked.pipeline_stage_id}",)] if asked.pipeline_stage_id else []
    groups += [("starred",)] if asked.starred else []
    return LeadQuery(
        facets=tuple(groups),
        search=asked.search or "",
        created_after=_ms(asked.created_after),
        created_before=_ms(asked.created_before),
        sort=SORTS.get(asked.sort, asked.sort),
        descending=asked.direction == "desc",
        offset=asked.offset,
        limit=asked.per_page,
    )


def _ms(moment: Moment | None) -> int | None:
    return moment.ms if moment else None


def draft(body: CreateLead) -> Lead:
    return Lead(
        first_name=body.first_name,
        last_name=body.last_name or "",
        email=body.email or "",
        phone=body.phone.e164 if body.phone else "",
        company=body.company or "",
        job_title=body.job_title or "",
        source=body.source or "",
        status=body.status or "new",
        score=body.lead_score or 0,
        starred=body.starred or False,
        pipeline_id=body.pipeline_id,
        stage_id=body.pipeline_stage_id,
        assigned_user_id=body.assigned_user_id,
        notes=body.notes or "",
        custom=body.custom_fields or {},
        tags=model.with_tags((), tuple(body.tags or ())),
    )


CLEARED: dict[str, Any] = {"status": "new", "score": 0, "starred": False, "custom": {}, "assigned_user_id": None}
"""What null leaves of a field; of the others an empty text."""
RENAMED = {"lead_score": "score", "custom_fields": "custom"}
PLACE = frozenset({"pipeline_id", "pipeline_stage_id"})


def changes(body: UpdateLead) -> Callable[[Lead], Lead]:
    """The change that a body asks for, but for where the lead stands."""
    sent = {name: getattr(body, name) for name in body.model_fields_set - PLACE - {"phone", "tags"}}
    plain = {RENAMED.get(name, name): value for name, value in sent.items()}
    values = {name: CLEARED.get(name, "") if value is None else value for name, value in plain.items()}
    if "tags" in body.model_fields_set:
        values["tags"] = model.with_tags((), tuple(body.tags or ()))
    if "phone" in body.model_fields_set:
        values["phone"] = body.phone.e164 if body.phone else ""
    return lambda lead: replace(lead, **values)


def lead(_tenant: Tenant, lead: Lead) -> LeadRecord:
    return {
        "id": lead.number,
        "first_name": lead.first_name or None,
        "last_name": lead.last_name or None,
        "name": lead.name,
        "email": lead.email or None,
        "phone": lead.phone or None,
        "company": lead.company or None,
        "job_title": lead.job_title or None,
        "source": lead.source or None,
        "status": lead.status,
        "lead_score": lead.score,
        "starred": lead.starred,
        "pipeline_id": lead.pipeline_id,
        "pipeline_stage_id": lead.stage_id,
        "assigned_user_id": lead.assigned_user_id,
        "notes": lead.notes or None,
        "tags": list(lead.tags),
        "custom_fields": dict(lead.custom),
        "possible_duplicate_of": lead.possible_duplicate_of,
        "created_at": time(lead.created_at),
        "updated_at": time(lead.updated_at),
    }
