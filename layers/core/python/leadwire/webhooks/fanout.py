"""From events to deliveries: which endpoints want them, and what each of them is to be sent.

Per endpoint one transaction: its sequence moves on by n, and n deliveries are born, each under an id made of event and
endpoint. So the numbers have no gaps, a repeated event makes nothing twice, and a crash before the alarms are set is
mended by the due index:

    bus ─▶ [sequence + deliveries] ─▶ alarms
                      └── born due ──────▶ sweep_due, two minutes later
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from leadwire import events, keys, ports, telemetry, tenants
from leadwire.context import Tenant
from leadwire.events import Event
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import TransactionFailed, Update, all_of, equals

from . import queue, retry, store
from .model import Delivery, Face, State, Webhook, delivery_id, matches

TRIES = 50
"""Fan-outs of one tenant race for the sequence; each loser starts from the winner's number."""


class Contention(Exception):
    """The sequence of an endpoint could not be advanced; the events come again."""


def handler(*faces: Face) -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    """The handler of the function that serves these faces: an SQS batch of bus events in, partial failures out."""
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
    endpoints = store.webhooks(table, tenant_id)
    ordered = [happened[ulid] for ulid in sorted(happened)]
    wanted = [
        (webhook, face, chosen)
        for webhook in endpoints
        if (face := faces.get(webhook.face)) and (chosen := [e for e in ordered if matches(face, webhook, e)])
    ]
    if not wanted:
        return 0
    tenant, now = tenants.load(ports, tenant_id), int(ports.clock() * 1000)
    born: list[Delivery] = []
    for webhook, face, chosen in wanted:
        drafts = [_draft(ports, tenant, face, webhook, event, now) for event in chosen]
        born += _put(table, tenant_id, webhook, drafts)
    queue.ring(ports, born, now)
    telemetry.say(
        "events.fanned_out",
        tenant=tenant_id,
        events=list(happened),
        webhooks=[webhook.id for webhook, _, _ in wanted],
        deliveries=len(born),
        trips=table.meter.trips,
    )
    return len(born)


def _draft(ports: Ports, tenant: Tenant, face: Face, webhook: Webhook, event: Event, now: int) -> Delivery:
    return Delivery(
        id=delivery_id(event.id, webhook.id),
        tenant=tenant.id,
        webhook=webhook.id,
        event=event.id,
        type=face.types[event.type],
        sequence=0,
        body=face.render(event, tenant, webhook),
        headers=face.headers(event, webhook, ports.settings),
        timeout=face.timeout,
        waits=retry.SCHEDULES[face.schedule],
        state="pending",
        next_at=now,
        created_at=now,
    )


def _put(table: Table, tenant: str, webhook: Webhook, drafts: list[Delivery]) -> list[Delivery]:
    """The deliveries that were born: without those that exist, and none if the endpoint was deleted."""
    for _ in range(TRIES):
        if not drafts:
            return []
        state: State = "pending" if webhook.enabled else "held"
        born = [replace(draft, sequence=webhook.sequence + n, state=state) for n, draft in enumerate(drafts, start=1)]
        try:
            table.transact([_advance(tenant, webhook, len(born)), *map(store.new_delivery, born)])
        except TransactionFailed as refused:
            if 0 in refused.failed:
                item = refused.failed[0]
                if item is None:
                    return []
                webhook = store.webhook_of(item)
            drafts = [draft for at, draft in enumerate(drafts, start=1) if at not in refused.failed]
        else:
            return born
    raise Contention(webhook.id)


def _advance(tenant: str, webhook: Webhook, by: int) -> Update:
    unchanged = all_of(equals("sequence", webhook.sequence), equals("enabled", webhook.enabled))
    key = store.webhook_key(tenant, webhook.id)
    return Update(key, set={"sequence": webhook.sequence + by}, condition=unchanged)
