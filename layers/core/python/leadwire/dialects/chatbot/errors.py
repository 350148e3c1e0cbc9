"""Errors of the chatbot dialect (contracts/chatbot.md)."""

from __future__ import annotations

from typing import TypedDict

from leadwire import ids
from leadwire.context import Tenant
from leadwire.dialects import envelope
from leadwire.dialects.envelope import Failure, Problems
from leadwire.edge.types import Reply
from leadwire.errors import DuplicateEmail, LeadwireError

from . import shapes


class Duplicate(TypedDict):
    """Which lead has the e-mail address already."""

    email: str
    existingLeadId: shapes.LeadId
    message: str


type Refusal = Failure[Problems] | Failure[Duplicate]


def render(tenant: Tenant | None, error: LeadwireError, _request_id: str) -> Reply[Refusal]:
    if tenant is None or not isinstance(error, DuplicateEmail):
        return envelope.refusal(error)
    details: Duplicate = {
        "email": error.email,
        "existingLeadId": ids.lead_id(tenant.id_key, error.number),
        "message": "A lead with this email already exists in your workspace",
    }
    body: Failure[Duplicate] = {
        "success": False,
        "error": "Email already exists",
        "code": error.code,
        "details": details,
    }
    return Reply(error.status, body)
