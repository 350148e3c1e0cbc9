"""A batch of alarms: read at once, attempted side by side, written down together where attempts end together."""

from __future__ import annotations

import functools
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from leadwire import keys, telemetry
from leadwire.ports import Ports
from leadwire.store.table import Table

from . import endpoints, held, queue, store
from .delivery import Result, Work, deliver, write_down
from .ledger import Ledger
from .model import Webhook
from .queue import Alarm

CONCURRENCY = 100
"""Deliveries at once: a whole batch, which is ten messages of ten at most (queue.py, template.yaml). Threads that wait
cost little: with 50, half of a batch waited for the other half (`make bench-webhooks`: 466 a second, now 743)."""


@dataclass(slots=True)
class Batch:
    """What an invocation was handed, and the messages that it gives back because we failed."""

    work: list[Work] = field(default_factory=list)
    slow: list[Alarm] = field(default_factory=list)
    """To ring through the lane of slow receivers."""
    failed: set[str] = field(default_factory=set)


def deliver_batch(ports: Ports, records: Sequence[Mapping[str, Any]], rng: random.Random) -> dict[str, Any]:
    """An SQS batch at once. Reports as failed only what failed by our own fault."""
    batch = _load(ports, records, rng)
    futures = [_pool().submit(_guarded, work) for work in batch.work]
    wait(futures)
    results = [future.result() for future in futures]
    batch.failed |= {work.alarm.message for work, result in zip(batch.work, results, strict=True) if result is None}
    refused = {due.delivery for due in queue.change_lane(ports, batch.slow)}
    batch.failed |= {alarm.message for alarm in batch.slow if alarm.delivery in refused}
    counts = Counter(f"Deliveries{result.word.title()}" if result else "DeliveriesFailedByUs" for result in results)
    counts |= {"DeliveriesSlow": len(batch.slow)} if batch.slow else {}
    telemetry.count(counts, {"AttemptLatency": [r.ms for r in results if r and r.ms is not None]})
    names = [record["messageId"] for record in records]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names if name in batch.failed]}


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Threads that stay for the next invocation."""
    return ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="deliveries")


def _load(ports: Ports, records: Sequence[Mapping[str, Any]], rng: random.Random) -> Batch:
    """All that the alarms name."""
    batch, by_tenant = Batch(), dict[str, list[Alarm]]()
    for record in records:
        try:
            more = queue.to_release(record)
            if more and not held.resume(ports, *more):
                batch.failed.add(record["messageId"])
            for alarm in queue.alarms(record):
                by_tenant.setdefault(alarm.tenant, []).append(alarm)
        except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
            telemetry.fault("delivery.failed", error, message_id=record["messageId"])
            batch.failed.add(record["messageId"])
    for tenant, alarms in by_tenant.items():
        try:
            _read(ports, tenant, _one_each(alarms), rng, batch)
        except Exception as error:  # noqa: BLE001  # as above
            telemetry.fault("delivery.failed", error, messages=len(alarms))
            batch.failed |= {alarm.message for alarm in alarms}
    return batch


def _one_each(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Of several alarms of one delivery the one that asks for most: whichever attempt is due, or the latest."""
    return list({alarm.delivery: alarm for alarm in sorted(alarms, key=lambda one: one.attempt or math.inf)}.values())


def _read(ports: Ports, tenant: str, alarms: Sequence[Alarm], rng: random.Random, batch: Batch) -> None:
    """A tenant's endpoints and deliveries, in two reads. What is for the other lane costs no more than its endpoint."""
    table = Table(ports.engine, keys.tenant_prefix(tenant))
    webhooks = endpoints.several(table, tenant, {alarm.webhook for alarm in alarms if alarm.webhook})
    here = [alarm for alarm in alarms if not _changes_lane(ports, alarm, webhooks.get(alarm.webhook), batch)]
    deliveries = store.deliveries(table, tenant, [alarm.delivery for alarm in here])
    unread = {delivery.webhook for delivery in deliveries.values()} - webhooks.keys()
    webhooks |= endpoints.several(table, tenant, unread)
    write = functools.partial(write_down, ports, table)
    ledgers = {webhook.id: Ledger(webhook, write) for webhook in webhooks.values()}
    for alarm in here:
        delivery = deliveries.get(alarm.delivery)
        webhook = webhooks.get(delivery.webhook) if delivery else None
        if not _changes_lane(ports, alarm, webhook, batch):
            batch.work.append(Work(ports, table, alarm, delivery, webhook, ledgers, rng))


def _changes_lane(ports: Ports, alarm: Alarm, webhook: Webhook | None, batch: Batch) -> bool:
    """An alarm of a slow endpoint is to ring in the other lane."""
    changes = bool(webhook and webhook.slow and ports.settings.slow_queue_url and not alarm.slow)
    if changes:
        batch.slow.append(alarm)
    return changes


def _guarded(work: Work) -> Result | None:
    try:
        return deliver(work)
    except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
        telemetry.fault("delivery.failed", error, message_id=work.alarm.message)
        return None
