"""Endpoints, deliveries and attempts as items of the table.

The due index (g2) rings for a delivery that waits: at the time of a late attempt, and a little after an early one,
whose own alarm is a delayed message that may be lost. What is held is also in g3, under its endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from leadwire import keys, telemetry
from leadwire.store.table import Table
from leadwire.store.types import (
    ABSENT,
    PRESENT,
    Check,
    ConditionFailed,
    Item,
    Key,
    Put,
    Query,
    Throttled,
    TransactionConflict,
    TransactionFailed,
    Unavailable,
    Update,
    all_of,
    equals,
)

from . import queue
from .model import Delivery, Outcome, SealedSecret, State, Webhook
from .retry import Disable, Done, GiveUp, RetryAt, Step

SECOND = 1000
DAY = 86_400 * SECOND
GRACE = 120 * SECOND
"""How long after its alarm in the queue a delivery rings in the due index."""
REST = DAY
"""How often a held delivery looks whether its endpoint is back (releasing does not wait for that)."""
KEPT = 90 * DAY
INDEXED = ("g2pk", "g2sk", "g3pk", "g3sk")


# --- endpoints --------------------------------------------------------------------------------------------------------


def webhook_key(tenant: str, webhook: str) -> Key:
    return Key(keys.webhooks(tenant), webhook)


def vault_context(tenant: str, webhook: str) -> str:
    """Binds a sealed secret to its endpoint."""
    return f"webhook/{tenant}/{webhook}"


def webhook_item(tenant: str, webhook: Webhook) -> Item:
    values = {name: getattr(webhook, name) for name in Webhook.__slots__ if name != "id"}
    key = webhook_key(tenant, webhook.id)
    secrets = [{"sealed": secret.sealed, "until": secret.until} for secret in webhook.secrets]
    filters = {name: list(patterns) for name, patterns in webhook.filters.items()}
    return {"pk": key.pk, "sk": key.sk, **values, "secrets": secrets, "filters": filters}


def webhook_of(item: Mapping[str, Any]) -> Webhook:
    values = {name: item[name] for name in Webhook.__slots__ if name != "id"}
    values["secrets"] = tuple(SealedSecret(bytes(secret["sealed"]), secret["until"]) for secret in item["secrets"])
    return Webhook(id=item["sk"], **values)


def webhooks(table: Table, tenant: str) -> list[Webhook]:
    """All of a tenant, oldest first."""
    items = table.query_all(Query(keys.webhooks(tenant), consistent=True))
    return sorted(map(webhook_of, items), key=lambda webhook: (webhook.created_at, webhook.id))


def webhook(table: Table, tenant: str, id_: str) -> Webhook | None:
    item = table.get(webhook_key(tenant, id_))
    return webhook_of(item) if item else None


def disable(table: Table, delivery: Delivery, now: int) -> None:
    """At the receiver's own wish. The endpoint may be gone by now."""
    try:
        key = webhook_key(delivery.tenant, delivery.webhook)
        table.write(Update(key, set={"enabled": False, "updated_at": now}, condition=PRESENT))
    except ConditionFailed:
        return


def count(table: Table, delivery: Delivery, outcome: Outcome, now: int) -> None:
    """Add an attempt to its endpoint's counters.

    Not in the attempt's transaction: transactions on one hot item refuse each other, and an attempt that cannot be
    recorded is sent again. A crash in between, or a table that stays busy, loses one count and never a delivery.
    """
    key = webhook_key(delivery.tenant, delivery.webhook)
    common: Item = {"last_triggered_at": now}
    if outcome.delivered:
        fresh: Item = {"consecutive_failures": 0, "last_success_at": now, "last_error": ""}
        op = Update(key, set={**common, **fresh}, add={"successes": 1}, condition=PRESENT)
    else:
        failed: Item = {"last_failure_at": now, "last_error": outcome.error}
        op = Update(key, set={**common, **failed}, add={"failures": 1, "consecutive_failures": 1}, condition=PRESENT)
    try:
        table.write(op)
    except ConditionFailed:
        return  # deleted meanwhile: nothing left to count on
    except (Throttled, TransactionConflict, Unavailable) as busy:
        telemetry.fault("count.lost", busy, webhook=delivery.webhook)


# --- deliveries -------------------------------------------------------------------------------------------------------


def new_delivery(delivery: Delivery) -> Put:
    key = keys.delivery(delivery.tenant, delivery.id)
    item: Item = {
        **{name: getattr(delivery, name) for name in Delivery.__slots__},
        "pk": key.pk,
        "sk": key.sk,
        "headers": dict(delivery.headers),
        "timeout": round(delivery.timeout * SECOND),
        "waits": [round(wait * SECOND) for wait in delivery.waits],
        "expires_at": (delivery.created_at + KEPT) // SECOND,
        **keys.indexed(g1=(keys.endpoint_log(delivery.tenant, delivery.webhook), delivery.event)),
        **_waiting(delivery, delivery.state, delivery.next_at, delivery.created_at),
    }
    return Put(item, ABSENT)


def delivery(table: Table, tenant: str, id_: str) -> Delivery | None:
    item = table.get(keys.delivery(tenant, id_))
    return delivery_of(item) if item else None


def delivery_of(item: Mapping[str, Any]) -> Delivery:
    values = {name: item[name] for name in Delivery.__slots__}
    values["timeout"] = item["timeout"] / SECOND
    values["waits"] = tuple(wait / SECOND for wait in item["waits"])
    return Delivery(**values)


def record(table: Table, delivery: Delivery, outcome: Outcome, step: Step, now: int) -> Delivery | None:
    """Write the attempt down, and what follows it. None if the same attempt has been recorded before."""
    number = delivery.attempts + 1
    state, next_at = _after(step, now)
    key = keys.attempt(delivery.tenant, delivery.id, number)
    attempt: Item = {
        "pk": key.pk,
        "sk": key.sk,
        "at": now - outcome.ms,
        "kind": outcome.kind,
        "status": outcome.status,
        "ms": outcome.ms,
        "body": outcome.body,
        "error": outcome.error,
        "next_at": next_at if state == "pending" else None,
        "expires_at": (now + KEPT) // SECOND,
    }
    try:
        table.transact([Put(attempt, ABSENT), _move(delivery, state, next_at, now, attempts=number)])
    except TransactionFailed:
        return None
    return replace(delivery, state=state, next_at=next_at, attempts=number)


def hold(table: Table, delivery: Delivery, now: int) -> bool:
    """Keep it until its endpoint is enabled. False if that has happened meanwhile."""
    endpoint = Check(webhook_key(delivery.tenant, delivery.webhook), equals("enabled", False))
    try:
        table.transact([endpoint, _move(delivery, "held", now, now)])
    except TransactionFailed:
        return False
    return True


def close(table: Table, delivery: Delivery, now: int) -> None:
    """Its endpoint was deleted."""
    try:
        table.write(_move(delivery, "closed", now, now))
    except ConditionFailed:
        return  # somebody was faster; their word stands


def held(table: Table, tenant: str, webhook: str) -> Iterator[Delivery]:
    """What waits for the endpoint to be enabled, in the order of the events."""
    rows = table.query_all(Query(keys.endpoint_log(tenant, webhook), index="g3", limit=100))
    for row in rows:
        item = table.get(Key(row["pk"], row["sk"]))
        if item is not None and item["state"] == "held":
            yield delivery_of(item)


def release(table: Table, delivery: Delivery, now: int) -> Delivery | None:
    """Make it due. None if somebody else did."""
    try:
        item = table.write(_move(delivery, "pending", now, now))
    except ConditionFailed:
        return None
    return delivery_of(item) if item else None


def due_time(ms: int) -> str:
    """The due index's sort key: epoch milliseconds that sort as text."""
    return f"{ms:015d}"


# --- inside -----------------------------------------------------------------------------------------------------------


def _after(step: Step, now: int) -> tuple[State, int]:
    """The delivery's state after an attempt, and when the next one is due if there is one."""
    match step:
        case RetryAt(at=at):
            return "pending", at
        case Disable(delivered=False):
            return "held", now
        case GiveUp():
            return "exhausted", now
        case Done() | Disable():
            return "delivered", now


def _move(delivery: Delivery, state: State, next_at: int, now: int, attempts: int | None = None) -> Update:
    """A change of state, unless somebody has changed it since it was read."""
    index = _waiting(delivery, state, next_at, now)
    return Update(
        keys.delivery(delivery.tenant, delivery.id),
        set={"state": state, "next_at": next_at, "attempts": attempts or delivery.attempts, **index},
        remove=tuple(name for name in INDEXED if name not in index),
        condition=all_of(equals("attempts", delivery.attempts), equals("state", delivery.state)),
    )


def _waiting(delivery: Delivery, state: State, next_at: int, now: int) -> Item:
    """The index keys of a delivery that still has something ahead of it."""
    shard = keys.due(int(delivery.id[:8], 16) % keys.DUE_SHARDS)
    if state == "pending":
        ring = next_at + GRACE if next_at - now <= queue.LONGEST_DELAY * SECOND else next_at
        return keys.indexed(g2=(shard, due_time(ring)))
    if state == "held":
        log = keys.endpoint_log(delivery.tenant, delivery.webhook)
        return keys.indexed(g2=(shard, due_time(next_at + REST)), g3=(log, delivery.event))
    return {}
