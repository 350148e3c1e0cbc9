"""The journal: in order, without gaps or repeats, across days and while others write; its fold is what is there."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest

from leadwire import events, journal, keys
from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.leads import merging, model, service, store
from leadwire.leads.model import Lead
from tests import factories
from tests.factories import Clock, draft

SETTLED = journal.SETTLED / 1000
DAY = 24 * 3600.0


def read_on(ctx: Ctx, after: str = "", limit: int = 7) -> tuple[list[Event], str]:
    """Everything that follows, chapter by chapter, and where it ended."""
    found: list[Event] = []
    while True:
        chapter = journal.read(ctx, after, limit)
        found += chapter.events
        after = chapter.next
        if not chapter.more:
            return found, after


def folded(history: list[Event]) -> dict[int, Lead]:
    leads: dict[int, Lead] = {}
    for event in history:
        if event.type in (events.LEAD_DELETED, events.LEAD_MERGED):
            del leads[event.number]
        else:
            leads[event.number] = model.of_snapshot(event.lead)
    return leads


def _into(ctx: Ctx, number: int) -> int:
    marker = ctx.table.get(keys.merged(ctx.tenant.id, number)) or {"into": 0, "at": 0}
    young = ctx.now_ms() - marker["at"] < merging.UNDONE_WITHIN
    return int(marker["into"]) if young else 0


def test_a_new_tenant_has_an_empty_journal(ctx: Ctx, clock: Clock) -> None:
    clock.advance(SETTLED + 1)
    assert read_on(ctx)[0] == []


def test_who_begins_long_before_the_tenant_was_made_is_soon_there(ctx: Ctx, clock: Clock) -> None:
    made = service.create(ctx, draft()).lead
    clock.advance(SETTLED + 1)
    before = journal.read(ctx, journal.FIRST, 7)
    assert (list(before.events), before.more) == ([], True)
    chapter = journal.read(ctx, before.next, 7)
    assert ([event.number for event in chapter.events], chapter.more) == ([made.number], False)


def test_an_event_is_told_once_it_has_settled(ctx: Ctx, clock: Clock) -> None:
    clock.advance(1)
    made = service.create(ctx, draft()).lead
    first, after = read_on(ctx)
    assert first == []
    clock.advance(SETTLED + 1)
    second, end = read_on(ctx, after)
    assert [event.id for event in second] == [made.event]
    assert read_on(ctx, end)[0] == []


def test_one_that_commits_late_is_not_skipped(ctx: Ctx, clock: Clock) -> None:
    """Its id is older than that of an event which is there already."""
    clock.advance(1)
    early = ctx.ulid()
    clock.advance(2)
    made = service.create(ctx, draft()).lead
    seen, after = read_on(ctx)
    late = events.of_lead(ctx, events.LEAD_UPDATED, early, model.snapshot(made), {})
    ctx.table.write(events.put(late))
    clock.advance(SETTLED + 1)
    seen += read_on(ctx, after)[0]
    assert [event.id for event in seen] == [early, made.event]


@pytest.mark.parametrize("seed", range(3))
def test_reading_along_gives_every_event_once_in_order_and_folds_to_the_leads(
    ctx: Ctx, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    seen: list[Event] = []
    after, living, written = "", [], 0
    merged: list[int] = []
    for step in range(120):
        clock.advance(chance.choice([0, 0.001, 1, 20, 3600, DAY, 40 * DAY]))
        verb = chance.random()
        if verb < 0.5 or not living:
            living.append(service.create(ctx, draft(step)).lead.number)
        elif verb < 0.6 and len(living) > 1:
            kept, gone = chance.sample(living, 2)
            merging.merge(ctx, kept, gone)
            living.remove(gone)
            merged.append(gone)
            written += 1
        elif verb < 0.65 and merged and store.find(ctx, _into(ctx, merged[-1])):
            merging.unmerge(ctx, merged[-1])
            living.append(merged.pop())
            written += 1
        elif verb < 0.85:
            service.change(ctx, chance.choice(living), lambda lead, s=step: replace(lead, notes=str(s)))
        else:
            service.delete(ctx, living.pop(chance.randrange(len(living))))
        written += 1
        if chance.random() < 0.3:
            more, after = read_on(ctx, after, limit=chance.randint(1, 10))
            seen += more
    clock.advance(SETTLED + 1)
    seen += read_on(ctx, after)[0]
    ids = [event.id for event in seen]
    assert ids == sorted(set(ids))
    assert len(ids) == written
    assert folded(seen) == {lead.number: lead for lead in store.find_many(ctx, living)}


def test_a_leads_own_events_are_there_at_once(ctx: Ctx) -> None:
    made = service.create(ctx, draft()).lead
    for note in ("a", "b", "c"):
        service.change(ctx, made.number, lambda lead, n=note: replace(lead, notes=n))
    first = journal.of_leads(ctx, [made.number], "", 3)
    rest = journal.of_leads(ctx, [made.number], first.next, 3)
    assert [event.version for event in (*first.events, *rest.events)] == [1, 2, 3, 4]
    assert (first.more, rest.more) == (True, False)


def test_the_events_of_what_became_part_of_a_lead_are_among_its_own(ctx: Ctx, clock: Clock) -> None:
    for number in (1, 2, 3):
        service.create(ctx, draft(number))
    for kept, gone in ((2, 3), (1, 2)):
        clock.advance(1)
        merging.merge(ctx, kept, gone)
    told: list[Event] = []
    after, more = "", True
    while more:
        chapter = journal.of_leads(ctx, (1, *service.get(ctx, 3).merged), after, 2)
        told, after, more = [*told, *chapter.events], chapter.next, chapter.more
    assert [event.id for event in told] == sorted(item["sk"][4:] for item in factories.events(ctx.ports.engine))
    assert Counter(event.number for event in told) == {1: 2, 2: 3, 3: 2}


def test_no_chapter_is_larger_than_an_answer_and_none_leaves_anything_out(ctx: Ctx, clock: Clock) -> None:
    """A page of the table ends at a megabyte, an answer of a function at six."""
    for number in range(1, 13):
        service.create(ctx, draft(number, notes="x" * 60_000))
    for other in range(2, 7):
        merging.merge(ctx, 1, other)
    for turn in range(60):
        service.change(ctx, 1, lambda lead, turn=turn: replace(lead, notes=str(turn % 10) * 50_000))
    clock.advance(SETTLED + 1)
    written = sorted(item["sk"][4:] for item in factories.events(ctx.ports.engine))
    assert [event.id for event in read_on(ctx, limit=200)[0]] == written
    everyone, after, more = [*range(1, 13)], "", True
    told: list[str] = []
    while more:
        chapter = journal.of_leads(ctx, everyone, after, 200)
        assert len(json.dumps([event.lead for event in chapter.events])) <= journal.MOST_BYTES
        told, after, more = [*told, *(event.id for event in chapter.events)], chapter.next, chapter.more
    assert told == written


def test_another_tenants_events_are_not_in_it(ctx: Ctx, clock: Clock) -> None:
    other = factories.ctx(ctx.ports, factories.tenant(ctx.ports, "other"))
    service.create(other, draft())
    clock.advance(SETTLED + 1)
    assert read_on(ctx)[0] == []
