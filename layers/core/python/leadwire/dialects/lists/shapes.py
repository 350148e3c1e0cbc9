"""Bodies of the lists dialect (contracts/lists.md): from its words to ours and back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from leadwire import ids
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import E164Phone, Email, FilledLine, OpenMap, Tag, Text, Uuid
from leadwire.edge.types import Body
from leadwire.leads import model
from leadwire.leads.model import Lead

STATUS_IN = {"New": "new", "Contacted": "contacted", "Converted": "converted", "Unsubscribed": "unsubscribed"}
STATUS_OUT = {status: name for name, status in STATUS_IN.items()}
"""The other canonical statuses read as Contacted (decision D5)."""


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
    status: Literal["New", "Contacted", "Converted", "Unsubscribed"] = "New"
    notes: Text | None = None
    notes_append: Annotated[Text, AfterValidator(_one_note)] = ""
    tags: list[Tag] = Field(default_factory=list)
    metadata: OpenMap = Field(default_factory=dict)


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
        "status": STATUS_OUT.get(lead.status, "Contacted"),
        "tags": list(lead.tags),
        "created_at": iso(lead.created_at),
        "updated_at": iso(lead.updated_at),
        "email": lead.email or None,
        "notes": lead.notes or None,
        "metadata": lead.custom,
        "converted_at": iso(lead.converted_at) if lead.converted_at else None,
        "list_ids": list(lead.lists),
    }
