"""Who calls, what they may do, and how often: one conditional update answers all three.

    UpdateItem KEY#sha256  ADD used 1  IF enabled AND valid AND window open AND used < limit

The refusal returns the item as it is, which tells the reasons apart: unknown, revoked, expired (401), window over
(a new one is opened, at most once), used up (429). Nothing is cached: a revoked key is refused at its next call, and
counts are exact under any concurrency.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import keys, tenants
from .apikeys import EVERY_SCOPE, digest
from .context import Tenant
from .errors import Unauthorized
from .store.table import Table
from .store.types import (
    PRESENT,
    Attr,
    Compare,
    Condition,
    ConditionFailed,
    Item,
    Key,
    Missing,
    Update,
    all_of,
    equals,
)


@dataclass(frozen=True, slots=True)
class Admission:
    """A call whose key is good: whose it is, what it may do, and where its window stands after this call."""

    key_id: str
    family: str
    tenant: Tenant
    scopes: frozenset[str]
    limit: int
    used: int
    reset: int
    """Epoch seconds at which the window ends."""
    retry_after: int = 0
    """Seconds to wait if the window is used up, so that the call may not go on; its refusal shows the rest (D11)."""

    def may(self, scope: str) -> bool:
        return EVERY_SCOPE in self.scopes or scope in self.scopes


def admit(table: Table, token: str, now: int) -> Admission:
    """Authenticate and count one call. `table` is unscoped, `now` epoch seconds. Raises Unauthorized."""
    key = keys.api_key(digest(token))
    may_enter = all_of(Missing("meter"), equals("enabled", True), Compare("valid_until", ">", now))
    try:
        item, retry_after = _count(table, key, now, may_enter)
        return _admission(item, item, retry_after)
    except ConditionFailed as refused:
        item = refused.item or {}
    if not item.get("enabled") or item["valid_until"] <= now:
        raise Unauthorized("The API key is invalid, revoked or expired")
    meter, retry_after = _count(table, Key(item["meter"], key.sk), now, PRESENT)
    return _admission(item, meter, retry_after)


def _count(table: Table, key: Key, now: int, may_enter: Condition) -> tuple[Item, int]:
    """The item after counting one call in its window, and 0; or as it is, and the seconds until its window ends.

    ConditionFailed if `may_enter` does not hold.
    """
    open_window = (Compare("window_ends", ">", now), Compare("used", "<", Attr("limit")))
    while True:
        try:
            return table.update(Update(key, add={"used": 1}, condition=all_of(may_enter, *open_window))), 0
        except ConditionFailed as refused:
            item = refused.item
            if item is None or not _entered(item, may_enter, now):
                raise
        if item["window_ends"] > now:
            return item, item["window_ends"] - now
        renewed = _renew(table, key, item, now, may_enter)
        if renewed is not None:
            return renewed, 0


def _entered(item: Item, may_enter: Condition, now: int) -> bool:
    if may_enter is PRESENT:
        return True
    return "meter" not in item and bool(item["enabled"]) and item["valid_until"] > now


def _renew(table: Table, key: Key, seen: Item, now: int, may_enter: Condition) -> Item | None:
    """Open a new window with this call as its first; None if another call was faster."""
    window = {"used": 1, "window_ends": now + seen["window"]}
    unchanged = equals("window_ends", seen["window_ends"])
    try:
        return table.update(Update(key, set=window, condition=all_of(may_enter, unchanged)))
    except ConditionFailed:
        return None


def _admission(key: Item, meter: Item, retry_after: int) -> Admission:
    return Admission(
        key_id=key["id"],
        family=key["family"],
        tenant=tenants.from_copy(key["tenant"]),
        scopes=frozenset(key["scopes"]),
        limit=meter["limit"],
        used=meter["used"],
        reset=meter["window_ends"],
        retry_after=retry_after,
    )
