"""What waits while an endpoint is disabled: let go when its owner enables it, closed when he deletes it.

The request does a share of it, so that it answers in time however much was held. Of what is left the workers are told,
share by share; and if even that is lost, each held delivery looks by itself once a day (store.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched, islice

from leadwire import keys
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import Item, Key, Query, Update, equals

from . import endpoints, queue, store
from .model import State
from .queue import Due

SHARE = 1000
"""Deliveries that are let go, or closed, at once: about a second's work."""
PAGE = 100
"""Of them, those that are written side by side."""


def release(ports: Ports, table: Table, tenant: str, webhook: str) -> bool:
    """Make a share due now. Safe to repeat. False if more is left, and the workers could not be told."""
    rows, now = _held(table, tenant, webhook), int(ports.clock() * 1000)
    for some in batched(rows[:SHARE], PAGE, strict=False):
        queue.send(ports, [Due(tenant, id_, 0, 0, webhook) for id_ in _leave(table, some, "pending", now)])
    return len(rows) <= SHARE or queue.release(ports, tenant, webhook)


def resume(ports: Ports, tenant: str, webhook: str) -> bool:
    """The next share, for a worker; nothing if the endpoint was disabled again, or deleted."""
    table = Table(ports.engine, keys.tenant_prefix(tenant))
    endpoint = endpoints.find(table, tenant, webhook)
    return not (endpoint and endpoint.enabled) or release(ports, table, tenant, webhook)


def close(table: Table, tenant: str, webhook: str, now: int) -> None:
    """Of an endpoint that is gone. What is left, and what waits for another attempt, is closed when it rings."""
    for some in batched(_held(table, tenant, webhook)[:SHARE], PAGE, strict=False):
        _leave(table, some, "closed", now)


# --- inside -----------------------------------------------------------------------------------------------------------


def _held(table: Table, tenant: str, webhook: str) -> list[Item]:
    """A share, in the order of the events, and one more if there is one."""
    rows = table.query_all(Query(keys.endpoint_log(tenant, webhook), index="g3", limit=SHARE + 1))
    return list(islice(rows, SHARE + 1))


def _leave(table: Table, rows: Sequence[Item], state: State, now: int) -> list[str]:
    """The ids of those that were still held: the index may be a moment behind."""
    ids = [keys.delivery_of(row["pk"]) or "" for row in rows]
    refused = table.write_many([_left(row, id_, state, now) for row, id_ in zip(rows, ids, strict=True)])
    return [id_ for id_, one in zip(ids, refused, strict=True) if one is None]


def _left(row: Item, id_: str, state: State, now: int) -> Update:
    index = store.due(id_, now) if state == "pending" else {}
    return Update(
        Key(row["pk"], row["sk"]),
        set={"state": state, "next_at": now, **index},
        remove=tuple(name for name in store.INDEXED if name not in index),
        condition=equals("state", "held"),
    )
