"""The events of a tenant, held against what its clients were promised.

What comes out is that the writes of all clients were one sequence of steps: each event follows from the one before it
and is exactly the step of its request. A lost update would be a step that is missing, or one that undid another.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from leadwire import events
from leadwire.events import Event
from leadwire.leads import batch, model
from leadwire.leads.model import Lead
from tests.flows.crowd import NOTHING, Promise

TIME = re.compile(r"\[\d{4}-[^]]*Z\]")
BESIDE = frozenset(
    {
        events.MESSAGE_REPLIED,
        events.MESSAGE_SENT,
        events.CONVERSATION_COMPLETED,
        events.FORM_SUBMITTED,
        events.TASK_CREATED,
        events.USERS_NOTIFIED,
    }
)
"""Events that tell of a lead and are no change of it."""


class Fold:
    """Leads as the events make them, from nothing."""

    def __init__(self, promises: Iterable[Promise], history: Iterable[Event]) -> None:
        self.promises = {promise.request: promise for promise in promises}
        self.merged = {e.request_id: model.of_snapshot(e.lead) for e in history if e.type == events.LEAD_MERGED}
        self.leads: dict[int, Lead] = {}
        self.past: dict[int, Lead] = {}
        self.versions: dict[tuple[int, int], Lead] = {}

    def add(self, event: Event) -> None:
        before, after = self.past.get(event.number), model.of_snapshot(event.lead)
        self._follows(before, after, event)
        if event.type in BESIDE:
            return
        promise = self.promises.get(event.request_id)
        if promise and promise.step and event.type in promise.types:
            self._is_the_step(promise, before, after, event)
        self.past[event.number] = self.versions[event.number, after.version] = after
        if event.type in batch.GONE:
            del self.leads[event.number]
        else:
            self.leads[event.number] = after

    def _follows(self, before: Lead | None, after: Lead, event: Event) -> None:
        """Versions grow by one, what it says has changed is what has changed, and nobody is told of the dead.

        What is told beside a lead may be overtaken by a change of it, and then shows a version that was told before.
        """
        if event.type in BESIDE:
            assert (after, event.changes) == (self.versions[event.number, event.version], {})
            return
        if event.type == events.LEAD_CREATED:
            assert before is None
            assert (after.version, event.changes) == (1, {})
            return
        assert before
        assert (event.number in self.leads) == (event.type != events.LEAD_UNMERGED)
        changed = json.loads(json.dumps(model.changes(before, after), default=dict))
        assert after.version == before.version + 1
        assert after.updated_at >= before.updated_at
        assert event.changes == changed
        assert bool(changed) == (event.type == events.LEAD_UPDATED), f"{event.type} changes {changed}"

    def _is_the_step(self, promise: Promise, before: Lead | None, after: Lead, event: Event) -> None:
        """Exactly so, but for the moment in a note; a new lead has at least what was asked for."""
        assert promise.step
        if before is None:
            asked = model.changes(Lead(), promise.step(Lead(), Lead()))
            assert {name: _plain(value) for name, (_, value) in asked.items()} == {
                name: _plain(getattr(after, name)) for name in asked
            }
            return
        wanted = promise.step(before, self.merged.get(promise.request, before))
        same = replace(wanted, notes=_untimed(wanted.notes), converted_at=after.converted_at)
        unasked = model.changes(same, replace(after, notes=_untimed(after.notes)))
        assert unasked == {}, f"{promise.kind} {event.id}"


def check(history: Sequence[Event], promises: Sequence[Promise], refused: Iterable[str]) -> dict[int, Lead]:
    """Raises AssertionError. Returns the leads that the history leaves."""
    ids = [event.id for event in history]
    assert ids == sorted(set(ids)), "not in order, or told twice"
    fold = Fold(promises, history)
    told: dict[str, list[str]] = defaultdict(list)
    for event in history:
        fold.add(event)
        told[event.request_id].append(event.type)
    for promise in promises:
        _is_told_once(promise, told[promise.request])
    assert not [request for request in refused if told[request]], "what was refused was done"
    return fold.leads


def _is_told_once(promise: Promise, types: Sequence[str]) -> None:
    own = [one for one in types if one not in promise.also] or [NOTHING]
    assert len(own) == 1, f"{promise.kind} is told by {own}"
    assert own[0] in promise.types, f"{promise.kind} is told by {own}"
    assert {*types} >= promise.also, f"{promise.kind} is not told by {[*promise.also]}"


def _untimed(notes: str) -> str:
    return TIME.sub("[]", notes)


def _plain(value: Any) -> Any:
    return _untimed(value) if isinstance(value, str) else value
