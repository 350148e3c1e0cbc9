"""What a merge gave and what its undoing takes back. No I/O here.

A survivor may be made of several leads, and they may part in any order. What a merge changed is kept as it was and as
it became; when one part goes, what it changed is taken out of the middle of the row: those that came later take over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from leadwire.json_text import json_text
from leadwire.store.types import Item

from . import identity, model
from .model import Lead

WITH = {"pipeline_id": "stage_id", "phone": "phone_given", "status": "converted_at"}
"""Fields to those that go with them: a stage is one of its pipeline, a spelling that of its phone."""
SETS = ("tags", "lists", "merged", "emails", "phones")
"""What is added up. `emails` and `phones` are all by which a lead is known."""

type Changes = Mapping[str, tuple[Any, Any]]
"""Field (or one of `SETS`) to what it was and what it became."""


@dataclass(frozen=True, slots=True)
class Part:
    """A lead that became part of another, as the marker in its place keeps it."""

    lead: Lead
    """Its last version."""
    into: int
    at: int
    """Epoch milliseconds."""
    version: int
    """The version of the survivor that it was merged into."""
    changes: Changes
    """What the merge changed of the survivor."""


def of_item(item: Item) -> Part:
    pairs = {name: (before, after) for name, (before, after) in json.loads(item["changes"]).items()}
    lead = model.of_snapshot(json.loads(item["lead"]))
    return Part(lead, item["into"], item["at"], item["version"], pairs)


def to_item(part: Part) -> Item:
    """Without its key. Lead, and what the survivor was and became: three times the largest lead fit into an item."""
    texts = {"lead": json_text(model.snapshot(part.lead)), "changes": json_text(part.changes)}
    return {"number": part.lead.number, "into": part.into, "at": part.at, "version": part.version, **texts}


def changes(before: Lead, after: Lead) -> Changes:
    """What a merge made of the survivor."""
    fields = {*model.changes(before, after)} - {*SETS, "other_emails", "other_phones"}
    fields |= {one for pair in WITH.items() for one in pair if {*pair} & fields}
    found: dict[str, tuple[Any, Any]] = {name: (getattr(before, name), getattr(after, name)) for name in sorted(fields)}
    return found | {name: (members(before, name), members(after, name)) for name in SETS}


def members(lead: Lead, name: str) -> list[Any]:
    """What the lead has of one of `SETS`; addresses are in their normal form."""
    match name:
        case "emails":
            return [*([identity.normal_email(lead.email)] if lead.email else []), *lead.other_emails]
        case "phones":
            return [*([lead.phone] if lead.phone else []), *lead.other_phones]
    return [*getattr(lead, name)]


def known_by(lead: Lead, emails: Iterable[str], phones: Iterable[str]) -> Lead:
    """The lead, with those of these that are not its own as its others."""
    own = identity.normal_email(lead.email) if lead.email else ""
    return replace(
        lead,
        other_emails=tuple(dict.fromkeys(email for email in emails if email != own)),
        other_phones=tuple(dict.fromkeys(phone for phone in phones if phone != lead.phone)),
    )


def parted(survivor: Lead, part: Part, others: Iterable[Part]) -> Lead:
    """The survivor without what the merge gave it, but for what has been changed since or `others` bring as well."""
    shared = {name: {one for other in others for one in _brings(other.lead, name)} for name in SETS}
    left = {name: _left(members(survivor, name), part.changes[name], shared[name]) for name in SETS}
    back: dict[str, Any] = {}
    for name, (before, after) in part.changes.items():
        if name == "custom":
            now = survivor.custom
            back[name] = {key: value for key, value in now.items() if key in before or after.get(key) != value}
        elif name not in SETS and _untouched(survivor, part, name):
            back[name] = before
    tags, lists, merged = (tuple(left[name]) for name in ("tags", "lists", "merged"))
    result = replace(survivor, **back, tags=tags, lists=lists, merged=merged)
    return known_by(result, left["emails"], left["phones"])


def heirs(part: Part, others: Sequence[Part]) -> list[Part]:
    """Those of the others that came later and find something else before them when the part was never there."""
    later = sorted((other for other in others if other.version > part.version), key=lambda other: other.version)
    fields = {*part.changes} - {*SETS, "custom"}
    found = []
    for other in later:
        next_to = {name for name in fields if name in other.changes}
        fields -= next_to
        changes = {**other.changes, **_inherited(part, other, next_to)}
        found += [] if _same(changes, other.changes) else [replace(other, changes=changes)]
    return found


# --- inside -----------------------------------------------------------------------------------------------------------


def _left(now: Iterable[Any], change: tuple[Any, Any], shared: AbstractSet[Any]) -> list[Any]:
    before, after = change
    return [one for one in now if one not in {*after} - {*before} - shared]


def _untouched(survivor: Lead, part: Part, name: str) -> bool:
    """Whether the field and what goes with it are as the merge left them: else none of them is taken back."""
    return all(_same(getattr(survivor, one), part.changes[one][1]) for one in _together(name))


def _inherited(part: Part, other: Part, next_to: Iterable[str]) -> Changes:
    """What the other finds before it: of sets no longer what the part gave, of the fields what the part found."""
    found = {
        name: (_left(other.changes[name][0], part.changes[name], frozenset()), other.changes[name][1]) for name in SETS
    }
    for name in next_to:
        if all(_same(other.changes[one][0], part.changes[one][1]) for one in _together(name)):
            found[name] = (part.changes[name][0], other.changes[name][1])
    return found


def _together(name: str) -> tuple[str, ...]:
    """The field with what goes with it."""
    return next((pair for pair in WITH.items() if name in pair), (name,))


def _brings(lead: Lead, name: str) -> list[Any]:
    """What a part adds to a set."""
    return [*([lead.number] if name == "merged" else []), *members(lead, name)]


def _same(one: Any, other: Any) -> bool:
    return json_text(one) == json_text(other)
