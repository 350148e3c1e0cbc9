"""What the rows of an import say about leads: which rows are one lead, and what they add to a lead that is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce

from leadwire.errors import FieldError

from . import model
from .model import Lead

EMPTY: tuple[object, ...] = (None, "", [], {})
"""What a custom field may hold and still be filled in."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the request as the lead that it would make, and its place in the request."""

    index: int
    draft: Lead
    more: tuple[Lead, ...] = ()
    """What later rows of the same phone say."""

    def into(self, lead: Lead, now_ms: int) -> Lead:
        """The lead after all of it."""
        return reduce(lambda so_far, draft: merged(so_far, draft, now_ms), (self.draft, *self.more), lead)

    def born(self, now_ms: int) -> Lead:
        return (
            replace(self, draft=self.more[0], more=self.more[1:]).into(self.draft, now_ms) if self.more else self.draft
        )


def gathered(rows: Iterable[Row]) -> list[Row]:
    """One row for each phone: later ones go with the first."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.get(row.draft.phone)
        first[row.draft.phone] = replace(known, more=(*known.more, row.draft)) if known else row
    return list(first.values())


def merged(lead: Lead, row: Lead, now_ms: int) -> Lead:
    """The lead with the row's notes and tags added and what it lacks filled in; nothing that is set is overwritten."""
    named = lead if lead.name else row
    lacking = {name: value for name, value in row.custom.items() if lead.custom.get(name) in EMPTY}
    return replace(
        lead,
        first_name=named.first_name,
        last_name=named.last_name,
        email=lead.email or row.email,
        notes=model.with_note(lead.notes, row.notes, now_ms),
        tags=model.with_tags(lead.tags, row.tags),
        custom={**lead.custom, **lacking} if lacking else lead.custom,
    )


def problem(lead: Lead) -> FieldError | None:
    """What is wrong if a merge made more of the lead than a lead may be. Its path is a field of leads."""
    if len(lead.notes) > model.TEXT_LIMIT:
        return FieldError("notes", f"would be longer than {model.TEXT_LIMIT} characters", "too_long")
    excess = model.open_map_problem(lead.custom)
    return FieldError("custom", excess, "too_large") if excess else model.oversize(lead)
