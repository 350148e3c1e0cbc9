"""How the public dialect sends webhooks (contracts/public.md, "Webhook delivery"; decisions.md, public)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leadwire import events
from leadwire.context import Tenant, iso
from leadwire.events import Event
from leadwire.settings import Settings
from leadwire.webhooks.model import Face, Webhook

from .lead_object import full_name, lead_object

TYPES_V2 = {events.LEAD_CREATED: "LEAD_CREATED"}


def render_v2(event: Event, tenant: Tenant, webhook: Webhook) -> str:
    """The payload of V1, and what tells V2's events apart."""
    type_ = TYPES_V2[event.type]
    body = {
        **lead_object(tenant, event.lead),
        "type": type_.lower(),
        **conversation(event.lead),
        "timestamp": iso(event.at),
        "eventType": type_,
        "webhookId": webhook.id,
        "eventId": event.id,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def headers_v2(event: Event, _webhook: Webhook, settings: Settings) -> dict[str, str]:
    return {"x-origin": settings.origin, "x-event-type": TYPES_V2[event.type]}


def conversation(lead: Mapping[str, Any]) -> dict[str, Any]:
    """What V1's payload has beside the lead object; a lead without a conversation has nothing to tell here."""
    address: Mapping[str, str] = lead.get("address", {})
    street = " ".join(filter(None, (address.get("address1"), address.get("address2"))))
    town = " ".join(filter(None, (address.get("city"), address.get("state"), address.get("zip"))))
    return {
        "qualifyingData": {},
        "commonFields": {
            "fullAddress": ", ".join(filter(None, (street, town))) or None,
            "address": street or None,
            "zipcode": address.get("zip"),
            "state": address.get("state"),
            "city": address.get("city"),
            "country": address.get("country"),
            "isHomeowner": None,
            "customerName": full_name(lead) or None,
        },
        "qualifyingDataSummary": "",
        "contactReason": "",
        "messageHistory": [],
        "userMedia": [],
    }


FACE_V2 = Face(
    name="public_v2",
    types=TYPES_V2,
    render=render_v2,
    headers=headers_v2,
    schedule="long",
    timeout=10.0,
    limit=6,
)
