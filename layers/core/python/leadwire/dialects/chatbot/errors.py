"""Errors of the chatbot dialect (contracts/chatbot.md)."""

from __future__ import annotations

from dataclasses import replace

from leadwire import ids
from leadwire.context import Tenant
from leadwire.dialects import envelope
from leadwire.edge.types import Reply
from leadwire.errors import DuplicateEmail, LeadwireError


def render(tenant: Tenant | None, error: LeadwireError, _request_id: str) -> Reply:
    reply = envelope.refusal(error)
    if tenant is None or not isinstance(error, DuplicateEmail):
        return reply
    details = {
        "email": error.email,
        "existingLeadId": ids.lead_id(tenant.id_key, error.number),
        "message": "A lead with this email already exists in your workspace",
    }
    return replace(reply, body={**reply.body, "error": "Email already exists", "details": details})
