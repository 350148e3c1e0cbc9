"""What the rows of a file say about leads, and which rows fit into one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from leadwire.context import Tenant
from leadwire.leads import batch, identity, model, rows
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import Key

from .log import Refusal

OWN_WRITES = 2
"""Of the log, in each transaction."""
MOST_REQUIRED = 90
"""Lists and other records that one row may require: they are checked in its transaction."""
MOST_ROWS = 200
"""Of one step: the reasons of those that it refuses must fit into its record."""

Duplicates = Literal["merge", "skip", "keep"]
"""What becomes of a row whose lead is known: it is merged, left out, or stored as a lead of its own that is flagged."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the lead that it would make; `requires` is what must exist for that."""

    number: int
    draft: Lead
    requires: Sequence[Requirement] = ()


def number_of(row: Row | Refusal) -> int:
    return row.number if isinstance(row, Row) else row.row


def checked(row: Row | Refusal) -> Row | Refusal:
    """The row, or why it is more than a lead may be."""
    trouble = rows.problem(row.draft) if isinstance(row, Row) else None
    return Refusal(number_of(row), "", f"{trouble.path} {trouble.message}".strip()) if trouble else row


def one_person(row_email: object, lead_email: object) -> bool:
    """Whether a row and a lead that share a phone are the same person: not if each has an address of its own.

    People of one household or office share a phone, and stay leads of their own.
    """
    return not (row_email and lead_email)


def merged(lead: Lead, row: Lead, now_ms: int) -> Lead:
    """As bulk imports merge, and also what is lacking of phone, company, job title, place, user and address.

    A note that the lead has already is not added again.
    """
    told = replace(row, notes="") if _noted(lead.notes, row.notes) else row
    lacking = {name: getattr(row, name) for name in ("phone", "company", "job_title") if not getattr(lead, name)}
    if not (lead.pipeline_id or lead.stage_id):
        lacking |= {"pipeline_id": row.pipeline_id, "stage_id": row.stage_id}
    return replace(
        rows.merged(lead, told, now_ms),
        **lacking,
        assigned_user_id=lead.assigned_user_id or row.assigned_user_id,
        address={**row.address, **lead.address},
        lists=model.with_tags(lead.lists, row.lists),
    )


def _noted(notes: str, note: str) -> bool:
    """Whether this is one of the notes: on lines of its own, dated (`model.with_note`) or not."""
    return re.search(rf"^(\[[^]\n]*\] )?{re.escape(note)}$", notes, re.MULTILINE) is not None


def steps(tenant: Tenant, file: Iterable[Row | Refusal], *, apart: bool) -> Iterator[list[Row | Refusal]]:
    """Runs of rows that fit into one transaction; `apart` keeps those that share an identity in different ones."""
    step: list[Row | Refusal] = []
    identities: set[Key] = set()
    required: set[Key] = set()
    leads = 0
    for row in file:
        own, needs = _keys(tenant, row)
        ops = OWN_WRITES + batch.MOST_WRITES * (leads + 1) + len(required | needs)
        if step and (ops > MOST_TRANSACTED or len(step) == MOST_ROWS or (apart and own & identities)):
            yield step
            step, identities, required, leads = [], set(), set(), 0
        step.append(row)
        identities |= own
        required |= needs
        leads += isinstance(row, Row)
    if step:
        yield step


def _keys(tenant: Tenant, row: Row | Refusal) -> tuple[set[Key], set[Key]]:
    """Of the identities that the row has, and of the records that it requires."""
    if isinstance(row, Refusal):
        return set(), set()
    return {*identity.keys_of(tenant, row.draft).values()}, {one.check.key for one in row.requires}
