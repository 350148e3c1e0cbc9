"""What the public dialect shows of a lead's conversation, beside the lead object: in reads, lists and webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from leadwire.context import iso
from leadwire.leads.history import Message

from .lead_object import full_name


def conversation(lead: Mapping[str, Any], messages: Sequence[Message]) -> dict[str, Any]:
    """`lead` is a snapshot, `messages` its last ones, the oldest first."""
    found: Mapping[str, Any] = lead.get("qualification", {})
    return {
        "qualifyingData": found.get("data", {}),
        "commonFields": {**_of_client(lead), **found.get("common", {})},
        "qualifyingDataSummary": found.get("summary", ""),
        "contactReason": found.get("reason", ""),
        "messageHistory": [shown(message) for message in messages],
        "userMedia": [asdict(medium) for message in messages for medium in message.media],
    }


def shown(message: Message) -> dict[str, Any]:
    return {
        "direction": message.direction,
        "name": message.name,
        "message": message.text,
        "date": iso(message.at),
    }


def _of_client(lead: Mapping[str, Any]) -> dict[str, Any]:
    """What the client's record knows, as long as the conversation has not found out better."""
    address: Mapping[str, str] = lead.get("address", {})
    street = " ".join(filter(None, (address.get("address1"), address.get("address2"))))
    town = " ".join(filter(None, (address.get("city"), address.get("state"), address.get("zip"))))
    return {
        "fullAddress": ", ".join(filter(None, (street, town))) or None,
        "address": street or None,
        "zipcode": address.get("zip"),
        "state": address.get("state"),
        "city": address.get("city"),
        "country": address.get("country"),
        "isHomeowner": None,
        "customerName": full_name(lead) or None,
    }
