"""Bodies of the lists dialect (contracts/lists.md): from its words to ours and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.contacts import E164Phone, Email
from leadwire.dialects.fields import FilledLine, OpenMap, Tag, Text, Uuid, published, unsent
from leadwire.edge.types import Body, QueryString, Request
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import model
from leadwire.leads.model import STATUSES, Lead
from leadwire.leads.query import LeadQuery

from .cursor import PATTERN as CURSOR

Status = Literal["New", "Contacted", "Converted", "Unsubscribed"]
STATUS_IN: Mapping[Status, str] = {
    "New": "new",
    "Contacted": "contacted",
    "Converted": "converted",
    "Unsubscribed": "unsubscribed",
}
STATUS_OUT = {status: name for name, status in STATUS_IN.items()}
OTHERS: Status = "Contacted"
"""What the other canonical statuses read as (decision D5)."""

Time = Annotated[
    str,
    published(
        format="date-time",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        examples=["2026-11-21T10:30:00Z"],
    ),
]
Id = Annotated[str, published(format="uuid")]
Count = Annotated[int, Field(ge=0)]


def id_in(request: Request, name: str = "id") -> str:
    """A uuid that the path names. Capitals spell the same one (RFC 9562), as they do in bodies and query strings."""
    return request.path[name].lower()


def _one_note(text: str, info: ValidationInfo) -> str:
    if info.data.get("notes") is not None:
        raise ValueError("excludes notes: send one of the two")
    return text


def _published_change(schema: dict[str, Any]) -> None:
    unsent(schema)
    schema |= {"minProperties": 1, "not": {"required": ["notes", "notes_append"]}}


class CreateLead(Body):
    """A lead for a list. One whose phone number is known is attached to the list, and otherwise left as it is."""

    model_config = ConfigDict(
        json_schema_extra={"not": {"required": ["notes", "notes_append"], "properties": {"notes": {"type": "string"}}}}
    )

    name: FilledLine
    phone_number: E164Phone
    list_id: Uuid
    email: Email = Field(default_factory=str)
    status: Status = "New"
    notes: Text | None = None
    notes_append: Annotated[Text, AfterValidator(_one_note)] = ""
    tags: list[Tag] = Field(default_factory=list)
    metadata: OpenMap = Field(default_factory=dict)


class UpdateLead(Body):
    """What is not sent stays. null clears an e-mail address and notes, and nothing else."""

    model_config = ConfigDict(json_schema_extra=_published_change)

    name: FilledLine = ""
    phone_number: E164Phone = E164Phone("", "")
    email: Email | None = None
    status: Status = "New"
    notes: Text | None = None
    notes_append: Text = ""
    tags: list[Tag] = Field(default_factory=list)
    metadata: OpenMap = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_and_one_note(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must have at least one field")
        if {"notes", "notes_append"} <= self.model_fields_set:
            raise ValueError("must have notes or notes_append, not both")
        return self


class DeleteLead(QueryString):
    list_id: Annotated[
        Uuid | None, Field(description="Only take it out of this list; out of its last one it is deleted.")
    ] = None


class LeadList(QueryString):
    phone: Annotated[
        Annotated[str, Field(pattern=r"^ ?\+?[1-9]\d{8,14}$")] | None,
        Field(description="E.164; its `+` may have become a space on the way, or been left out."),
    ] = None
    list_id: Uuid | None = None
    status: Status | None = None
    tag: Tag | None = None
    cursor: Annotated[
        Annotated[str, Field(min_length=1, max_length=200), published(pattern=CURSOR)] | None,
        Field(description="`next_cursor` of the page before, of the same query."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def lead_query(asked: LeadList, below: int | None) -> LeadQuery:
    groups: list[tuple[str, ...]] = [(f"list={asked.list_id}",)] if asked.list_id else []
    groups += [(f"tag={asked.tag}",)] if asked.tag else []
    if asked.status:
        groups.append(tuple(f"status={one}" for one in STATUSES if STATUS_OUT.get(one, OTHERS) == asked.status))
    phone = "+" + asked.phone.strip().removeprefix("+") if asked.phone else ""
    return LeadQuery(facets=tuple(groups), phone=phone, below=below, limit=asked.limit)


def draft(ctx: Ctx, body: CreateLead) -> Lead:
    first_name, last_name = model.split_name(body.name)
    return Lead(
        first_name=first_name,
        last_name=last_name,
        phone=body.phone_number.e164,
        email=body.email,
        status=STATUS_IN[body.status],
        notes=_appended(body.notes or "", body.notes_append, ctx.now_ms()),
        tags=model.with_tags((), tuple(body.tags)),
        custom=body.metadata,
        source="api",
    )


def change(ctx: Ctx, body: UpdateLead) -> Callable[[Lead], Lead]:
    """What the body makes of a lead. A value that equals what the caller was shown changes nothing (decision D5)."""
    sent = body.model_fields_set
    fields: dict[str, Any] = {}
    if "phone_number" in sent:
        fields["phone"] = body.phone_number.e164
    if "tags" in sent:
        fields["tags"] = model.with_tags((), tuple(body.tags))
    if "metadata" in sent:
        fields["custom"] = body.metadata
    fields |= {name: getattr(body, name) or "" for name in ("email", "notes") if name in sent}

    def wanted(lead: Lead) -> Lead:
        changed = replace(lead, **fields)
        if "name" in sent and body.name != lead.name:
            first_name, last_name = model.split_name(body.name)
            changed = replace(changed, first_name=first_name, last_name=last_name)
        if "status" in sent and body.status != shown_status(lead):
            changed = replace(changed, status=STATUS_IN[body.status])
        if body.notes_append:
            changed = replace(changed, notes=_appended(lead.notes, body.notes_append, ctx.now_ms()))
        return changed

    return wanted


def _appended(notes: str, note: str, now_ms: int) -> str:
    text = model.with_note(notes, note, now_ms)
    if len(text) > model.TEXT_LIMIT:
        message = f"makes the notes longer than {model.TEXT_LIMIT} characters"
        raise InvalidInput(FieldError("notes_append", message, "too_long"))
    return text


def shown_status(lead: Lead) -> Status:
    return STATUS_OUT.get(lead.status, OTHERS)


class ShownLead(TypedDict):
    id: Id
    account_id: Id
    name: str
    phone_number: Annotated[
        str, published(pattern=r"^(\+[1-9][0-9]{1,14})?$"), Field(description="E.164; empty if the lead has none.")
    ]
    status: Status
    tags: list[str]
    created_at: Time
    updated_at: Time
    email: str | None
    notes: str | None
    metadata: Mapping[str, Any]
    converted_at: Time | None
    list_ids: list[Id]


def lead(tenant: Tenant, lead: Lead) -> ShownLead:
    return {
        "id": ids.lead_uuid(tenant.id_key, lead.number),
        "account_id": str(ids.account_uuid(tenant.id)),
        "name": lead.name,
        "phone_number": lead.phone,
        "status": shown_status(lead),
        "tags": list(lead.tags),
        "created_at": iso(lead.created_at),
        "updated_at": iso(lead.updated_at),
        "email": lead.email or None,
        "notes": lead.notes or None,
        "metadata": lead.custom,
        "converted_at": iso(lead.converted_at) if lead.converted_at else None,
        "list_ids": list(lead.lists),
    }
