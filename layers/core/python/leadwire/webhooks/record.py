"""Attempts written down: the log, what follows, the endpoint's counters, what operators are told, all or nothing.

Attempts at one endpoint that end at the same time are one transaction (ledger.py): so its counters cost each of them a
fraction of a write, and they do not refuse each other over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from leadwire import keys, telemetry
from leadwire.store.table import Table
from leadwire.store.types import Throttled, TransactionConflict, TransactionFailed, TransactWrite, Update, equals

from . import attempts, endpoints, health, notices, store
from .attempts import Made
from .model import Delivery, Webhook
from .retry import Disable, Done, GiveUp, RetryAt

TRIES = 10
"""A try fails if attempts have been recorded before, or the endpoint's window has moved on; the next one knows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written of an attempt, and the delivery after it."""

    made: Made
    after: Delivery
    writes: list[TransactWrite]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The deliveries as they are now, in the order of the attempts, None for one that has been recorded before; and the
    endpoint, as far as is known.
    """

    deliveries: list[Delivery | None]
    webhook: Webhook


def record(table: Table, webhook: Webhook, made: Sequence[Made], now: int) -> Recorded:
    """Write attempts at one endpoint down. `webhook` is as it was last known.

    If the endpoint is too busy to be counted on, each attempt is written alone and owes its count; the next attempt of
    the delivery, or an alarm of its own, pays.
    """
    try:
        written, webhook = _counted(table, webhook, [_paying(one, now) for one in made], now)
    except (Throttled, TransactionConflict) as busy:
        telemetry.fault("count.owed", busy, webhook=webhook.id, attempts=len(made))
        written = _each(table, [_owing(one, now) for one in made])
    found = {plan.after.id: plan.after for plan in written}
    return Recorded([found.get(one.delivery.id) for one in made], webhook)


def pay(table: Table, delivery: Delivery, now: int) -> None:
    """Add what an attempt owes to its endpoint's counters. Nothing if somebody else did, or the endpoint is gone."""
    paid = replace(delivery, owed_successes=0, owed_failures=0)
    add = {"successes": delivery.owed_successes, "failures": delivery.owed_failures}
    count = Update(keys.webhook(delivery.tenant, delivery.webhook), add=add, condition=equals("sk", delivery.webhook))
    try:
        table.transact([store.moved(delivery, paid, now), count])
    except TransactionFailed as refused:
        if refused.failed.keys() == {1}:
            store.move(table, delivery, paid, now)


# --- inside -----------------------------------------------------------------------------------------------------------


def _counted(table: Table, webhook: Webhook, plans: list[Plan], now: int) -> tuple[list[Plan], Webhook]:
    """Together, and counted. Those that were written, without those that had been recorded before."""
    for _ in range(TRIES):
        if not plans:
            break
        made = [plan.made for plan in plans]
        tally = endpoints.tally(webhook, made, now)
        try:
            count = endpoints.counted(webhook, made, tally)
            table.transact([count, *chain.from_iterable(plan.writes for plan in plans)])
        except TransactionFailed as refused:
            if 0 in refused.failed:
                if (item := refused.failed[0]) is None:
                    return _each(table, plans), webhook  # the endpoint is gone, and its counters with it
                webhook = endpoints.of_item(item)
            plans = _accepted(plans, refused)
        else:
            return plans, health.after(webhook, tally)
    else:
        raise TransactionConflict
    return [], webhook


def _accepted(plans: list[Plan], refused: TransactionFailed) -> list[Plan]:
    at, accepted = 1, list[Plan]()
    for plan in plans:
        places = range(at, at := at + len(plan.writes))
        if refused.failed.keys().isdisjoint(places):
            accepted.append(plan)
    return accepted


def _each(table: Table, plans: list[Plan]) -> list[Plan]:
    """Each alone. Those that were written."""
    written: list[Plan] = []
    for plan in plans:
        try:
            table.transact(plan.writes)
        except TransactionFailed:
            continue
        written.append(plan)
    return written


def _paying(made: Made, now: int) -> Plan:
    return _plan(made, replace(_stepped(made), owed_successes=0, owed_failures=0), now)


def _owing(made: Made, now: int) -> Plan:
    before, good = made.delivery, made.outcome.delivered
    successes, failures = before.owed_successes + good, before.owed_failures + (not good)
    return _plan(made, replace(_stepped(made), owed_successes=successes, owed_failures=failures), now)


def _plan(made: Made, after: Delivery, now: int) -> Plan:
    told = notices.after_attempt(made.delivery, made.step)
    reported = (bool(told) or made.delivery.reported) and not isinstance(made.step, Done)
    after = replace(after, reported=reported)
    log: list[TransactWrite] = [attempts.put(made, after)]
    if attempts.is_noted(made):
        after, log = replace(after, noted=[*after.noted, attempts.note(made, after)]), []
    notice = [notices.of_delivery(told, made.delivery, made.outcome, now)] if told else []
    return Plan(made, after, [store.moved(made.delivery, after, now), *log, *notice])


def _stepped(made: Made) -> Delivery:
    """The delivery after one more attempt, and when the next one is due if there is one."""
    after = replace(made.delivery, attempts=made.delivery.attempts + 1)
    match made.step:
        case RetryAt(at=at):
            return replace(after, state="pending", next_at=at)
        case Disable(delivered=False):
            return replace(after, state="held", next_at=made.ended)
        case GiveUp():
            return replace(after, state="exhausted", next_at=made.ended)
        case Done() | Disable():
            return replace(after, state="delivered", next_at=made.ended)
