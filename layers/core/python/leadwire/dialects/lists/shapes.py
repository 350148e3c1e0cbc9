"""Bodies of the lists dialect (contracts/lists.md): from its words to ours and back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import E164Phone, Email, FilledLine, OpenMap, Tag, Text, Uuid
from leadwire.edge.types import Body, QueryString
from leadwire.leads import model
from leadwire.leads.model import STATUSES, Lead
from leadwire.leads.query import LeadQuery

STATUS_IN = {"New": "new", "Contacted": "contacted", "Converted": "converted", "Unsubscribed": "unsubscribed"}
STATUS_OUT = {status: name for name, status in STATUS_IN.items()}
OTHERS = "Contacted"
"""What the other canonical statuses read as (decision D5)."""

Status = Literal["New", "Contacted", "Converted", "Unsubscribed"]


def _one_note(text: str, info: ValidationInfo) -> str:
    if info.data.get("notes") is not None:
        raise ValueError("excludes notes: send one of the two")
    return text


class CreateLead(Body):
    """`POST /v1/leads`."""

    name: FilledLine
    phone_number: E164Phone
    list_id: Uuid
    email: Email = ""
    status: Status = "New"
    notes: Text | None = None
    notes_append: Annotated[Text, AfterValidator(_one_note)] = ""
    tags: list[Tag] = Field(default_factory=list)
    metadata: OpenMap = Field(default_factory=dict)


class LeadList(QueryString):
    """`GET /v1/leads`."""

    phone: Annotated[str, Field(pattern=r"^ ?\+?[1-9]\d{8,14}$")] | None = None
    """E.164; its `+` may have become a space on the way, or been left out."""
    list_id: Uuid | None = None
    status: Status | None = None
    tag: Tag | None = None
    cursor: Annotated[str, Field(min_length=1, max_length=200)] | None = None
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
        notes=appended(body.notes or "", body.notes_append, ctx.now_ms()),
        tags=model.with_tags((), tuple(body.tags)),
        custom=body.metadata,
        source="api",
    )


def appended(notes: str, line: str, now_ms: int) -> str:
    """The notes with one more dated line (decisions.md, lists)."""
    return "\n".join(filter(None, (notes, f"[{iso(now_ms)}] {line}" if line else "")))


def lead(tenant: Tenant, lead: Lead) -> dict[str, Any]:
    return {
        "id": ids.lead_uuid(tenant.id_key, lead.number),
        "account_id": str(ids.account_uuid(tenant.id)),
        "name": lead.name,
        "phone_number": lead.phone,
        "status": STATUS_OUT.get(lead.status, OTHERS),
        "tags": list(lead.tags),
        "created_at": iso(lead.created_at),
        "updated_at": iso(lead.updated_at),
        "email": lead.email or None,
        "notes": lead.notes or None,
        "metadata": lead.custom,
        "converted_at": iso(lead.converted_at) if lead.converted_at else None,
        "list_ids": list(lead.lists),
    }
