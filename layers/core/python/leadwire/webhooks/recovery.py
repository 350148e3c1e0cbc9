"""Deliveries that are to be made again, or for the first time: resend one, recover and replay since, ping, dry run.

A call works on at most so many and says where it stopped (`next`), so that a client can go on, and count first. What
is made due rings by itself: nothing here sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from typing import Any

from leadwire import events, ids, keys
from leadwire.context import Ctx, iso
from leadwire.errors import Conflict, FieldError, InvalidInput, NotFound
from leadwire.events import Event
from leadwire.json_text import json_text
from leadwire.store.types import Key, Query

from . import endpoints, fanout, filters, health, queue, store
from .model import Delivery, Face, Webhook, delivery_id

PING = "ping"
MOST = 500
"""Deliveries, or events, that one call works on."""
MOST_COUNTED = 10_000
"""Deliveries that one call counts: it reads the index alone."""
LOST = 3_600_000
"""Milliseconds after which the alarm of a first attempt counts as lost: somebody emptied a queue."""
PAGE = 50
FARTHEST = 90 * 86_400_000
"""Milliseconds that deliveries are kept."""


@dataclass(frozen=True, slots=True)
class Again:
    """What a call did, or found if it only counted; `next` is where the following call goes on, None at the end."""

    deliveries: int
    next: str | None


def resend(ctx: Ctx, id_: str) -> Delivery:
    """Make a delivery once more, with its whole schedule, under the id that its receiver knows.

    Raises NotFound; Conflict if its endpoint is gone or disabled.
    """
    delivery = store.delivery(ctx.table, ctx.tenant.id, id_) if id_.isalnum() else None
    if delivery is None:
        raise NotFound("delivery")
    webhook = endpoints.find(ctx.table, ctx.tenant.id, delivery.webhook)
    if webhook is None or not webhook.enabled:
        raise Conflict("The webhook of this delivery is deleted or disabled")
    now = ctx.now_ms()
    due = _again(delivery, now)
    if not store.move(ctx.table, delivery, due, now):
        raise Conflict("The delivery is being attempted at this moment")
    queue.ring(ctx.ports, [due], now)
    return due


def recover(ctx: Ctx, webhook: str, since: str, *, count: bool) -> Again:
    """Resend what was given up of events since this ULID, oldest first; `count` only counts, and more in one call.

    Raises NotFound.
    """
    if endpoints.find(ctx.table, ctx.tenant.id, webhook) is None:
        raise NotFound("webhook")
    query = Query(keys.given_up(ctx.tenant.id, webhook), index="g3", low=since, limit=PAGE)
    rows = ctx.table.query_all(query)
    some, following = _whole_events(rows, MOST_COUNTED if count else MOST)
    made = len(some) if count else sum(_resent(ctx, page) for page in batched(some, PAGE, strict=False))
    return Again(made, following)


def replay_missing(ctx: Ctx, faces: Mapping[str, Face], webhook_id: str, since: str, *, count: bool) -> Again:
    """Make the deliveries of events since this ULID that the endpoint would be sent and never was; and ring once more
    for those that were made long ago and never tried. Raises NotFound.
    """
    webhook = endpoints.find(ctx.table, ctx.tenant.id, webhook_id)
    if webhook is None or webhook.face not in faces:
        raise NotFound("webhook")
    face, made, now = faces[webhook.face], 0, ctx.now_ms()
    rows = _journal(ctx, since)
    for page in batched(islice(rows, MOST), PAGE, strict=False):
        found = ctx.table.batch_get([Key(row["pk"], row["sk"]) for row in page])
        told = [events.from_item(item) for item in sorted(found.values(), key=lambda item: item["sk"])]
        happened = [event for event in told if not event.erased or event.type == events.LEAD_DELETED]
        known = _known(ctx, face, webhook, happened)
        missing = {id_ for id_, delivery in known.items() if delivery is None}
        untried = [one for one in known.values() if one and one.untried and one.created_at < now - LOST]
        made += len(missing) + len(untried)
        if not count:
            drafts = [d for d in fanout.drafts(ctx, face, webhook, happened, now) if d.id in missing] if missing else []
            born = [one for some in fanout.portions(drafts) for one in _born(ctx, webhook_id, some)]
            due = store.move_all(ctx.table, [(one, one) for one in untried], now)  # into the due index
            queue.ring(ctx.ports, born + due, now)
    following = next(rows, None)
    return Again(made, following["g1sk"] if following else None)


def ping(ctx: Ctx, face: Face, webhook: Webhook) -> Delivery:
    """Send the endpoint a signed message that is no event, once. Raises Conflict if it is disabled or deleted."""
    now = ctx.now_ms()
    told = {"type": PING, "eventType": PING, "event": PING, "webhookId": webhook.id, "timestamp": iso(now)}
    body = json_text(told)
    draft = replace(fanout.draft(ctx, face, webhook, ids.ulid(now), PING, body, now), waits=())
    born = fanout.put(ctx.table, ctx.tenant.id, webhook, [draft], due=True).born if webhook.enabled else []
    if not born:
        raise Conflict("The webhook is deleted or disabled")
    queue.ring(ctx.ports, born, now)
    return born[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of an event at an endpoint, and why: `because` is empty if it would be sent at once."""

    webhook: Webhook
    words: Sequence[str]
    because: Sequence[str]
    deliveries: Sequence[Delivery]
    """Those that exist already."""


def dry_run(ctx: Ctx, faces: Mapping[str, Face], event_id: str) -> list[Verdict]:
    """For each endpoint of the tenant. Raises NotFound for an event that the journal does not have."""
    event = _event(ctx, event_id)
    all_ = endpoints.every(ctx.table, ctx.tenant.id)
    return [_verdict(ctx, faces[webhook.face], webhook, event) for webhook in all_ if webhook.face in faces]


def since(text_ms: int, now: int) -> str:
    """The bound of a call that begins at this time. Raises InvalidInput if nothing is kept for so long."""
    if text_ms < now - FARTHEST or text_ms > now:
        raise InvalidInput(FieldError("since", "must lie within the last 90 days", "range"))
    return ids.first_ulid(text_ms)


# --- inside -----------------------------------------------------------------------------------------------------------


def _again(delivery: Delivery, now: int) -> Delivery:
    return replace(delivery, state="pending", run=delivery.attempts, next_at=now)


def _resent(ctx: Ctx, rows: Sequence[Mapping[str, Any]]) -> int:
    found, now = ctx.table.batch_get([Key(row["pk"], row["sk"]) for row in rows]), ctx.now_ms()
    given_up = [store.delivery_of(item) for item in found.values() if item["state"] == "exhausted"]
    due = store.move_all(ctx.table, [(delivery, _again(delivery, now)) for delivery in given_up], now)
    queue.ring(ctx.ports, due, now)
    return len(due)


def _journal(ctx: Ctx, low: str) -> Iterator[Mapping[str, Any]]:
    """Rows of the journal from this ULID on, in order; an index day begins at midnight UTC."""
    day = datetime.fromtimestamp(ids.ulid_ms(low) / 1000, UTC).date()
    last = datetime.fromtimestamp(ctx.now_ms() / 1000, UTC).date()
    while day <= last:
        partition = keys.journal(ctx.tenant.id, day.isoformat())
        yield from ctx.table.query_all(Query(partition, index="g1", low=low, limit=PAGE))
        day += timedelta(days=1)


def _whole_events(rows: Iterator[Mapping[str, Any]], most: int) -> tuple[list[Mapping[str, Any]], str | None]:
    """So many rows, and those that are left of the last event; the event of the one that follows."""
    some = list(islice(rows, most))
    for row in rows:
        if row["g3sk"] != some[-1]["g3sk"]:
            return some, row["g3sk"]
        some.append(row)
    return some, None


def _known(ctx: Ctx, face: Face, webhook: Webhook, happened: Sequence[Event]) -> dict[str, Delivery | None]:
    """The deliveries that should exist, by id; None where they do not."""
    wanted = {
        delivery_id(event.id, webhook.id, word)
        for event in happened
        for word in filters.wanted(face, webhook, event, ctx.tenant)
    }
    found = store.deliveries(ctx.table, ctx.tenant.id, sorted(wanted))
    return {id_: found.get(id_) for id_ in sorted(wanted)}


def _born(ctx: Ctx, webhook_id: str, drafts: list[Delivery]) -> list[Delivery]:
    """The endpoint is read again: its sequence has moved on since."""
    webhook = endpoints.find(ctx.table, ctx.tenant.id, webhook_id)
    return fanout.put(ctx.table, ctx.tenant.id, webhook, drafts, due=True).born if webhook else []


def _event(ctx: Ctx, id_: str) -> Event:
    if len(id_) == len(ids.first_ulid(0)) and set(id_) <= set(ids.CROCKFORD):
        day = iso(ids.ulid_ms(id_))[:10]
        partition = keys.journal(ctx.tenant.id, day)
        for row in ctx.table.query(Query(partition, index="g1", low=id_, high=id_)).items:
            item = ctx.table.get(Key(row["pk"], row["sk"]))
            if item is not None:
                return events.from_item(item)
    raise NotFound("event")


def _verdict(ctx: Ctx, face: Face, webhook: Webhook, event: Event) -> Verdict:
    spoken = list(face.words(event))
    words = [word for word in spoken if word in webhook.event_types]
    because = [] if words else [f"the webhook did not ask for {' or '.join(spoken) or event.type}"]
    if words:
        because += [f"the filter on {name} does not pass" for name in filters.failing(face, webhook, event, ctx.tenant)]
    if not webhook.enabled:
        because.append("the webhook is disabled: the delivery would be held")
    elif health.gate(webhook, ctx.now_ms()) == "open":
        because.append("the webhook failed too often lately: the delivery would be put off")
    known = [keys.delivery(ctx.tenant.id, delivery_id(event.id, webhook.id, word)) for word in words]
    deliveries = [store.delivery_of(item) for item in ctx.table.batch_get(known).values()]
    return Verdict(webhook, words, because, deliveries)
