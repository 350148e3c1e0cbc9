"""One attempt of one delivery, from the alarm to the next alarm.

    load ─▶ guard ─▶ circuit ─▶ sign ─▶ send ─▶ decide ─▶ record ─▶ ring ─▶ one log line

The order makes every crash harmless. Before `record`: the alarm rings again and the receiver sees the same webhook-id
twice. Between `record` and `ring`: the alarm rings again, finds the attempt recorded and only rings on; and if it never
does, the due index will.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leadwire import telemetry
from leadwire.ports import Ports
from leadwire.store.table import Table
from leadwire.store.types import Throttled, TransactionConflict, Unavailable, equals

from . import endpoints, health, queue, retry, sender, signing, store
from .attempts import Made
from .ledger import Ledger
from .model import Delivery, Outcome, Webhook
from .queue import Alarm
from .record import Recorded, pay, record
from .retry import Disable, RetryAt

EARLY = 1000
"""Milliseconds by which an alarm may come early: the clocks of two machines differ."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one alarm, for the metrics. `ms` is None where nothing was sent."""

    word: str
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """An alarm with what was read for it, and where its attempt is to be written down."""

    ports: Ports
    table: Table
    alarm: Alarm
    delivery: Delivery | None
    webhook: Webhook | None
    ledgers: Mapping[str, Ledger]
    """By endpoint."""
    rng: random.Random

    def now(self) -> int:
        return int(self.ports.clock() * 1000)


def deliver(work: Work) -> Result:
    """The story of one alarm. The receiver's faults are in the log; an exception is a fault of ours."""
    alarm, delivery, webhook = work.alarm, work.delivery, work.webhook
    if delivery is None or webhook is None or not webhook.enabled or not _due(delivery, alarm, work.now()):
        return _no_attempt(work)
    through = _let_through(work.table, delivery, webhook, work.now())
    if through is None:
        return _put_off(work, delivery, webhook)
    return _attempt(work, delivery, through)


def _attempt(work: Work, delivery: Delivery, webhook: Webhook) -> Result:
    began, outcome = work.now(), _send(work.ports, delivery, webhook)
    now, number = work.now(), delivery.attempts + 1 - delivery.run
    step = retry.next_step(outcome, number, delivery.waits, now, work.rng, work.ports.settings.schedule_scale)
    if isinstance(step, Disable) and not _disabled(work, delivery, webhook, now) and not step.delivered:
        step = RetryAt(now)
    after = work.ledgers[webhook.id].record(Made(webhook, delivery, outcome, step, began, now))
    if after is None:
        return _log("repeated", work.alarm, delivery, outcome)
    queue.ring(work.ports, [after], work.now())
    return _log("retrying" if after.state == "pending" else after.state, work.alarm, after, outcome)


def _disabled(work: Work, delivery: Delivery, webhook: Webhook, now: int) -> bool:
    """At its receiver's wish; not if its owner has meanwhile sent it to another one, who has wished nothing."""
    return endpoints.disable(work.table, delivery, "receiver", now, equals("url", webhook.url))


def write_down(ports: Ports, table: Table, webhook: Webhook, made: Sequence[Made]) -> Recorded:
    """Attempts at one endpoint, and what failures mean for it."""
    now = int(ports.clock() * 1000)
    recorded = record(table, webhook, made, now)
    written = [one for one, after in zip(made, recorded.deliveries, strict=True) if after]
    failed = [one.delivery for one in written if not one.outcome.delivered]
    if failed:
        _fuse(table, failed[-1], made[0].webhook, now)
    return recorded


def _fuse(table: Table, delivery: Delivery, before: Webhook, now: int) -> None:
    """The circuit, and disabling, after a failure. A crash in between, or a busy table, leaves it to the next one."""
    try:
        webhook = endpoints.fuse(table, delivery.tenant, before, now)
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


def _put_off(work: Work, delivery: Delivery, webhook: Webhook) -> Result:
    """The circuit is open: later, and no attempt is lost."""
    now = work.now()
    later = replace(delivery, state="pending", next_at=health.put_off(webhook, now, work.rng))
    if store.move(work.table, delivery, later, now):
        queue.ring(work.ports, [later], now)
    return _log("put_off", work.alarm, later)


def _no_attempt(work: Work) -> Result:
    """Nothing to send now: hold it, close it, ring again, pay what it owes, or do nothing."""
    now, alarm, delivery, table = work.now(), work.alarm, work.delivery, work.table
    if delivery is None or delivery.state not in ("pending", "held"):
        if delivery and (delivery.owed_successes or delivery.owed_failures):
            pay(table, delivery, now)
        return Result("over")
    if work.webhook is None:
        store.move(table, delivery, replace(delivery, state="closed", next_at=now), now)
        return _log("closed", alarm, delivery)
    if not work.webhook.enabled:
        if store.hold(table, delivery, now):
            return _log("held", alarm, delivery)
        _ring_again(work, delivery, now)  # enabled or attempted since it was read: look again
        return Result("early")
    # An alarm for an attempt that another alarm has made, or that came early. One that rang before (`again`) may be
    # the sign of a crash between record and ring; a first ring only repeats an alarm that is already set.
    if alarm.again or alarm.attempt > delivery.attempts:
        _ring_again(work, delivery, now)
    return Result("early")


def _ring_again(work: Work, delivery: Delivery, now: int) -> None:
    """If the queue refuses, the due index rings: a first attempt had no place there."""
    for refused in queue.ring(work.ports, [delivery], now):
        store.move(work.table, refused, refused, now)


def _send(ports: Ports, delivery: Delivery, webhook: Webhook) -> Outcome:
    at, place = int(ports.clock() * 1000), endpoints.vault_context(delivery.tenant, webhook.id)
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


def _log(word: str, alarm: Alarm, delivery: Delivery, outcome: Outcome | None = None) -> Result:
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
    )
    return Result(word, outcome.ms if outcome else None)
