"""What operators are told about deliveries: events on the bus and in the journal, never sent to webhooks themselves.

Each is written in the transaction of what it tells, so it is told once, and exactly when it is true.
"""

from __future__ import annotations

from leadwire import events, ids
from leadwire.store.types import Put

from .model import Delivery, Outcome
from .retry import Done, GiveUp, RetryAt, Step

FAILING_AT = 4
"""The failed attempt of a delivery that is told."""


def after_attempt(delivery: Delivery, step: Step) -> str:
    """The type of the event that an attempt makes, or "" for none. `delivery` is as it was before the attempt."""
    number = delivery.attempts + 1 - delivery.run
    match step:
        case GiveUp():
            return events.WEBHOOK_EXHAUSTED
        case RetryAt() if number == FAILING_AT:
            return events.WEBHOOK_FAILING
        case Done() if delivery.reported:
            return events.WEBHOOK_RECOVERED
    return ""


def of_delivery(type_: str, delivery: Delivery, outcome: Outcome, now: int) -> Put:
    told = {
        "id": delivery.webhook,
        "delivery": delivery.id,
        "type": delivery.type,
        "attempts": delivery.attempts + 1,
        "status": outcome.status or None,
        "error": outcome.error or None,
    }
    return events.put(events.of_webhook(delivery.tenant, type_, ids.ulid(now), now, delivery.event, told))


def of_disabling(tenant: str, webhook: str, reason: str, cause: str, now: int) -> Put:
    told = {"id": webhook, "reason": reason}
    return events.put(events.of_webhook(tenant, events.WEBHOOK_DISABLED, ids.ulid(now), now, cause, told))
