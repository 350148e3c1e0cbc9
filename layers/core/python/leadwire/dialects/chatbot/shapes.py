"""Bodies of the chatbot dialect (contracts/chatbot.md): from its words to ours and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypedDict

from pydantic import ConfigDict, Field

from leadwire import ids
from leadwire.context import Tenant, iso
from leadwire.dialects.contacts import AnyPhone, Email
from leadwire.dialects.fields import FilledLine, Line, OpenMap, published, unsent
from leadwire.edge.types import Body, QueryString
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import model
from leadwire.leads.model import STATUSES, Lead
from leadwire.leads.query import LeadQuery

Status = Literal["new", "contacted", "qualified", "converted", "lost", "follow_up"]
STATUS_OUT: Mapping[str, Status] = {
    "new": "new",
    "contacted": "contacted",
    "qualified": "qualified",
    "converted": "converted",
    "lost": "lost",
    "follow_up": "follow_up",
    "unsubscribed": "lost",
}
"""The dialect has six of the seven canonical statuses; the others are spelled alike (decision D5)."""

Time = Annotated[
    str,
    published(
        format="date-time",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        examples=["2026-11-21T10:30:00.000Z"],
    ),
]
LeadId = Annotated[str, published(pattern="^lead_[0-9a-f]{16}$")]
WorkspaceId = Annotated[str, published(pattern="^ws_[0-9a-f]{16}$")]


class CreateLead(Body):
    """A new lead. Its e-mail address must be new to the workspace."""

    name: FilledLine
    email: Email
    phone: AnyPhone | None = None
    source: Line | None = None
    status: Status = "new"
    metadata: OpenMap | None = None


class UpdateLead(Body):
    """What is not sent stays; null clears phone, source and metadata, and removes what it is given for in metadata."""

    model_config = ConfigDict(json_schema_extra=unsent)

    name: FilledLine = ""
    email: Email = ""
    phone: AnyPhone | None = None
    source: Line | None = None
    status: Status = "new"
    metadata: dict[str, Any] | None = None


class LeadList(QueryString):
    """`GET …/leads`, newest first."""

    page: Annotated[int, Field(ge=1, le=10**9)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    status: Status | None = None
    source: FilledLine | None = None
    search: FilledLine | None = None


def lead_query(asked: LeadList, chatbot: str | None) -> LeadQuery:
    """The search looks in name and e-mail only (contracts/chatbot.md)."""
    groups: list[tuple[str, ...]] = [(f"chatbot={chatbot}",)] if chatbot else []
    groups += [(f"source={asked.source}",)] if asked.source else []
    if asked.status:
        groups.append(tuple(f"status={one}" for one in STATUSES if STATUS_OUT[one] == asked.status))
    return LeadQuery(
        facets=tuple(groups),
        search=asked.search or "",
        search_phones=False,
        offset=(asked.page - 1) * asked.limit,
        limit=asked.limit,
    )


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
        custom=body.metadata or {},
        chatbot=chatbot,
    )


def change(body: UpdateLead) -> Callable[[Lead], Lead]:
    """What the body makes of a lead. A value that equals what the caller was shown changes nothing (decision D5)."""
    sent = body.model_fields_set
    fields: dict[str, Any] = {"source": body.source or ""} if "source" in sent else {}
    if "email" in sent:
        fields["email"] = body.email

    def wanted(lead: Lead) -> Lead:
        changed = replace(lead, **fields)
        if "name" in sent and body.name != lead.name:
            first_name, last_name = model.split_name(body.name)
            changed = replace(changed, first_name=first_name, last_name=last_name)
        if "phone" in sent and (body.phone is None or body.phone.given != shown_phone(lead)):
            e164, given = (body.phone.e164, body.phone.given) if body.phone else ("", "")
            changed = replace(changed, phone=e164, phone_given=given)
        if "status" in sent and body.status != shown_status(lead):
            changed = replace(changed, status=body.status)
        if "metadata" in sent:
            changed = replace(changed, custom=_merged(lead.custom, body.metadata))
        return changed

    return wanted


def _merged(before: Mapping[str, Any], sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """By key at the top level; null removes a key, or everything. Raises InvalidInput if it becomes too much."""
    after = {} if sent is None else {name: value for name, value in {**before, **sent}.items() if value is not None}
    problem = model.open_map_problem(after)
    if problem:
        raise InvalidInput(FieldError("metadata", problem, "value_error"))
    return after


def shown_status(lead: Lead) -> Status:
    return STATUS_OUT[lead.status]


def shown_phone(lead: Lead) -> str | None:
    return lead.phone_given or lead.phone or None


class ListedLead(TypedDict):
    """A lead as lists show it: without the workspace."""

    id: LeadId
    name: str
    email: str | None
    phone: str | None
    source: str | None
    status: Status
    metadata: Mapping[str, Any]
    createdAt: Time
    updatedAt: Time


class ShownLead(ListedLead):
    workspaceId: WorkspaceId


def lead(tenant: Tenant, lead: Lead) -> ShownLead:
    return {**listed_lead(tenant, lead), "workspaceId": ids.workspace_id(tenant.id)}


def listed_lead(tenant: Tenant, lead: Lead) -> ListedLead:
    return {
        "id": ids.lead_id(tenant.id_key, lead.number),
        "name": lead.name,
        "email": lead.email or None,
        "phone": shown_phone(lead),
        "source": lead.source or None,
        "status": shown_status(lead),
        "metadata": lead.custom,
        "createdAt": iso(lead.created_at, "milliseconds"),
        "updatedAt": iso(lead.updated_at, "milliseconds"),
    }
