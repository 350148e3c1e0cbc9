"""One attempt of one delivery, from the alarm to the next alarm.

    load ─▶ guard ─▶ circuit ─▶ sign ─▶ send ─▶ decide ─▶ record ─▶ ring ─▶ one log line

The order makes every crash harmless. Before `record`: the alarm rings again and the receiver sees the same webhook-id
twice, at most once per crash. Between `record` and `ring`: the alarm rings again, finds the attempt recorded and only
rings on; and if it never does, the due index will.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from leadwire import keys, telemetry
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import Throttled, TransactionConflict, Unavailable

from . import endpoints, health, queue, retry, sender, signing, store
from .model import Delivery, Outcome, Webhook
from .queue import Alarm
from .retry import Disable

CONCURRENCY = 100
"""Deliveries at once; a batch is not larger than that (template.yaml), so that the slowest receiver costs one wait."""
EARLY = 1000
"""Milliseconds by which an alarm may come early: the clocks of two machines differ."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one alarm, for the metrics. `ms` is None where nothing was sent."""

    word: str
    ms: int | None = None


def deliver_batch(ports: Ports, records: Sequence[Mapping[str, Any]], rng: random.Random) -> dict[str, Any]:
    """An SQS batch at once. Reports as failed only what failed by our own fault."""

    def guarded(record: Mapping[str, Any]) -> Result | None:
        try:
            return deliver(ports, queue.alarm(record), rng)
        except Exception as error:  # noqa: BLE001  # the border of a batch: reported, counted, and tried again
            telemetry.fault("delivery.failed", error, message_id=record["messageId"])
            return None

    with ThreadPoolExecutor(min(len(records), CONCURRENCY)) as pool:
        results = list(pool.map(guarded, records))
    counts = Counter(f"Deliveries{result.word.title()}" if result else "DeliveriesFailedByUs" for result in results)
    telemetry.count(counts, {"AttemptLatency": [r.ms for r in results if r and r.ms is not None]})
    failed = [record for record, result in zip(records, results, strict=True) if result is None]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def deliver(ports: Ports, alarm: Alarm, rng: random.Random) -> Result:
    """The story of one alarm. The receiver's faults are in the log; an exception is a fault of ours."""
    table = Table(ports.engine, keys.tenant_prefix(alarm.tenant))
    delivery = store.delivery(table, alarm.tenant, alarm.delivery)
    webhook = endpoints.find(table, alarm.tenant, delivery.webhook) if delivery else None
    if delivery is None or webhook is None or not webhook.enabled or not _due(delivery, alarm, _now(ports)):
        return _no_attempt(ports, table, alarm, delivery, webhook)
    if webhook.slow and ports.settings.slow_queue_url and not alarm.slow:
        queue.change_lane(ports, alarm)
        return _log("slow", alarm, table, delivery)
    through = _let_through(table, delivery, webhook, _now(ports))
    if through is None:
        return _put_off(ports, table, alarm, delivery, webhook, rng)
    return _attempt(ports, table, alarm, delivery, through, rng)


def _attempt(
    ports: Ports, table: Table, alarm: Alarm, delivery: Delivery, webhook: Webhook, rng: random.Random
) -> Result:
    outcome = _send(ports, delivery, webhook)
    now, number = _now(ports), delivery.attempts + 1 - delivery.run
    step = retry.next_step(outcome, number, delivery.waits, now, rng, ports.settings.schedule_scale)
    if isinstance(step, Disable):
        endpoints.disable(table, delivery, "receiver", now)
    after = store.record(table, webhook, delivery, outcome, step, now)
    if after is None:
        return _log("repeated", alarm, table, delivery, outcome)
    queue.ring(ports, [after], now)
    if not outcome.delivered:
        _fuse(table, delivery, webhook, now)
    return _log("retrying" if after.state == "pending" else after.state, alarm, table, after, outcome)


def _fuse(table: Table, delivery: Delivery, before: Webhook, now: int) -> None:
    """The circuit, and disabling, after a failure. A crash in between, or a busy table, leaves it to the next one."""
    try:
        webhook = endpoints.blow(table, delivery.tenant, before, now)
        if webhook and health.hopeless(webhook, now):
            endpoints.disable(table, delivery, "failing", now, endpoints.still_failing(webhook))
    except (Throttled, TransactionConflict, Unavailable) as busy:
        telemetry.fault("fuse.missed", busy, webhook=delivery.webhook)


def _due(delivery: Delivery, alarm: Alarm, now: int) -> bool:
    waiting = delivery.state in ("pending", "held")
    recorded = 0 < alarm.attempt <= delivery.attempts
    return waiting and not recorded and delivery.next_at <= now + EARLY


def _let_through(table: Table, delivery: Delivery, webhook: Webhook, now: int) -> Webhook | None:
    """The endpoint, if its circuit lets this attempt through."""
    match health.gate(webhook, now):
        case "closed":
            return webhook
        case "open":
            return None
        case "half-open":
            return endpoints.claim_probe(table, delivery.tenant, webhook, now)


def _put_off(
    ports: Ports, table: Table, alarm: Alarm, delivery: Delivery, webhook: Webhook, rng: random.Random
) -> Result:
    """The circuit is open: later, and no attempt is lost."""
    now = _now(ports)
    later = replace(delivery, state="pending", next_at=health.put_off(webhook, now, rng))
    if store.move(table, delivery, later, now):
        queue.ring(ports, [later], now)
    return _log("put_off", alarm, table, later)


def _no_attempt(ports: Ports, table: Table, alarm: Alarm, delivery: Delivery | None, webhook: Webhook | None) -> Result:
    """Nothing to send now: hold it, close it, ring again, pay what it owes, or do nothing."""
    now = _now(ports)
    if delivery is None or delivery.state not in ("pending", "held"):
        if delivery and (delivery.owed_successes or delivery.owed_failures):
            store.pay(table, delivery, now)
        return Result("over")
    if webhook is None:
        store.move(table, delivery, replace(delivery, state="closed", next_at=now), now)
        return _log("closed", alarm, table, delivery)
    if not webhook.enabled:
        if store.hold(table, delivery, now):
            return _log("held", alarm, table, delivery)
        queue.ring(ports, [delivery], now)  # enabled or attempted since it was read: look again
        return Result("early")
    # An alarm for an attempt that another alarm has made, or that came early. One that rang before (`again`) may be
    # the sign of a crash between record and ring; a first ring only repeats an alarm that is already set.
    if alarm.again or alarm.attempt > delivery.attempts:
        queue.ring(ports, [delivery], now)
    return Result("early")


def _send(ports: Ports, delivery: Delivery, webhook: Webhook) -> Outcome:
    at, place = _now(ports), endpoints.vault_context(delivery.tenant, webhook.id)
    sealed = [secret.sealed for secret in webhook.secrets if secret.until is None or secret.until > at]
    secrets = [ports.vault.open(one, place) for one in sealed]
    headers = {**delivery.headers, **signing.headers(delivery.message_id, at // 1000, delivery.body, secrets)}
    if delivery.signature:
        headers[delivery.signature] = signing.of_body(delivery.body, secrets[0])
    return sender.send(
        webhook.url,
        headers,
        delivery.body.encode(),
        timeout=delivery.timeout,
        private=ports.settings.private_targets,
    )


def _log(word: str, alarm: Alarm, table: Table, delivery: Delivery, outcome: Outcome | None = None) -> Result:
    telemetry.say(
        "webhook.attempted" if outcome else "webhook.not_attempted",
        result=word,
        tenant=delivery.tenant,
        webhook=delivery.webhook,
        delivery=delivery.id,
        event=delivery.event,
        type=delivery.type,
        sequence=delivery.sequence,
        attempt=delivery.attempts,
        attempts=len(delivery.waits) + 1,
        rang_before=alarm.again,
        kind=outcome.kind if outcome else None,
        status=outcome.status if outcome else None,
        ms=outcome.ms if outcome else None,
        next_at=delivery.next_at if delivery.state == "pending" else None,
        wru=table.meter.consumed.wru,
        rru=table.meter.consumed.rru,
        trips=table.meter.trips,
    )
    return Result(word, outcome.ms if outcome else None)


def _now(ports: Ports) -> int:
    return int(ports.clock() * 1000)
