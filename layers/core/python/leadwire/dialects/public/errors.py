"""Errors of the public dialect (decisions.md, public)."""

from __future__ import annotations

from leadwire.context import Tenant
from leadwire.dialects import envelope
from leadwire.edge.types import Reply
from leadwire.errors import LeadwireError


def render(_tenant: Tenant | None, error: LeadwireError, _request_id: str) -> Reply:
    return envelope.refusal(error)
