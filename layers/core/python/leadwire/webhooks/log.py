"""What became of deliveries: the log that owners and operators read. Newest events first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from leadwire import ids, keys
from leadwire.context import Ctx
from leadwire.errors import FieldError, InvalidInput, NotFound
from leadwire.store.types import Query

from . import attempts, endpoints, store
from .model import Delivery, State

PAGE = 100
"""Rows read at a time."""
MOST = 2000
"""Rows that one call looks at; a page that filters leave empty still says where to go on."""
CURSOR = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list is to show; None for everything. Times are epoch milliseconds, of the events."""

    webhook: str | None = None
    state: State | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery, and its attempts in order (attempts.py)."""

    delivery: Delivery
    attempts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page; `next` is the cursor of the following one, None at the end."""

    logged: list[Logged]
    next: str | None


def find(ctx: Ctx, id_: str) -> Logged:
    """Raises NotFound."""
    delivery = store.delivery(ctx.table, ctx.tenant.id, id_) if id_.isalnum() and len(id_) <= 64 else None  # noqa: PLR2004  # a key's length
    if delivery is None:
        raise NotFound("delivery")
    return _logged(ctx, [delivery])[0]


def page(ctx: Ctx, wanted: Wanted, limit: int, after: str = "") -> Found:
    """Raises InvalidInput for a cursor that is none of ours."""
    looked, chosen = 0, list[Delivery]()
    rows = _rows(ctx, wanted, _cursor(after))
    while len(chosen) < limit and looked < MOST and (some := list(islice(rows, PAGE))):
        for place, delivery in _deliveries(ctx, some):
            looked, last = looked + 1, place
            if _shows(wanted, delivery):
                chosen.append(delivery)
                if len(chosen) == limit:
                    break
    more = len(chosen) == limit or looked >= MOST
    return Found(_logged(ctx, chosen), CURSOR.join(last) if more else None)


# --- inside -----------------------------------------------------------------------------------------------------------

type Place = tuple[str, str]
"""Event and delivery: the order of the log."""


def _cursor(text: str) -> Place | None:
    if not text:
        return None
    event, dot, delivery = text.partition(CURSOR)
    if not (dot and event.isalnum() and delivery.isalnum()):
        raise InvalidInput(FieldError("cursor", "is not a cursor of this list", "cursor", text))
    return event, delivery


def _rows(ctx: Ctx, wanted: Wanted, before: Place | None) -> Iterator[Place]:
    """Places of deliveries, newest first, over all endpoints or one (which may be deleted)."""
    if wanted.webhook is not None:
        logs = [wanted.webhook]
    else:
        logs = [webhook.id for webhook in endpoints.every(ctx.table, ctx.tenant.id)]
    merged = heapq.merge(*(_of_endpoint(ctx, log, wanted, before) for log in logs), reverse=True)
    return (place for place in merged if before is None or place < before)


def _of_endpoint(ctx: Ctx, webhook: str, wanted: Wanted, before: Place | None) -> Iterator[Place]:
    low = ids.first_ulid(wanted.since) if wanted.since is not None else None
    high = ids.first_ulid(wanted.until) if wanted.until is not None else None
    if before is not None:
        high = min(before[0], high) if high else before[0]
    if low is not None and high is not None and low > high:
        return
    partition = keys.endpoint_log(ctx.tenant.id, webhook)
    query = Query(partition, index="g1", low=low, high=high, forward=False, limit=PAGE)
    same: list[Place] = []
    for row in ctx.table.query_all(query):
        place = (str(row["g1sk"]), str(row["pk"]).rpartition("#")[2])
        if same and same[0][0] != place[0]:
            yield from sorted(same, reverse=True)
            same = []
        same.append(place)
    yield from sorted(same, reverse=True)


def _deliveries(ctx: Ctx, places: Sequence[Place]) -> Iterator[tuple[Place, Delivery]]:
    found = ctx.table.batch_get([keys.delivery(ctx.tenant.id, id_) for _, id_ in places], consistent=False)
    for place in places:
        item = found.get(keys.delivery(ctx.tenant.id, place[1]))
        if item is not None:
            yield place, store.delivery_of(item)


def _shows(wanted: Wanted, delivery: Delivery) -> bool:
    return wanted.state in (None, delivery.state) and wanted.type in (None, delivery.type)


def _logged(ctx: Ctx, deliveries: Sequence[Delivery]) -> list[Logged]:
    made = attempts.of_deliveries(ctx.table, deliveries)
    return [Logged(delivery, lines) for delivery, lines in zip(deliveries, made, strict=True)]
