"""The trigger `no_activity`: a clock for each lead and automation, wound up again by whatever happens to the lead.

The clock is an item in the due index, so nothing is ever scanned. What automations do does not wind it up: a reminder
is no activity, and would remind of itself for ever. A lead that nothing has happened to since the automation was made
has no clock; that of a lead that is gone, deleted or part of another, stops when it rings.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import asdict, dataclass, replace

from leadwire import events, ids, keys
from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.store.types import ABSENT, Compare, Condition, ConditionFailed, Delete, Key, Put, any_of, equals

from .runner import ACTOR
from .service import Automation

TRIGGER = "no_activity"
HOUR = 3_600_000
ACTIVITY = frozenset(
    {
        events.LEAD_CREATED,
        events.LEAD_UPDATED,
        events.LEAD_UNMERGED,
        events.MESSAGE_REPLIED,
        events.MESSAGE_SENT,
        events.CONVERSATION_COMPLETED,
        events.FORM_SUBMITTED,
    }
)
"""What may happen to a lead that is there: the events that the bus hands to automations (template.yaml)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`event` is the last thing that happened, `rings` when it has been too long: epoch milliseconds."""

    automation: int
    number: int
    event: str
    rings: int


def is_activity(event: Event) -> bool:
    """Whether somebody has done something, and not an automation."""
    return event.type in ACTIVITY and not event.actor.startswith(f"{ACTOR}:")


def wind(ctx: Ctx, automation: Automation, event: Event) -> None:
    """1 WRU, and 2 for the index. An event that comes late changes nothing."""
    clock = Clock(automation.id, event.number, event.id, event.at + _patience(automation))
    _write(ctx, clock, any_of(ABSENT, Compare("event", "<", event.id)))


def due(automation: Automation, clock: Clock) -> int:
    """When it has been too long by what the automation says now: it may have been changed since the clock was set."""
    return ids.ulid_ms(clock.event) + _patience(automation)


def wait_on(ctx: Ctx, automation: Automation, clock: Clock) -> None:
    """Ring later, unless something has happened meanwhile."""
    _write(ctx, replace(clock, rings=due(automation, clock)), equals("event", clock.event))


def find(ctx: Ctx, key: Key) -> Clock | None:
    item = ctx.table.get(key)
    return Clock(item["automation"], item["number"], item["event"], item["rings"]) if item else None


def stop(ctx: Ctx, clock: Clock) -> None:
    """It has rung, or nobody waits for it any more; something that happened meanwhile has wound it up again."""
    key = keys.idle(ctx.tenant.id, clock.automation, clock.number)
    with contextlib.suppress(ConditionFailed):
        ctx.table.write(Delete(key, equals("event", clock.event)))


def _patience(automation: Automation) -> int:
    hours: int = automation.trigger["config"]["hours"]
    return hours * HOUR


def _write(ctx: Ctx, clock: Clock, condition: Condition) -> None:
    key = keys.idle(ctx.tenant.id, clock.automation, clock.number)
    digest = hashlib.blake2b(key.pk.encode(), digest_size=4).hexdigest()
    index = keys.indexed(g2=keys.due_at(digest, clock.rings))
    with contextlib.suppress(ConditionFailed):
        ctx.table.write(Put({"pk": key.pk, "sk": key.sk, **asdict(clock), **index}, condition))
