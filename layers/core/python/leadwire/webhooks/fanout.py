"""From events to deliveries: which endpoints want them, and what each of them is to be sent.

Per endpoint one transaction: its sequence moves on by n, and n deliveries are born, each under an id made of event and
endpoint. So the numbers have no gaps, and a repeated event makes nothing twice:

    bus ─▶ [sequence + deliveries] ─▶ alarms
     ▲                                  │
     └── the event comes again ◀────────┘ unless they are set

The event's message is deleted only when the alarms are set. If it comes again, deliveries that nobody has tried yet are
rung for once more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import events, keys, ports, telemetry, tenants
from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import TransactionFailed, Update, all_of, equals

from . import endpoints, filters, queue, retry, store
from .model import Delivery, Face, State, Webhook, delivery_id

TRIES = 50
"""Fan-outs of one tenant race for the sequence; each loser starts from the winner's number."""


PORTION, PORTION_BYTES = 50, 3_500_000
"""Deliveries of one transaction, which takes 100 writes and 4 MB: a body is less than 300 KB (leads/model.py)."""


class Contention(Exception):
    """The sequence of an endpoint could not be advanced; the events come again."""


def handler(*faces: Face) -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """The handler of the function that serves these faces: an SQS batch of bus events in, partial failures out."""
    ports.prepare()
    by_name = {face.name: face for face in faces}

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        return fan_out(ports.current(), by_name, event["Records"])

    return handle


def fan_out(ports: Ports, faces: Mapping[str, Face], records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One tenant's trouble is not another's: each fails alone."""
    failed: list[str] = []
    made = 0
    for tenant, messages in _by_tenant(records, failed).items():
        try:
            made += _for_tenant(ports, faces, tenant, {event.id: event for event in messages.values()})
        except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
            telemetry.fault("fan_out.failed", error, tenant=tenant, events=len(messages))
            failed += messages
    telemetry.count({"DeliveriesMade": made, "FanOutFailures": len(failed)})
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _by_tenant(records: Sequence[Mapping[str, Any]], failed: list[str]) -> dict[str, dict[str, Event]]:
    """Tenant to message id to event; what cannot be read goes to `failed`."""
    grouped: dict[str, dict[str, Event]] = {}
    for record in records:
        try:
            event = events.from_detail(json.loads(record["body"])["detail"])
        except (KeyError, TypeError, ValueError) as error:
            telemetry.fault("event.unreadable", error, message_id=record["messageId"])
            failed.append(record["messageId"])
        else:
            grouped.setdefault(event.tenant, {})[record["messageId"]] = event
    return grouped


def _for_tenant(ports: Ports, faces: Mapping[str, Face], tenant_id: str, happened: Mapping[str, Event]) -> int:
    table = Table(ports.engine, keys.tenant_prefix(tenant_id))
    listening = [
        (webhook, faces[webhook.face]) for webhook in endpoints.every(table, tenant_id) if webhook.face in faces
    ]
    if not listening:
        return 0
    ctx = replace(tenants.operate(ports, tenants.load(ports, tenant_id), "fan_out"), table=table)
    ordered = [happened[ulid] for ulid in sorted(happened)]
    now, born, waiting = ctx.now_ms(), list[Delivery](), list[Delivery]()
    for webhook, face in listening:
        for some in portions(drafts(ctx, face, webhook, ordered, now)):
            made = put(table, tenant_id, webhook, some)
            born, waiting = born + made.born, waiting + made.born + made.untried
    for refused in queue.ring(ports, waiting, now):
        store.move(table, refused, refused, now)  # to the due index
    telemetry.say(
        "events.fanned_out",
        tenant=tenant_id,
        events=list(happened),
        webhooks=sorted({delivery.webhook for delivery in born}),
        deliveries=len(born),
        rung_again=len(waiting) - len(born),
        trips=table.meter.trips,
    )
    return len(born)


def drafts(ctx: Ctx, face: Face, webhook: Webhook, happened: Sequence[Event], now: int) -> list[Delivery]:
    """The deliveries that the endpoint is to have of these events, not yet numbered."""
    return [
        draft(ctx, face, webhook, event.id, word, face.render(ctx, event, webhook, word), now)
        for event in happened
        for word in filters.wanted(face, webhook, event, ctx.tenant)
    ]


def draft(ctx: Ctx, face: Face, webhook: Webhook, event: str, word: str, body: str, now: int) -> Delivery:
    return Delivery(
        id=delivery_id(event, webhook.id, word),
        tenant=ctx.tenant.id,
        webhook=webhook.id,
        event=event,
        type=word,
        sequence=0,
        body=body,
        headers=face.headers(word, ctx.ports.settings),
        signature=face.signature,
        timeout=face.timeout,
        waits=retry.waits(face, webhook),
        state="pending",
        next_at=now,
        created_at=now,
    )


def portions(drafts: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Cut into what one transaction takes, by number and by size."""
    some: list[Delivery] = []
    room = PORTION_BYTES
    for draft in drafts:
        size = len(draft.body.encode())
        if some and (len(some) == PORTION or size > room):
            yield some
            some, room = [], PORTION_BYTES
        some.append(draft)
        room -= size
    if some:
        yield some


@dataclass(slots=True)
class Births:
    """Deliveries that were born, and those that had been born before and still wait for their first attempt."""

    born: list[Delivery] = field(default_factory=list)
    untried: list[Delivery] = field(default_factory=list)


def put(table: Table, tenant: str, webhook: Webhook, drafts: list[Delivery], *, due: bool = False) -> Births:
    """None are born if the endpoint was deleted. `due`: for who does not come again if he cannot set their alarms."""
    births = Births()
    for _ in range(TRIES):
        if not drafts:
            return births
        state: State = "pending" if webhook.enabled else "held"
        born = [replace(draft, sequence=webhook.sequence + n, state=state) for n, draft in enumerate(drafts, start=1)]
        new = [store.new_delivery(one, due=due) for one in born]
        try:
            table.transact([_advance(tenant, webhook, len(born)), *new])
        except TransactionFailed as refused:
            if 0 in refused.failed:
                item = refused.failed[0]
                if item is None:
                    return births
                webhook = endpoints.of_item(item)
            known = [refused.failed.get(at) for at in range(1, len(drafts) + 1)]
            births.untried += [one for item in known if item and (one := store.delivery_of(item)).untried]
            drafts = [draft for at, draft in enumerate(drafts, start=1) if at not in refused.failed]
        else:
            births.born = born
            return births
    raise Contention(webhook.id)


def _advance(tenant: str, webhook: Webhook, by: int) -> Update:
    unchanged = all_of(equals("sequence", webhook.sequence), equals("enabled", webhook.enabled))
    key = keys.webhook(tenant, webhook.id)
    return Update(key, set={"sequence": webhook.sequence + by}, condition=unchanged)
