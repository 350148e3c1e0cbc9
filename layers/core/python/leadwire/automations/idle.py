"""The trigger `no_activity`: a clock for each lead and automation, wound up again by whatever happens to the lead.

The clock is an item in the due index, so nothing is ever scanned. What automations do does not wind it up: a reminder
is no activity, and would remind of itself for ever. A lead that nothing has happened to since the automation was made
has no clock.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass

from leadwire import keys
from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.store.types import ABSENT, Compare, ConditionFailed, Delete, Key, Put, any_of, equals

from .service import Automation

TRIGGER = "no_activity"
HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Clock:
    """`event` is the last thing that happened, `rings` when it has been too long: epoch milliseconds."""

    automation: int
    number: int
    event: str
    rings: int


def wind(ctx: Ctx, automation: Automation, event: Event) -> None:
    """1 WRU, and 2 for the index. An event that comes late changes nothing."""
    key = keys.idle(ctx.tenant.id, automation.id, event.number)
    rings = event.at + automation.trigger["config"]["hours"] * HOUR
    digest = hashlib.blake2b(key.pk.encode(), digest_size=4).hexdigest()
    values = {"automation": automation.id, "number": event.number, "event": event.id, "rings": rings}
    item = {"pk": key.pk, "sk": key.sk, **values, **keys.indexed(g2=keys.due_at(digest, rings))}
    with contextlib.suppress(ConditionFailed):
        ctx.table.write(Put(item, any_of(ABSENT, Compare("event", "<", event.id))))


def find(ctx: Ctx, key: Key) -> Clock | None:
    item = ctx.table.get(key)
    return Clock(item["automation"], item["number"], item["event"], item["rings"]) if item else None


def stop(ctx: Ctx, clock: Clock) -> None:
    """It has rung, or nobody waits for it any more; something that happened meanwhile has wound it up again."""
    key = keys.idle(ctx.tenant.id, clock.automation, clock.number)
    with contextlib.suppress(ConditionFailed):
        ctx.table.write(Delete(key, equals("event", clock.event)))
