"""Endpoints as items of the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from leadwire import keys
from leadwire.store.table import Table
from leadwire.store.types import (
    PRESENT,
    Compare,
    Condition,
    ConditionFailed,
    Item,
    Query,
    TransactionFailed,
    Update,
    all_of,
    any_of,
    equals,
)

from . import health, notices
from .attempts import Made
from .health import Tally
from .model import Delivery, SealedSecret, Webhook

PROBE = 60_000
"""Milliseconds after which a half-open circuit lets another attempt through if the first one never came back."""


def vault_context(tenant: str, webhook: str) -> str:
    """Binds a sealed secret to its endpoint."""
    return f"webhook/{tenant}/{webhook}"


def item(tenant: str, webhook: Webhook) -> Item:
    values = {name: getattr(webhook, name) for name in Webhook.__slots__ if name != "id"}
    place = keys.webhook(tenant, webhook.id)
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


def several(table: Table, tenant: str, ids: Collection[str]) -> dict[str, Webhook]:
    """Those of them that there are, by id."""
    items = table.batch_get([keys.webhook(tenant, id_) for id_ in sorted(ids)]).values()
    return {found.id: found for found in map(of_item, items)}


def find(table: Table, tenant: str, id_: str) -> Webhook | None:
    found = table.get(keys.webhook(tenant, id_))
    return of_item(found) if found else None


def tally(webhook: Webhook, made: Sequence[Made], now: int) -> Tally:
    """What these attempts change on their endpoint; `webhook` is as it was last known."""
    probe = made[0].webhook.open_until is not None
    return health.tally(webhook, [one.outcome for one in made], now, probe=probe)


def counted(webhook: Webhook, made: Sequence[Made], tally: Tally) -> Update:
    """The write that adds attempts to their endpoint, and what their deliveries owe from before."""
    owed = {
        "successes": sum(one.delivery.owed_successes for one in made),
        "failures": sum(one.delivery.owed_failures for one in made),
    }
    add = {name: tally.add.get(name, 0) + owed.get(name, 0) for name in {*tally.add, *owed}}
    as_read = [equals(name, getattr(webhook, name)) for name in tally.as_read]
    place = keys.webhook(made[0].delivery.tenant, webhook.id)
    return Update(
        place,
        set=tally.set,
        add={name: by for name, by in add.items() if by},
        condition=all_of(PRESENT, *as_read),
    )


def disable(table: Table, delivery: Delivery, reason: str, now: int, still: Condition = PRESENT) -> bool:
    """Disable a delivery's endpoint and tell operators. False if it stays enabled because `still` does not hold."""
    changed: Item = {"enabled": False, "disabled_because": reason, "updated_at": now}
    condition = all_of(equals("enabled", True), still)
    update = Update(keys.webhook(delivery.tenant, delivery.webhook), set=changed, condition=condition)
    told = notices.of_disabling(delivery.tenant, delivery.webhook, reason, delivery.event, now)
    try:
        table.transact([update, told])
    except TransactionFailed as refused:
        before = refused.failed.get(0)
        return not (before and before["enabled"])
    return True


def still_failing(webhook: Webhook) -> Condition:
    """That the endpoint has had no success since it was read, or has failed too often all the same."""
    since = equals("failing_since", webhook.failing_since)
    return any_of(since, Compare("consecutive_failures", ">=", health.MOST_FAILURES))


def fuse(table: Table, tenant: str, before: Webhook, now: int) -> Webhook | None:
    """Open the circuit if the failures that were just counted are enough; `before` is the endpoint as it was before
    them. The endpoint as it is now; None if it is gone.
    """
    place = keys.webhook(tenant, before.id)
    if before.open_until is not None:  # this was the one attempt that a half-open circuit let through
        return _changed(table, Update(place, set=health.opened(before, now), condition=PRESENT))
    after = find(table, tenant, before.id)
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
    return _changed(
        table, Update(keys.webhook(tenant, webhook.id), set={"open_until": now + PROBE}, condition=unchanged)
    )
