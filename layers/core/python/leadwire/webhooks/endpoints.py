"""Endpoints as items of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadwire import keys
from leadwire.store.table import Table
from leadwire.store.types import (
    PRESENT,
    Compare,
    Condition,
    ConditionFailed,
    Item,
    Key,
    Query,
    TransactionFailed,
    Update,
    all_of,
    any_of,
    equals,
)

from . import health, notices
from .model import Delivery, Outcome, SealedSecret, Webhook

PROBE = 60_000
"""Milliseconds after which a half-open circuit lets another attempt through if the first one never came back."""


def key(tenant: str, webhook: str) -> Key:
    return Key(keys.webhooks(tenant), webhook)


def vault_context(tenant: str, webhook: str) -> str:
    """Binds a sealed secret to its endpoint."""
    return f"webhook/{tenant}/{webhook}"


def item(tenant: str, webhook: Webhook) -> Item:
    values = {name: getattr(webhook, name) for name in Webhook.__slots__ if name != "id"}
    place = key(tenant, webhook.id)
    secrets = [{"sealed": secret.sealed, "until": secret.until} for secret in webhook.secrets]
    filters = {name: list(patterns) for name, patterns in webhook.filters.items()}
    return {"pk": place.pk, "sk": place.sk, **values, "secrets": secrets, "filters": filters}


def of_item(item: Mapping[str, Any]) -> Webhook:
    values = {name: item[name] for name in Webhook.__slots__ if name != "id"}
    values["secrets"] = tuple(SealedSecret(bytes(secret["sealed"]), secret["until"]) for secret in item["secrets"])
    return Webhook(id=item["sk"], **values)


def every(table: Table, tenant: str) -> list[Webhook]:
    """All of a tenant, oldest first."""
    items = table.query_all(Query(keys.webhooks(tenant), consistent=True))
    return sorted(map(of_item, items), key=lambda webhook: (webhook.created_at, webhook.id))


def find(table: Table, tenant: str, id_: str) -> Webhook | None:
    found = table.get(key(tenant, id_))
    return of_item(found) if found else None


def counted(tenant: str, webhook: Webhook, outcome: Outcome, now: int, owed: tuple[int, int]) -> Update:
    """The write that adds an attempt to its endpoint, and `owed` successes and failures from before."""
    tally = health.tally(webhook, outcome, now)
    add = dict(tally.add)
    for name, more in zip(("successes", "failures"), owed, strict=True):
        if more:
            add[name] = add.get(name, 0) + more
    return Update(key(tenant, webhook.id), set=tally.set, add=add, condition=PRESENT)


def disable(table: Table, delivery: Delivery, reason: str, now: int, still: Condition = PRESENT) -> bool:
    """Disable a delivery's endpoint and tell operators. False if it is disabled or gone, or `still` does not hold."""
    changed: Item = {"enabled": False, "disabled_because": reason, "updated_at": now}
    condition = all_of(equals("enabled", True), still)
    update = Update(key(delivery.tenant, delivery.webhook), set=changed, condition=condition)
    told = notices.of_disabling(delivery.tenant, delivery.webhook, reason, delivery.event, now)
    try:
        table.transact([update, told])
    except TransactionFailed:
        return False
    return True


def still_failing(webhook: Webhook) -> Condition:
    """That the endpoint has had no success since it was read, or has failed too often all the same."""
    since = equals("failing_since", webhook.failing_since)
    return any_of(since, Compare("consecutive_failures", ">=", health.MOST_FAILURES))


def blow(table: Table, tenant: str, webhook: Webhook, now: int) -> Webhook | None:
    """Count a failure in the circuit's window and open the circuit if it is enough; `webhook` is as it was read before
    the attempt. The endpoint as it is now, exact; None if it is gone.
    """
    place = key(tenant, webhook.id)
    if webhook.open_until is not None:  # this was the one attempt that a half-open circuit let through
        return _changed(table, Update(place, set=health.opened(webhook, now), condition=PRESENT))
    one = {"window_attempts": 1, "window_failures": 1}
    begun = Compare("window_at", ">", now - health.WINDOW)
    after = _changed(table, Update(place, add=one, condition=begun))
    if after is None:
        fresh = any_of(equals("window_at", None), Compare("window_at", "<=", now - health.WINDOW))
        after = _changed(table, Update(place, set={"window_at": now, **one}, condition=fresh))
        after = after or _changed(table, Update(place, add=one, condition=PRESENT))  # somebody else began it
    if after is None or after.open_until is not None or not health.blows(after):
        return after
    closed = equals("open_until", None)
    return _changed(table, Update(place, set=health.opened(after, now), condition=closed)) or after


def _changed(table: Table, update: Update) -> Webhook | None:
    try:
        return of_item(table.update(update))
    except ConditionFailed:
        return None


def claim_probe(table: Table, tenant: str, webhook: Webhook, now: int) -> Webhook | None:
    """The right to be the one attempt that goes through a half-open circuit, or None: somebody else is."""
    unchanged = all_of(PRESENT, equals("open_until", webhook.open_until))
    return _changed(table, Update(key(tenant, webhook.id), set={"open_until": now + PROBE}, condition=unchanged))
