"""Deliveries as items of the table.

The due index (g2) rings for a delivery that waits for another attempt: at the time of a late one, and a little after an
early one, whose own alarm is a delayed message that may be lost. A delivery that waits for its first attempt needs no
place there: the event's own message comes again until the alarm is set (fanout.py). What is held is also in g3 under
its endpoint, and what was given up under another key there, until it is recovered or forgotten.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadwire import keys
from leadwire.store.table import Table
from leadwire.store.types import (
    ABSENT,
    Check,
    ConditionFailed,
    Item,
    Put,
    TransactionFailed,
    Update,
    all_of,
    equals,
)

from . import queue
from .model import Delivery

SECOND = 1000
DAY = 86_400 * SECOND
GRACE = 120 * SECOND
"""How long after its alarm in the queue a delivery rings in the due index."""
REST = DAY
"""How often a held delivery looks whether its endpoint is back (releasing does not wait for that)."""
KEPT = 90 * DAY
INDEXED = ("g2pk", "g2sk", "g3pk", "g3sk")
IN_KEYS = frozenset({"id", "tenant", "webhook", "event"})
"""What the item's own keys say already."""
CHANGING = ("state", "next_at", "attempts", "run", "reported", "owed_successes", "owed_failures", "noted")
GUARDED = ("attempts", "state", "run", "owed_successes", "owed_failures")
"""What nobody may have changed since the delivery was read."""


def new_delivery(delivery: Delivery, *, due: bool) -> Put:
    """`due`: with a place in the due index from its birth, if nothing else would make up for a lost alarm."""
    key = keys.delivery(delivery.tenant, delivery.id)
    born_due = due or delivery.state != "pending"
    item: Item = {
        **{name: getattr(delivery, name) for name in Delivery.__slots__ if name not in IN_KEYS},
        "pk": key.pk,
        "sk": key.sk,
        "body": packed(delivery.body),
        "headers": dict(delivery.headers),
        "timeout": round(delivery.timeout * SECOND),
        "waits": [round(wait * SECOND) for wait in delivery.waits],
        "expires_at": (delivery.created_at + KEPT) // SECOND,
        **keys.indexed(g1=(keys.endpoint_log(delivery.tenant, delivery.webhook), delivery.event)),
        **(_indexes(delivery, delivery.created_at) if born_due else {}),
    }
    return Put(item, ABSENT)


def delivery(table: Table, tenant: str, id_: str) -> Delivery | None:
    item = table.get(keys.delivery(tenant, id_))
    return delivery_of(item) if item else None


def deliveries(table: Table, tenant: str, ids: Sequence[str]) -> dict[str, Delivery]:
    """Those of them that there are, by id."""
    items = table.batch_get([keys.delivery(tenant, id_) for id_ in ids]).values()
    return {found.id: found for found in map(delivery_of, items)}


def delivery_of(item: Mapping[str, Any]) -> Delivery:
    values = {name: item[name] for name in Delivery.__slots__ if name not in IN_KEYS}
    values |= keys.parts_of_delivery(item["pk"], item["g1pk"]) | {"event": item["g1sk"]}
    values["body"] = unpacked(item["body"])
    values["timeout"] = item["timeout"] / SECOND
    values["waits"] = tuple(wait / SECOND for wait in item["waits"])
    return Delivery(**values)


def packed(text: str) -> str | bytes:
    """The text, or what it is compressed to: a delivery of less than 1 KiB costs half of one that is larger."""
    small = zlib.compress(text.encode())
    return small if len(small) < len(text) else text


def unpacked(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else zlib.decompress(stored).decode()


def move(table: Table, delivery: Delivery, after: Delivery, now: int) -> bool:
    """Change a delivery's state. False if somebody has changed it since it was read."""
    try:
        table.write(moved(delivery, after, now))
    except ConditionFailed:
        return False
    return True


def move_all(table: Table, moves: Sequence[tuple[Delivery, Delivery]], now: int) -> list[Delivery]:
    """Several from the one to the other, side by side. Those that nobody has changed since they were read."""
    refused = table.write_many([moved(before, after, now) for before, after in moves])
    return [after for (_, after), one in zip(moves, refused, strict=True) if one is None]


def moved(delivery: Delivery, after: Delivery, now: int) -> Update:
    """The write from one to the other, unless somebody has changed it since it was read."""
    index = _indexes(after, now)
    changed = {name: getattr(after, name) for name in CHANGING if getattr(after, name) != getattr(delivery, name)}
    return Update(
        keys.delivery(delivery.tenant, delivery.id),
        set={**changed, **index},
        remove=tuple(name for name in INDEXED if name not in index),
        condition=all_of(*(equals(name, getattr(delivery, name)) for name in GUARDED)),
    )


def hold(table: Table, delivery: Delivery, now: int) -> bool:
    """Keep it until its endpoint is enabled. False if that has happened meanwhile."""
    endpoint = Check(keys.webhook(delivery.tenant, delivery.webhook), equals("enabled", False))
    try:
        table.transact([endpoint, moved(delivery, replace(delivery, state="held", next_at=now), now)])
    except TransactionFailed:
        return False
    return True


def due(id_: str, now: int) -> Item:
    """The place in the due index of a delivery whose alarm is set for now."""
    return keys.indexed(g2=keys.due_at(id_, now + GRACE))


# --- inside -----------------------------------------------------------------------------------------------------------


def _indexes(delivery: Delivery, now: int) -> Item:
    """The index keys of a delivery that still has something ahead of it."""
    if delivery.state == "pending":
        near = delivery.next_at - now <= queue.LONGEST_DELAY * SECOND
        return keys.indexed(g2=keys.due_at(delivery.id, delivery.next_at + (GRACE if near else 0)))
    if delivery.state == "held":
        log = keys.endpoint_log(delivery.tenant, delivery.webhook)
        return keys.indexed(g2=keys.due_at(delivery.id, delivery.next_at + REST), g3=(log, delivery.event))
    owing = delivery.owed_successes or delivery.owed_failures
    index = due(delivery.id, now) if owing else {}
    if delivery.state == "exhausted":
        index |= keys.indexed(g3=(keys.given_up(delivery.tenant, delivery.webhook), delivery.event))
    return index
