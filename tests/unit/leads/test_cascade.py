"""Renaming and deleting what leads refer to: bounded, safe to repeat, and nothing is left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadwire import keys, pipelines, stages, tags
from leadwire.context import Ctx
from leadwire.errors import Conflict, InvalidInput, NotFound
from leadwire.leads import cascade, query, service
from leadwire.store.types import Delete
from tests import factories, invariants
from tests.factories import draft


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascade, "LIMIT", 2)


def bearers(ctx: Ctx, tag: str) -> int:
    return query.totals(ctx, [f"tag={tag}"])[f"tag={tag}"]


def five_with(ctx: Ctx, *names: str) -> None:
    for number in range(1, 6):
        service.create(ctx, draft(number, tags=names))


def test_a_rename_goes_on_where_the_call_before_ended(ctx: Ctx) -> None:
    five_with(ctx, "old", "kept")
    lefts = []
    while not lefts or lefts[-1]:
        lefts.append(cascade.rename_tag(ctx, 1, "new", None).left)
    assert lefts == [3, 1, 0]
    assert (bearers(ctx, "old"), bearers(ctx, "new"), bearers(ctx, "kept")) == (0, 5, 5)
    assert [(tag.id, tag.name, tag.was) for tag in tags.every(ctx)] == [(1, "new", ""), (2, "kept", "")]
    assert service.get(ctx, 1).tags == ("new", "kept")
    invariants.check(ctx.ports.engine)


def test_a_tag_is_there_until_its_last_lead_is_without_it(ctx: Ctx) -> None:
    five_with(ctx, "old")
    assert cascade.delete_tag(ctx, 1).left == 3
    assert tags.get(ctx, 1).name == "old"
    assert cascade.delete_tag(ctx, 1).left == 1
    assert cascade.delete_tag(ctx, 1).left == 0
    assert bearers(ctx, "old") == 0
    with pytest.raises(NotFound):
        tags.get(ctx, 1)


def test_a_rename_to_the_name_of_another_tag_changes_nothing(ctx: Ctx) -> None:
    five_with(ctx, "one", "two")
    before = factories.items(ctx.ports.engine)
    with pytest.raises(InvalidInput):
        cascade.rename_tag(ctx, 1, "two", None)
    assert factories.items(ctx.ports.engine) == before


def test_leads_of_a_deleted_stage_stay_in_the_pipeline(ctx: Ctx) -> None:
    for number in range(1, 4):
        service.create(ctx, draft(number, pipeline_id=1, stage_id=3))
    assert [cascade.delete_stage(ctx, 1, 3).left for _ in range(2)] == [1, 0]
    found = [service.get(ctx, number) for number in range(1, 4)]
    assert {(lead.pipeline_id, lead.stage_id) for lead in found} == {(1, None)}
    assert [stage.position for stage in pipelines.get(ctx, 1).stages] == [1, 2, 3, 4]


def test_leads_of_a_deleted_pipeline_move_or_nothing_happens(ctx: Ctx) -> None:
    goal = pipelines.create(ctx, "Other", is_default=True, stages=[]).pipeline.id
    for number in range(1, 4):
        service.create(ctx, draft(number, pipeline_id=1, stage_id=3))
    with pytest.raises(Conflict):
        cascade.delete_pipeline(ctx, 1, None)
    with pytest.raises(Conflict):
        cascade.delete_pipeline(ctx, 1, 1)
    assert [cascade.delete_pipeline(ctx, 1, goal).left for _ in range(2)] == [1, 0]
    assert [board.pipeline.id for board in pipelines.every(ctx)] == [goal]
    assert {service.get(ctx, number).pipeline_id for number in range(1, 4)} == {goal}
    assert stages.find(ctx, 3) is None


def test_a_deletion_under_way_finds_leads_that_were_deleted_meanwhile(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    five_with(ctx, "old")
    listed = query.run(ctx, query.LeadQuery(facets=(("tag=old",),), limit=2))
    service.delete(ctx, 5)
    monkeypatch.setattr(cascade.query, "run", lambda *_: replace(listed, total=2))
    assert cascade.delete_tag(ctx, 1).left == 0


def test_a_lead_that_is_counted_and_no_longer_there_keeps_no_tag_from_going(ctx: Ctx) -> None:
    service.create(ctx, draft(1, tags=("old",)))
    service.create(ctx, draft(2, tags=("old",)))
    ctx.ports.engine.write(Delete(keys.lead(ctx.tenant.id, 2)))
    assert bearers(ctx, "old") == 2
    assert cascade.delete_tag(ctx, 1).left == 0
    assert tags.every(ctx) == []
