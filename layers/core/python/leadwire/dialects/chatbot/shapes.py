"""Bodies of the chatbot dialect (contracts/chatbot.md): from its words to ours and back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadwire import ids
from leadwire.context import Tenant, iso
from leadwire.dialects.fields import AnyPhone, Email, FilledLine, Line, OpenMap
from leadwire.edge.types import Body
from leadwire.leads import model
from leadwire.leads.model import Lead

STATUS_OUT = {"unsubscribed": "lost"}
"""The dialect has six of the seven canonical statuses; the others are spelled alike (decision D5)."""


class CreateLead(Body):
    """`POST …/leads`."""

    name: FilledLine
    email: Email
    phone: AnyPhone | None = None
    source: Line | None = None
    status: Literal["new", "contacted", "qualified", "converted", "lost", "follow_up"] = "new"
    metadata: OpenMap = Field(default_factory=dict)


def draft(body: CreateLead, chatbot: str) -> Lead:
    first_name, last_name = model.split_name(body.name)
    return Lead(
        first_name=first_name,
        last_name=last_name,
        email=body.email,
        phone=body.phone.e164 if body.phone else "",
        phone_given=body.phone.given if body.phone else "",
        source=body.source or "",
        status=body.status,
        custom=body.metadata,
        chatbot=chatbot,
    )


def lead(tenant: Tenant, lead: Lead) -> dict[str, Any]:
    return {
        "id": ids.lead_id(tenant.id_key, lead.number),
        "name": lead.name,
        "email": lead.email or None,
        "phone": lead.phone_given or lead.phone or None,
        "source": lead.source or None,
        "status": STATUS_OUT.get(lead.status, lead.status),
        "metadata": lead.custom,
        "createdAt": iso(lead.created_at, "milliseconds"),
        "updatedAt": iso(lead.updated_at, "milliseconds"),
        "workspaceId": ids.workspace_id(tenant.id),
    }
