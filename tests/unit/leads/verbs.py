"""The verbs as the tests of leads call them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from leadwire import lists
from leadwire.context import Ctx
from leadwire.leads import service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.service import Requirement
from tests.factories import draft


def create(ctx: Ctx, number: int = 1, **fields: Any) -> Lead:
    return service.create(ctx, draft(number, **fields)).lead


def requirement(ctx: Ctx, list_id: str) -> Requirement:
    return Requirement(lists.exists(ctx, list_id), "list", "list_id")


def attach(ctx: Ctx, lead: Lead, list_id: str) -> Stored:
    return service.create_or_attach(ctx, lead, list_id, requirement(ctx, list_id))


def upsert(ctx: Ctx, lead: Lead, **fields: Any) -> Stored:
    return service.upsert_by_phone(ctx, replace(lead, **fields), lambda before: replace(before, **fields))
