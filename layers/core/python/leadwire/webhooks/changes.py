"""What an update makes of an endpoint, and the write of what it changed. Nothing here touches the table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import keys
from leadwire.store.types import Update, equals

from . import endpoints, health
from .model import SealedSecret, Webhook

DAY = 24 * 3600
OVERLAP = DAY
"""Seconds for which a replaced secret still signs, if not told otherwise."""
LONGEST_OVERLAP = 7 * DAY
SECRETS = 10
"""Of one endpoint, at most: the newest, and those before it that still sign."""
CHANGEABLE = ("event_types", "url", "enabled", "name", "max_retries", "retry_delay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an update asks for; None leaves a thing as it is."""

    event_types: frozenset[str] | None = None
    url: str | None = None
    enabled: bool | None = None
    name: str | None = None
    max_retries: int | None = None
    retry_delay: int | None = None
    secret: str | None = field(default=None, repr=False)
    overlap: int = OVERLAP
    """Seconds for which the secrets before still sign; 0 to LONGEST_OVERLAP."""
    clear_errors: bool = False


def changed(before: Webhook, changes: Changes, sealed: SealedSecret | None, now_ms: int) -> Webhook:
    """The endpoint after the changes; `sealed` is their secret, if they bring one."""
    now = max(now_ms, before.updated_at + 1)
    names = [name for name in CHANGEABLE if getattr(changes, name) is not None]
    wanted = {name: getattr(changes, name) for name in names}
    after = replace(before, updated_at=now, **_cleared(before, changes), **wanted)
    if sealed is None:
        return after
    until = now + changes.overlap * 1000
    older = [replace(old, until=min(old.until or until, until)) for old in before.secrets]
    valid = [old for old in older if old.until and old.until > now]
    return replace(after, secrets=(sealed, *valid[: SECRETS - 1]))


def difference(tenant: str, before: Webhook, after: Webhook) -> Update:
    """Only what changed: counters and the sequence move on at any time under other hands."""
    names = [name for name in Webhook.__slots__ if getattr(before, name) != getattr(after, name)]
    item = endpoints.item(tenant, after)
    unchanged = equals("updated_at", before.updated_at)
    return Update(keys.webhook(tenant, after.id), set={name: item[name] for name in names}, condition=unchanged)


def _cleared(before: Webhook, changes: Changes) -> dict[str, Any]:
    """What goes with the changes: errors are forgotten, and an endpoint that is enabled begins anew."""
    cleared: dict[str, Any] = {}
    if changes.clear_errors:
        cleared |= {"failures": 0, "consecutive_failures": 0, "last_error": ""}
    if changes.enabled is not None:
        cleared |= {"disabled_because": "" if changes.enabled else before.disabled_because or "owner"}
    if changes.enabled and not before.enabled:
        cleared |= health.RECOVERED
    return cleared
