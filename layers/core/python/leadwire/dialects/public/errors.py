"""Errors of the public dialect (decisions.md, public)."""

from __future__ import annotations

from leadwire.context import Tenant
from leadwire.dialects import envelope
from leadwire.dialects.envelope import Failure, Problems
from leadwire.edge.types import Reply
from leadwire.errors import LeadwireError

type Refusal = Failure[Problems]


def render(_tenant: Tenant | None, error: LeadwireError, _request_id: str) -> Reply[Refusal]:
    return envelope.refusal(error)
