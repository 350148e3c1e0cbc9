"""Which events an endpoint wants, and why not: its event types, and filters by equality, alternatives and `%`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadwire.context import Tenant
from leadwire.events import Event

from .model import Face, Webhook


def wanted(face: Face, webhook: Webhook, event: Event, tenant: Tenant) -> list[str]:
    """The words under which the endpoint is to be sent the event. (Disabled or not: then they are held.)"""
    asked = [word for word in face.words(event) if word in webhook.event_types]
    return [] if asked and failing(face, webhook, event, tenant) else asked


def failing(face: Face, webhook: Webhook, event: Event, tenant: Tenant) -> list[str]:
    """The fields whose filter the event does not pass."""
    if not webhook.filters:
        return []
    fields = face.fields(tenant, event)
    return [name for name, patterns in webhook.filters.items() if not _passes(_at(fields, name), patterns)]


def _at(fields: Any, path: str) -> Any:
    """The value of a field, `metadata.city` being one inside of another."""
    if isinstance(fields, Mapping):
        if path in fields:
            return fields[path]
        head, dot, rest = path.partition(".")
        return _at(fields.get(head), rest) if dot else None
    return None


def _passes(value: Any, patterns: Sequence[str]) -> bool:
    values = [_text(one).casefold() for one in value] if isinstance(value, list | tuple) else [_text(value).casefold()]
    return any(_like(pattern.casefold(), one) for pattern in patterns for one in values)


def _text(value: Any) -> str:
    """As JSON spells it, so that `true` and `3` can be asked for."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(pattern: str, value: str) -> bool:
    """In one pass, each part at the first place it fits: a regular expression would try every way to divide the text,
    and a customer's pattern of four `%` would hold the worker for minutes.
    """
    first, *rest = pattern.split("%")
    if not rest:
        return value == first
    if not value.startswith(first):
        return False
    *parts, last = rest
    at = len(first)
    for part in parts:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return value.endswith(last, at)
