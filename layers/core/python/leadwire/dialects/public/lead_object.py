"""The lead object of the public dialect, as its list, its get and its webhooks all show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast

from leadwire import ids
from leadwire.context import Tenant

from .shapes import ClientId, CompanyId, LeadId, Phone

COMPLETED = "COMPLETED"
QUALIFICATION = "qualification"
"""The key of the open map that holds the published qualification status."""
TRACKING = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid")


class LeadInformation(TypedDict):
    name: str | None
    firstName: str | None
    lastName: str | None
    email: str | None
    phone: Phone | None
    additionalData: dict[str, Any]


class TrackingData(TypedDict):
    """Where the lead came from; what is not known is not there."""

    source: str | None
    utm_source: NotRequired[Any]
    utm_medium: NotRequired[Any]
    utm_campaign: NotRequired[Any]
    utm_term: NotRequired[Any]
    utm_content: NotRequired[Any]
    gclid: NotRequired[Any]


class LeadBody(TypedDict):
    """What the lead object and the webhooks' bodies show alike."""

    clientId: ClientId
    leadId: LeadId
    companyId: CompanyId
    leadQualificationStatus: str
    leadInformation: LeadInformation
    trackingData: TrackingData


class LeadObject(LeadBody):
    type: Literal["conversation_completed", "lead_created"]


def lead_object(tenant: Tenant, lead: Mapping[str, Any]) -> LeadObject:
    """`lead` is the snapshot that events carry (leads/model.py), without what is empty.

    `type` is published as `conversation_completed` only; a lead whose conversation is not complete says so.
    """
    custom: Mapping[str, Any] = lead.get("custom", {})
    found: Mapping[str, Any] = lead.get("qualification", {})
    status = str(found.get("status") or custom.get(QUALIFICATION) or lead["status"]).upper()
    number, source = lead["number"], lead.get("source")
    rest = {name: value for name, value in custom.items() if name not in (*TRACKING, QUALIFICATION)}
    tracking = {"source": source, **{name: custom[name] for name in TRACKING if name in custom}}
    return {
        "type": "conversation_completed" if status == COMPLETED else "lead_created",
        "clientId": str(number),
        "leadId": ids.lead_uuid(tenant.id_key, number),
        "companyId": tenant.id,
        "leadQualificationStatus": status,
        "leadInformation": {
            "name": full_name(lead) or None,
            "firstName": lead.get("first_name"),
            "lastName": lead.get("last_name"),
            "email": lead.get("email"),
            "phone": lead.get("phone"),
            "additionalData": {**({"source": source} if source else {}), **rest},
        },
        "trackingData": cast(TrackingData, tracking),
    }


def full_name(lead: Mapping[str, Any]) -> str:
    return f"{lead.get('first_name', '')} {lead.get('last_name', '')}".strip()
