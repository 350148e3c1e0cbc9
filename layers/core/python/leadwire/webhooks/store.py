"""Deliveries and attempts as items of the table.

The due index (g2) rings for a delivery that waits: at the time of a late attempt, and a little after an early one,
whose own alarm is a delayed message that may be lost. What is held is also in g3 under its endpoint, and what was given
up under another key there, until it is recovered or forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from leadwire import keys, telemetry
from leadwire.store.table import Table
from leadwire.store.types import (
    ABSENT,
    Check,
    ConditionFailed,
    Item,
    Key,
    Put,
    Query,
    Throttled,
    TransactionConflict,
    TransactionFailed,
    TransactWrite,
    Update,
    all_of,
    equals,
)

from . import endpoints, notices, queue
from .model import Delivery, Outcome, Webhook
from .retry import Disable, Done, GiveUp, RetryAt, Step

SECOND = 1000
DAY = 86_400 * SECOND
GRACE = 120 * SECOND
"""How long after its alarm in the queue a delivery rings in the due index."""
REST = DAY
"""How often a held delivery looks whether its endpoint is back (releasing does not wait for that)."""
KEPT = 90 * DAY
INDEXED = ("g2pk", "g2sk", "g3pk", "g3sk")
ATTEMPT, MOVE, COUNT = range(3)
"""Places in the transaction of `record`."""


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
        **_indexes(delivery, delivery.created_at),
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


def record(
    table: Table, webhook: Webhook, delivery: Delivery, outcome: Outcome, step: Step, now: int
) -> Delivery | None:
    """Write the attempt down: its log, what follows, the endpoint's counters, what operators are told, all or nothing.
    None if the same attempt has been recorded before.

    Attempts at a busy endpoint may refuse each other over its counters. Then the attempt is written without them and
    owes them; the next attempt, or an alarm of its own, pays.
    """
    told = notices.after_attempt(delivery, step)
    after = replace(_stepped(delivery, step, now), reported=bool(told) or delivery.reported)
    if told and isinstance(step, Done):
        after = replace(after, reported=False)
    paid = replace(after, owed_successes=0, owed_failures=0)
    logged = Put(_attempt(delivery, outcome, paid, now), ABSENT)
    notice = [notices.of_delivery(told, delivery, outcome, now)] if told else []
    owed = (delivery.owed_successes, delivery.owed_failures)
    count = endpoints.counted(delivery.tenant, webhook, outcome, now, owed)
    try:
        table.transact([logged, _move(delivery, paid, now), count, *notice])
    except TransactionFailed as refused:
        if refused.failed.keys() != {COUNT}:
            return None
        return _recorded(table, [logged, _move(delivery, paid, now), *notice], paid)  # the endpoint is gone
    except (Throttled, TransactionConflict) as busy:
        telemetry.fault("count.owed", busy, webhook=delivery.webhook)
        owing = replace(
            after,
            owed_successes=delivery.owed_successes + outcome.delivered,
            owed_failures=delivery.owed_failures + (not outcome.delivered),
        )
        return _recorded(table, [logged, _move(delivery, owing, now), *notice], owing)
    return paid


def pay(table: Table, delivery: Delivery, now: int) -> None:
    """Add what an attempt owes to its endpoint's counters. Nothing if somebody else did, or the endpoint is gone."""
    paid = replace(delivery, owed_successes=0, owed_failures=0)
    add = {"successes": delivery.owed_successes, "failures": delivery.owed_failures}
    count = Update(endpoints.key(delivery.tenant, delivery.webhook), add=add, condition=equals("sk", delivery.webhook))
    try:
        table.transact([_move(delivery, paid, now), count])
    except TransactionFailed as refused:
        if refused.failed.keys() == {1}:
            move(table, delivery, paid, now)


def move(table: Table, delivery: Delivery, after: Delivery, now: int) -> bool:
    """Change a delivery's state. False if somebody has changed it since it was read."""
    try:
        table.write(_move(delivery, after, now))
    except ConditionFailed:
        return False
    return True


def hold(table: Table, delivery: Delivery, now: int) -> bool:
    """Keep it until its endpoint is enabled. False if that has happened meanwhile."""
    endpoint = Check(endpoints.key(delivery.tenant, delivery.webhook), equals("enabled", False))
    try:
        table.transact([endpoint, _move(delivery, replace(delivery, state="held", next_at=now), now)])
    except TransactionFailed:
        return False
    return True


def held(table: Table, tenant: str, webhook: str) -> Iterator[Delivery]:
    """What waits for the endpoint to be enabled, in the order of the events."""
    rows = table.query_all(Query(keys.endpoint_log(tenant, webhook), index="g3", limit=100))
    for row in rows:
        item = table.get(Key(row["pk"], row["sk"]))
        if item is not None and item["state"] == "held":
            yield delivery_of(item)


def due_time(ms: int) -> str:
    """The due index's sort key: epoch milliseconds that sort as text."""
    return f"{ms:015d}"


# --- inside -----------------------------------------------------------------------------------------------------------


def _stepped(delivery: Delivery, step: Step, now: int) -> Delivery:
    """The delivery after one more attempt, and when the next one is due if there is one."""
    made = replace(delivery, attempts=delivery.attempts + 1)
    match step:
        case RetryAt(at=at):
            return replace(made, state="pending", next_at=at)
        case Disable(delivered=False):
            return replace(made, state="held", next_at=now)
        case GiveUp():
            return replace(made, state="exhausted", next_at=now)
        case Done() | Disable():
            return replace(made, state="delivered", next_at=now)


def _attempt(delivery: Delivery, outcome: Outcome, after: Delivery, now: int) -> Item:
    key = keys.attempt(delivery.tenant, delivery.id, after.attempts)
    return {
        "pk": key.pk,
        "sk": key.sk,
        "at": now - outcome.ms,
        "kind": outcome.kind,
        "status": outcome.status,
        "ms": outcome.ms,
        "body": outcome.body,
        "error": outcome.error,
        "next_at": after.next_at if after.state == "pending" else None,
        "expires_at": (now + KEPT) // SECOND,
    }


def _recorded(table: Table, ops: list[TransactWrite], after: Delivery) -> Delivery | None:
    try:
        table.transact(ops)
    except TransactionFailed:
        return None
    return after


CHANGING = ("state", "next_at", "attempts", "run", "reported", "owed_successes", "owed_failures")


def _move(delivery: Delivery, after: Delivery, now: int) -> Update:
    """From one to the other, unless somebody has changed it since it was read."""
    index = _indexes(after, now)
    read = ("attempts", "state", "run", "owed_successes", "owed_failures")
    return Update(
        keys.delivery(delivery.tenant, delivery.id),
        set={**{name: getattr(after, name) for name in CHANGING}, **index},
        remove=tuple(name for name in INDEXED if name not in index),
        condition=all_of(*(equals(name, getattr(delivery, name)) for name in read)),
    )


def _indexes(delivery: Delivery, now: int) -> Item:
    """The index keys of a delivery that still has something ahead of it."""
    shard = keys.due(int(delivery.id[:8], 16) % keys.DUE_SHARDS)
    if delivery.state == "pending":
        near = delivery.next_at - now <= queue.LONGEST_DELAY * SECOND
        return keys.indexed(g2=(shard, due_time(delivery.next_at + (GRACE if near else 0))))
    if delivery.state == "held":
        log = keys.endpoint_log(delivery.tenant, delivery.webhook)
        return keys.indexed(g2=(shard, due_time(delivery.next_at + REST)), g3=(log, delivery.event))
    owing = delivery.owed_successes or delivery.owed_failures
    index = keys.indexed(g2=(shard, due_time(now + GRACE))) if owing else {}
    if delivery.state == "exhausted":
        index |= keys.indexed(g3=(keys.given_up(delivery.tenant, delivery.webhook), delivery.event))
    return index
