"""The due index, once a minute: what rings within the next minute gets an alarm, delayed to the very moment.

    read the shard ─▶ set alarms ─▶ postpone what was set

In this order a crash sets an alarm twice (the second finds nothing to do), never not at all. What is postponed rings
again if its alarm is lost; whatever becomes of the delivery meanwhile overwrites the time and ends that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from leadwire import keys, telemetry
from leadwire.ports import Message, Ports
from leadwire.store.table import Table, unscoped
from leadwire.store.types import ConditionFailed, Item, Key, Query, Update, equals

from . import queue
from .queue import Due

AHEAD = 60_000
"""Milliseconds until the next sweep."""
POSTPONED = 15 * 60_000
"""Milliseconds after which an alarm counts as lost."""
PAGE = 100


def sweep(ports: Ports) -> int:
    """All shards at once. Returns how many alarms were set."""
    now = int(ports.clock() * 1000)
    with ThreadPoolExecutor(keys.DUE_SHARDS) as pool:
        counts = list(pool.map(lambda shard: _shard(ports, shard, now), range(keys.DUE_SHARDS)))
    if any(counts):
        telemetry.say("due.swept", shards=counts)
    telemetry.count({"DueSwept": sum(counts)})
    return sum(counts)


def _shard(ports: Ports, shard: int, now: int) -> int:
    """Page by page from the start: what is postponed leaves the range that is read."""
    table = unscoped(ports.engine)
    high = keys.due_time(now + AHEAD)
    swept, page = 0, table.query(Query(keys.due(shard), index="g2", high=high, limit=PAGE))
    while page.items:
        swept += _ring(ports, table, page.items, now)
        if page.next is None:
            break
        page = table.query(Query(keys.due(shard), index="g2", high=high, limit=PAGE, start=page.next))
    return swept


def _ring(ports: Ports, table: Table, rows: Sequence[Item], now: int) -> int:
    """Deliveries ring in their own queue, everything else in the queue of automations."""
    rings = {_due(row, now): row for row in rows if keys.delivery_of(row["pk"]) is not None}
    refused = queue.send(ports, rings)
    rung = [row for due, row in rings.items() if due not in refused]
    others = {_alarm(row, now): row for row in rows if keys.delivery_of(row["pk"]) is None}
    unsent = ports.queue.send(ports.settings.automations_queue_url, [*others]) if others else []
    rung += [row for alarm, row in others.items() if alarm not in unsent]
    if unsent:
        telemetry.say("alarms.refused", messages=len(unsent))
    for row in rung:
        _postpone(table, row, now)
    return len(rung)


def _due(row: Item, now: int) -> Due:
    """Of a row of the index, which has keys only: they say all that an alarm needs."""
    pk = str(row["pk"])
    return Due(keys.tenant_of(pk), keys.delivery_of(pk) or "", attempt=0, wait=_wait(row, now))


def _alarm(row: Item, now: int) -> Message:
    pk = str(row["pk"])
    body = json.dumps({"tenant": keys.tenant_of(pk), "due": [pk, row["sk"]]})
    return Message(body, group=keys.tenant_of(pk), delay=max(0, -(-_wait(row, now) // 1000)))


def _wait(row: Item, now: int) -> int:
    return int(str(row["g2sk"])) - now


def _postpone(table: Table, row: Item, now: int) -> None:
    """Unless the delivery has been given another time since the index was read."""
    later = keys.due_time(max(int(str(row["g2sk"])), now) + POSTPONED)
    try:
        table.write(Update(Key(row["pk"], row["sk"]), set={"g2sk": later}, condition=equals("g2sk", row["g2sk"])))
    except ConditionFailed:
        return
