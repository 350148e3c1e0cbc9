"""What the public dialect shows of a lead's conversation, beside the lead object: in reads, lists and webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from leadwire.context import iso
from leadwire.leads.history import Direction, Message

from .lead_object import LeadObject, full_name
from .shapes import Time


class CommonFields(TypedDict):
    """What is asked in most conversations."""

    fullAddress: str | None
    address: str | None
    zipcode: str | None
    state: str | None
    city: str | None
    country: str | None
    isHomeowner: bool | None
    customerName: str | None


class ShownMessage(TypedDict):
    direction: Direction
    name: str
    message: str
    date: Time


class ShownMedium(TypedDict):
    """`type` is its media type."""

    type: str
    url: str


class Conversation(TypedDict):
    qualifyingData: dict[str, Any]
    commonFields: CommonFields
    qualifyingDataSummary: str
    contactReason: str
    messageHistory: list[ShownMessage]
    userMedia: list[ShownMedium]


class FullLead(LeadObject, Conversation):
    """A lead with its conversation: the last messages, the oldest first."""


def conversation(lead: Mapping[str, Any], messages: Sequence[Message]) -> Conversation:
    """`lead` is a snapshot, `messages` its last ones, the oldest first."""
    found: Mapping[str, Any] = lead.get("qualification", {})
    return {
        "qualifyingData": found.get("data", {}),
        "commonFields": {**_of_client(lead), **found.get("common", {})},
        "qualifyingDataSummary": found.get("summary", ""),
        "contactReason": found.get("reason", ""),
        "messageHistory": [shown(message) for message in messages],
        "userMedia": [medium for message in messages for medium in media(message)],
    }


def shown(message: Message) -> ShownMessage:
    return {
        "direction": message.direction,
        "name": message.name,
        "message": message.text,
        "date": iso(message.at),
    }


def media(message: Message) -> list[ShownMedium]:
    return [{"type": medium.type, "url": medium.url} for medium in message.media]


def _of_client(lead: Mapping[str, Any]) -> CommonFields:
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
