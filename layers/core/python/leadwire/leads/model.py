"""What a lead is: the record, its statuses, and the pure rules about both. No I/O here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from leadwire.context import iso
from leadwire.errors import FieldError, InvalidInput

STATUSES = ("new", "contacted", "qualified", "converted", "lost", "follow_up", "unsubscribed")
"""The canonical statuses (decision D5); each dialect maps its own words to these."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""Characters that no line has."""
NAME_LIMIT = 255
TEXT_LIMIT = 65_536
OPEN_MAP_BYTES = 32 * 1024
OPEN_MAP_DEPTH = 8
LARGEST = 112 * 1024
"""Bytes of what is open-ended in a lead, as JSON. The rest of it is bounded field by field and less than 15 KiB: so an
event, which is a lead and what it was before, stays below 256 KiB. Whatever carries events takes that much."""
MOST_TAGS = 50
"""At most, on one lead: tags that are new to the tenant are written in the lead's transaction."""
MOST_MERGED = 40
"""Leads that one may be made of: the identities of all of them change in one transaction."""
LINE_BYTES = 1000
"""At most, of a line of text that is part of an index key; keys end at 1,024."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One lead of a tenant. Absent texts are empty, times are epoch milliseconds, `number` 0 means not stored yet."""

    number: int = 0
    version: int = 0
    """Grows by one with every change; the condition of every write."""
    event: str = ""
    """The id of the last event, so that the next one sorts after it."""
    created_at: int = 0
    updated_at: int = 0
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    """As it was given; identity.py has the normal form that makes it a key."""
    phone: str = ""
    """E.164."""
    phone_given: str = ""
    """The spelling of a client whose dialect promises it back (decision D7), if it differs."""
    company: str = ""
    job_title: str = ""
    source: str = ""
    status: str = "new"
    score: int = 0
    starred: bool = False
    pipeline_id: int | None = None
    stage_id: int | None = None
    assigned_user_id: int | None = None
    notes: str = ""
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    """Ids of the lists it is in, in the order of joining."""
    chatbot: str = ""
    address: Mapping[str, str] = field(default_factory=dict)
    """address1, address2, city, state, zip, country."""
    custom: Mapping[str, Any] = field(default_factory=dict)
    """The open map: crm `custom_fields`, chatbot and lists `metadata`, public tracking and additional data."""
    qualification: Mapping[str, Any] = field(default_factory=dict)
    """What a conversation found out: status, data, summary, common, reason (history.py)."""
    possible_duplicate_of: int | None = None
    merged: tuple[int, ...] = ()
    """Numbers of the leads that became part of this one (merging.py); their messages and events are this one's too."""
    other_emails: tuple[str, ...] = ()
    """Addresses by which it is known as well since it was merged, in their normal form."""
    other_phones: tuple[str, ...] = ()
    converted_at: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Stored:
    """A lead as a verb left it, and whether it had been there before: what an answer is rendered from."""

    lead: Lead
    existed: bool


_DEFAULTS = Lead()
_TUPLES = ("tags", "lists", "merged", "other_emails", "other_phones")
_FIELDS = tuple(f.name for f in fields(Lead))
_KNOWN = frozenset(_FIELDS)
_values = attrgetter(*_FIELDS)
_EMPTY = _values(_DEFAULTS)
_BOOKKEEPING = frozenset({"number", "version", "event", "created_at", "updated_at"})


def snapshot(lead: Lead) -> dict[str, Any]:
    """The lead as JSON, without what is empty: what events carry. `of_snapshot` is its inverse."""
    described = zip(_FIELDS, _values(lead), _EMPTY, strict=True)
    return {name: value for name, value, empty in described if value != empty or name in ALWAYS}


ALWAYS = frozenset({"number", "version", "created_at", "updated_at", "status"})


def of_snapshot(values: Mapping[str, Any]) -> Lead:
    known = {name: value for name, value in values.items() if name in _KNOWN}
    for name in _TUPLES:
        if name in known:
            known[name] = tuple(known[name])
    return Lead(**known)


def changes(before: Lead, after: Lead) -> dict[str, list[Any]]:
    """Field to [before, after], for the fields that differ."""
    pairs = zip(_FIELDS, _values(before), _values(after), strict=True)
    return {name: [old, new] for name, old, new in pairs if old != new and name not in _BOOKKEEPING}


_OPEN_ENDED = ("notes", "custom", "qualification", "lists", "merged", "other_emails", "other_phones")
_LONGEST_TAG = 100 * 4 + 3
"""Bytes of the longest tag with its quotes and comma. Each tag counts as that: it may be renamed."""


def oversize(lead: Lead) -> FieldError | None:
    """What is wrong with a lead that has more tags or is larger than a lead may be."""
    if len(lead.tags) > MOST_TAGS:
        return FieldError("tags", f"must not be more than {MOST_TAGS} on one lead", "too_long")
    texts = [getattr(lead, name) for name in _OPEN_ENDED]
    size = len(json.dumps(texts, ensure_ascii=False).encode()) + len(lead.tags) * _LONGEST_TAG
    if size <= LARGEST:
        return None
    return FieldError("", f"makes the lead larger than {LARGEST // 1024} KiB", "too_large")


def sized(lead: Lead) -> Lead:
    """The lead, if it is not too large for the table and for events. Raises InvalidInput."""
    problem = oversize(lead)
    if problem:
        raise InvalidInput(problem)
    return lead


def born(draft: Lead, number: int, now_ms: int, event: str) -> Lead:
    """A draft as the lead it becomes."""
    lead = replace(draft, number=number, version=1, event=event, created_at=now_ms, updated_at=now_ms)
    return with_conversion(lead, now_ms)


def changed(before: Lead, wanted: Lead, now_ms: int, event: str) -> Lead:
    """The next version of a lead. Its time never goes back, whatever the clocks of two machines say.

    A new phone does not keep the spelling of the one before it.
    """
    at = max(now_ms, before.updated_at)
    stale = wanted.phone != before.phone and wanted.phone_given == before.phone_given
    given = "" if stale else wanted.phone_given
    return with_conversion(
        replace(wanted, version=before.version + 1, event=event, updated_at=at, phone_given=given), at
    )


def with_conversion(lead: Lead, now_ms: int) -> Lead:
    """`converted_at` is set when the status becomes converted and cleared when it leaves (decisions.md, lists)."""
    since = (lead.converted_at or now_ms) if lead.status == "converted" else None
    return lead if since == lead.converted_at else replace(lead, converted_at=since)


def short(text: str) -> str:
    """The text on one line, without control characters, cut to what a line may have."""
    words = CONTROL.sub(" ", text).split()
    return " ".join(words)[:NAME_LIMIT].encode()[:LINE_BYTES].decode(errors="ignore")


def split_name(name: str) -> tuple[str, str]:
    """First and last name of a full name: the last word is the last name. `join` of both gives the name back."""
    words = name.split()
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (" ".join(words), "")


def with_tags(present: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    """Tags in the order in which they came, each once."""
    return tuple(dict.fromkeys((*present, *added)))


def with_note(notes: str, note: str, now_ms: int) -> str:
    """The notes with one more dated line (decisions.md, lists); an empty note adds none. May pass TEXT_LIMIT."""
    return "\n".join(filter(None, (notes, f"[{iso(now_ms)}] {note}" if note else "")))


def filled(lead: Lead, draft: Lead) -> Lead:
    """The lead with what it lacks taken from the draft, and the draft's tags; nothing that is set changes.

    What a lead has no room for is left out: whoever filled in a form cannot do anything about it.
    """
    texts = ("first_name", "last_name", "email", "phone", "company", "job_title", "source")
    lacking = {name: getattr(draft, name) for name in texts if not getattr(lead, name)}
    user = lead.assigned_user_id or draft.assigned_user_id
    tags = with_tags(lead.tags, draft.tags)[:MOST_TAGS]
    result = replace(lead, **lacking, assigned_user_id=user)
    custom = {**draft.custom, **lead.custom}
    for more in ({"tags": tags}, {"custom": custom}, {"notes": lead.notes or draft.notes}):
        larger = replace(result, **more)
        fits = not open_map_problem(larger.custom) and not oversize(larger)
        result = larger if fits else result
    return result


def open_map_problem(value: Mapping[str, Any]) -> str | None:
    """Why an open map (custom fields, metadata) is refused (decision D9), or None."""
    if _depth(value) > OPEN_MAP_DEPTH:
        return f"must not be nested deeper than {OPEN_MAP_DEPTH} levels"
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        return "must not contain NaN or infinite numbers, or broken characters"
    return f"must not be larger than {OPEN_MAP_BYTES // 1024} KiB" if size > OPEN_MAP_BYTES else None


def _depth(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + max((_depth(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(inner) for inner in value), default=0)
    return 0
