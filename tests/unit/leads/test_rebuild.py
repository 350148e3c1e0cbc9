"""`verify` finds what was broken by hand and nothing else; `rebuild` mends it while writes go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from leadwire import keys, tenants
from leadwire.context import Ctx
from leadwire.leads import bitmap, index, rebuild, service
from leadwire.leads.index import FACET, TOKEN, Spot
from leadwire.leads.rebuild import Unnamed, Wrong
from leadwire.store.database import MEMORY, Database
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Delete, Put, Query
from tests.properties.story import Clock, Story

LEADS = 40


@pytest.fixture
def story() -> Iterator[Story]:
    """A tenant with leads, all of them indexed and none pending."""
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        story = Story(table, table.read_stream, clock, shards=1)
        for arg in range(LEADS):
            story.create(arg)
        story.come_to_rest()
        yield story


def wrong(ctx: Ctx) -> list[Wrong | Unnamed]:
    return list(rebuild.verify(ctx, lambda _what, _done, _all: None))


def mended(ctx: Ctx) -> list[Wrong | Unnamed]:
    return list(rebuild.rebuild(ctx, lambda _what, _done, _all: None))


def flip(ctx: Ctx, spot: Spot, number: int) -> None:
    """Turn one bit over, as an operator with a console might."""
    key = spot.key(ctx.tenant.id)
    item = ctx.table.get(key) or {"pk": key.pk, "sk": key.sk, "bits": bitmap.encode(0), "version": 1}
    bits = bitmap.decode(item["bits"]) ^ bitmap.place(number)[1]
    ctx.table.write(Put({**item, "bits": bitmap.encode(bits)}))


def some_spot(story: Story, kind: str = FACET) -> tuple[Spot, int]:
    """A chunk that a lead is in, and the lead's number."""
    lead = next(lead for lead in story.model.leads.values() if lead.email and lead.tags)
    return next(spot for spot in index.spots_of(lead) if spot.kind == kind and spot.term != "all"), lead.number


def test_an_index_that_is_right_is_found_right(story: Story) -> None:
    assert wrong(story.ctx) == []


@pytest.mark.parametrize("kind", [FACET, TOKEN])
def test_a_bit_that_was_cleared_by_hand_is_found_and_mended(story: Story, kind: str) -> None:
    spot, number = some_spot(story, kind)
    flip(story.ctx, spot, number)
    assert wrong(story.ctx) == [Wrong(spot, missing=(number,), stale=())]
    assert mended(story.ctx) == [Wrong(spot, missing=(number,), stale=())]
    assert wrong(story.ctx) == []


@pytest.mark.parametrize("number", [LEADS + 1, 3000, 5000, 1_000_000], ids="number-{}".format)
def test_a_bit_that_was_set_by_hand_is_found_and_mended_wherever_it_is(story: Story, number: int) -> None:
    spot = Spot(FACET, "all", number // bitmap.SIZE)
    flip(story.ctx, spot, number)
    assert wrong(story.ctx) == [Wrong(spot, missing=(), stale=(number,))]
    mended(story.ctx)
    assert wrong(story.ctx) == []


def test_two_bits_that_were_turned_over_do_not_hide_each_other(story: Story) -> None:
    """A shift by 61 places is the same to Python's hash of integers."""
    spot = Spot(FACET, "all", 0)
    present = max(story.model.leads)
    flip(story.ctx, spot, present)
    flip(story.ctx, spot, present + 61)
    assert wrong(story.ctx) == [Wrong(spot, missing=(present,), stale=(present + 61,))]


def test_a_missing_chunk_is_found_and_made_anew(story: Story) -> None:
    spot, number = some_spot(story)
    story.ctx.table.write(Delete(spot.key(story.ctx.tenant.id)))
    (found,) = wrong(story.ctx)
    assert isinstance(found, Wrong)
    assert (found.spot, found.stale) == (spot, ())
    assert number in found.missing
    mended(story.ctx)
    story.come_to_rest()


def test_a_term_that_no_lead_has_is_found_and_emptied(story: Story) -> None:
    spot = Spot(TOKEN, "nannabelle", 0)
    flip(story.ctx, spot, 1)
    assert wrong(story.ctx) == [Wrong(spot, missing=(), stale=(1,))]
    mended(story.ctx)
    assert wrong(story.ctx) == []


def test_a_name_that_was_forgotten_is_found_and_written_down(story: Story) -> None:
    spot, _ = some_spot(story)
    story.ctx.table.write(Delete(keys.facet_name(story.ctx.tenant.id, spot.term)))
    assert wrong(story.ctx) == [Unnamed(spot)]
    mended(story.ctx)
    assert wrong(story.ctx) == []


def test_leads_that_are_not_indexed_yet_are_no_error(story: Story) -> None:
    story.create(1)
    story.change(2)
    story.delete(3)
    assert wrong(story.ctx) == []


def test_an_index_that_is_gone_is_made_anew_from_the_leads_alone(story: Story) -> None:
    for kind, name in sorted(index.names(story.ctx)):
        partition = (
            keys.facet(story.ctx.tenant.id, name) if kind == FACET else keys.token_partition(story.ctx.tenant.id, name)
        )
        for item in story.ctx.table.query_all(Query(partition)):
            story.ctx.table.write(Delete(keys.Key(item["pk"], item["sk"])))
    for kind, name in sorted(index.names(story.ctx)):
        if kind == FACET:
            story.ctx.table.write(Delete(keys.facet_name(story.ctx.tenant.id, name)))
    story.ctx.table.write(Delete(keys.token_prefixes(story.ctx.tenant.id)))
    assert mended(story.ctx)
    assert wrong(story.ctx) == []
    story.come_to_rest()


class Meanwhile(FaultyEngine):
    """Lets something happen before each request."""

    def __init__(self, engine: Engine, happening: Callable[[int], None]) -> None:
        super().__init__(engine)
        self.happening = happening

    def _pass[T](self, request: Callable[[], T]) -> T:
        self.calls += 1
        self.happening(self.calls)
        return request()


def damage(story: Story) -> None:
    spots = sorted({spot for lead in story.model.leads.values() for spot in index.spots_of(lead)})
    for at, spot in enumerate(spots[::3]):
        if at % 2:
            story.ctx.table.write(Delete(spot.key(story.ctx.tenant.id)))
        else:
            flip(story.ctx, spot, 1 + at % LEADS)


@pytest.mark.parametrize("step", [Story.change, Story.create, Story.delete], ids=lambda step: step.__name__)
def test_a_rebuild_is_right_though_leads_change_and_are_indexed_at_each_of_its_requests(
    story: Story, step: Callable[[Story, int], None]
) -> None:
    damage(story)

    def happen(call: int) -> None:
        if call < 30:
            step(story, call)
            if call % 3 == 0:
                story.index(call)

    busy = replace(story.ports, engine=Meanwhile(story.table, happen))
    mended(tenants.operate(busy, story.ctx.tenant, "test"))
    story.come_to_rest()
    assert wrong(story.ctx) == []


def test_verify_tells_its_progress(story: Story) -> None:
    told: list[str] = []
    service.delete(story.ctx, min(story.model.leads))
    list(rebuild.verify(story.ctx, lambda what, done, all_: told.append(f"{what} {done} of {all_}")))
    assert told[0] == "leads 0 of 1"
    assert any(line.startswith("index 0 of ") for line in told)
    assert told[-1] == "differences 0 of 1"
