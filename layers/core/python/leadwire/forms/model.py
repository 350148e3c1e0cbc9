"""What a form is, what a submission must be, and the lead that it makes. Pure: no I/O here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from leadwire import keys
from leadwire.context import Tenant
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import identity, model
from leadwire.leads.model import Lead
from leadwire.records import Kind, Numbered

TYPES = ("text", "email", "phone", "number", "select", "checkbox", "textarea", "date", "hidden")
SOURCE = "web_form"
"""The source of a lead whose form says none."""
_LEAD_FIELDS = {"first_name", "last_name", "company", "job_title", "source", "notes"}
_NOTES = "message"
_UNLISTED: tuple[Mapping[str, Any], ...] = tuple(
    {"key": kind, "type": kind, "required": False, "options": []} for kind in ("email", "phone")
)
_NAMES = ("name", "full_name")
_TRUE, _FALSE = ("true", "on", "1", "yes"), ("false", "off", "0", "no", "")
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Numbered):
    name: str
    slug: str
    fields: Sequence[Mapping[str, Any]] = ()
    """key, label, type, required, options: in the order in which they are shown."""
    pipeline_id: int | None = None
    stage_id: int | None = None
    tags: Sequence[str] = ()
    assigned_user_id: int | None = None
    redirect_url: str = ""
    honeypot_field: str = ""
    """A field that people do not see: what fills it in is no person."""
    is_active: bool = True


FORMS = Kind("form", keys.forms, Form, texts=frozenset({"fields"}))


def slug_of(name: str) -> str:
    """The beginning of a slug: with a number and some letters behind, it is as long as one may be at most."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40].strip("-") or "form"


class Wrong(ValueError):
    """A value is not what its field takes. Its message is for the caller."""


# --- submissions ------------------------------------------------------------------------------------------------------


def is_spam(form: Form, values: Mapping[str, Any]) -> bool:
    return bool(form.honeypot_field and values.get(form.honeypot_field))


def checked(tenant: Tenant, form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored, each by the type of its field; keys without a field stay as they came.

    Raises InvalidInput that names every field that is wrong.
    """
    found = {key: value for key, value in values.items() if key != form.honeypot_field}
    errors = []
    for field in _fields(form):
        key, value = field["key"], found.pop(field["key"], None)
        try:
            clean = None if value in (None, "") else _READERS[field["type"]](tenant, field, value)
        except ValueError as wrong:
            errors.append(FieldError(key, str(wrong), "value_error"))
            continue
        if not _is_empty(clean):
            found[key] = clean
        elif field["required"]:
            errors.append(FieldError(key, "is required", "missing"))
    if errors:
        raise InvalidInput(*errors)
    return found


def _is_empty(value: Any) -> bool:
    """Whether nothing was filled in, or no box was ticked. The number 0 is an answer."""
    return value is False or value in (None, "", [])


def draft(form: Form, values: Mapping[str, Any]) -> Lead:
    """The lead of a checked submission: fields that leads have, and the rest as custom fields."""
    rest = dict(values)
    types = {field["key"]: field["type"] for field in _fields(form)}
    email, phone = (
        next((key for key in types if types[key] == kind and key in rest), None) for kind in ("email", "phone")
    )
    texts: dict[str, Any] = {
        key: str(rest.pop(key)) for key in _LEAD_FIELDS & rest.keys() if isinstance(rest[key], str)
    }
    lead = Lead(source=SOURCE, pipeline_id=form.pipeline_id, stage_id=form.stage_id, tags=tuple(form.tags))
    texts = {key: text if key == "notes" else model.short(text) for key, text in texts.items()}
    lead = replace(
        lead,
        email=rest.pop(email) if email else "",
        phone=rest.pop(phone) if phone else "",
        assigned_user_id=form.assigned_user_id,
        **texts,
    )
    full = next((key for key in _NAMES if isinstance(rest.get(key), str)), None)
    if full and not lead.name:
        first, last = model.split_name(model.short(rest.pop(full)))
        lead = replace(lead, first_name=first, last_name=last)
    if isinstance(rest.get(_NOTES), str) and not lead.notes:
        lead = replace(lead, notes=rest.pop(_NOTES))
    return replace(lead, custom=rest)


def _fields(form: Form) -> list[Mapping[str, Any]]:
    """The form's fields; e-mail and phone are understood under their plain names also if the form lists none."""
    listed = {field["key"] for field in form.fields}
    return [*form.fields, *(field for field in _UNLISTED if field["key"] not in listed)]


# --- values by type: each reader raises Wrong or identity.Malformed ---------------------------------------------------


def _sent_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("must be a string")
    return value.strip()


def _text(_tenant: Tenant, field: Mapping[str, Any], value: Any) -> str:
    limit = model.TEXT_LIMIT if field["type"] == "textarea" else model.NAME_LIMIT
    if isinstance(value, str) and len(value) > limit:
        raise Wrong(f"should have at most {limit} characters")
    return _sent_text(value)


def _email(_tenant: Tenant, _field: Mapping[str, Any], value: Any) -> str:
    text = _sent_text(value)
    identity.normal_email(text)
    return text


def _phone(tenant: Tenant, _field: Mapping[str, Any], value: Any) -> str:
    digits = str(value) if type(value) is int else _sent_text(value)
    return identity.normal_phone(tenant, digits)


def _number(_tenant: Tenant, _field: Mapping[str, Any], value: Any) -> int | float:
    """Whole numbers stay as they are, however large: as floats they would be rounded."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Wrong("must be a number")
    try:
        read = _spelled(value.strip()) if isinstance(value, str) else value
        finite = math.isfinite(read)
    except (ValueError, OverflowError):
        raise Wrong("must be a number") from None
    if not finite:
        raise Wrong("must be a number")
    return int(read) if isinstance(read, float) and read.is_integer() else read


def _spelled(text: str) -> int | float:
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _select(_tenant: Tenant, field: Mapping[str, Any], value: Any) -> str:
    if value not in field["options"]:
        raise Wrong(f"must be one of {', '.join(field['options'])}")
    return str(value)


def _checkbox(_tenant: Tenant, field: Mapping[str, Any], value: Any) -> bool | list[str]:
    """One box is true or false; with options it is a list of those that are ticked."""
    if field["options"]:
        ticked = value if isinstance(value, list) else [value]
        if any(one not in field["options"] for one in ticked):
            raise Wrong(f"must be one or several of {', '.join(field['options'])}")
        return ticked
    word = str(value).lower()
    if word not in (*_TRUE, *_FALSE):
        raise Wrong("must be true or false")
    return word in _TRUE


def _date(_tenant: Tenant, _field: Mapping[str, Any], value: Any) -> str:
    try:
        return date.fromisoformat(_sent_text(value)).isoformat()
    except ValueError:
        raise Wrong("must be a date such as 2026-11-21") from None


type _Reader = Callable[[Tenant, Mapping[str, Any], Any], Any]

_READERS: dict[str, _Reader] = {
    "text": _text,
    "textarea": _text,
    "hidden": _text,
    "email": _email,
    "phone": _phone,
    "number": _number,
    "select": _select,
    "checkbox": _checkbox,
    "date": _date,
}
