"""What goes through many leads: a tag is renamed or deleted, a stage or a pipeline goes away.

One call changes at most `LIMIT` leads and says how many are left, so that it ends within a function's time. It is safe
to repeat: each lead is one change of its own, and those that are done are no longer found. The record itself goes last,
so that a repeated request still finds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from leadwire import pipelines, records, stages, tags
from leadwire.context import Ctx
from leadwire.errors import Conflict, NotFound
from leadwire.pipelines import Board, Stage
from leadwire.tags import Tag

from . import placement, query, service
from .model import Lead, with_tags
from .query import LeadQuery
from .service import Requirement

LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Progress[Record]:
    """The record, and how many leads are still to be changed by further calls."""

    record: Record
    left: int


def rename_tag(ctx: Ctx, tag_id: int | None, name: str | None, color: str | None) -> Progress[Tag]:
    """None leaves a thing as it is. Raises NotFound, InvalidInput."""

    def attempt() -> Progress[Tag]:
        before = tags.get(ctx, tag_id)
        new = (name or before.name, before.color if color is None else color)
        if new == (before.name, before.color) and not before.was:
            return Progress(before, 0)
        if not before.was and new[0] == before.name:
            return Progress(tags.change(ctx.answering(_whole), before, *new), 0)
        working = replace(ctx, answer=None)
        tag = tags.change(working, before, *new) if new != (before.name, before.color) else before
        left = _through(working, f"tag={tag.was}", _retagged(tag.was, tag.name))
        return Progress(tag, left) if left else Progress(tags.settled(ctx.answering(_whole), tag), 0)

    return records.persist(attempt)


def delete_tag(ctx: Ctx, tag_id: int | None) -> Progress[Tag]:
    """Raises NotFound."""

    def attempt() -> Progress[Tag]:
        tag = tags.get(ctx, tag_id)
        left = _through(ctx, f"tag={tag.name}", _retagged(tag.name))
        return Progress(tag, left) if left else Progress(tags.delete(ctx.answering(_whole), tag), 0)

    return records.persist(attempt)


def delete_stage(ctx: Ctx, pipeline_id: int | None, stage_id: int | None) -> Progress[Stage]:
    """Its leads stay in the pipeline, without a stage. Raises NotFound."""
    stage = stages.get(ctx, pipeline_id, stage_id)
    left = _through(ctx, f"stage={stage.id}", lambda lead: _without_stage(lead, stage.id))
    if left:
        return Progress(stage, left)
    stages.remove(ctx.answering(_whole), pipeline_id, stage_id)
    return Progress(stage, _through(ctx, f"stage={stage.id}", lambda lead: _without_stage(lead, stage.id)))


def delete_pipeline(ctx: Ctx, pipeline_id: int | None, move_to: int | None) -> Progress[Board]:
    """Its leads go to the pipeline `move_to`, without a stage; Conflict if there are any and none is given.

    Raises NotFound, Conflict also for the default pipeline.
    """
    board = pipelines.deletable(ctx, pipeline_id)
    facet = f"pipeline={board.pipeline.id}"
    requires: tuple[Requirement, ...] = ()
    if move_to is not None:
        _check_goal(ctx, board, move_to)
        requires = (Requirement(pipelines.exists(ctx, move_to), "pipeline", "move_to"),)
    elif (count := query.totals(ctx, [facet])[facet]) > 0:
        raise Conflict(f"The pipeline has {count} leads; say where they go with ?move_to=<pipeline id>")
    move = placement.into_pipeline(move_to)
    left = _through(ctx, facet, move, requires)
    if left:
        return Progress(board, left)
    pipelines.remove(ctx.answering(_whole), pipeline_id)
    return Progress(board, _through(ctx, facet, move, requires))


# --- inside -----------------------------------------------------------------------------------------------------------


def _whole[Record](record: Record) -> Progress[Record]:
    """What is answered when the record itself goes: nothing is left."""
    return Progress(record, 0)


def _through(ctx: Ctx, facet: str, wanted: Callable[[Lead], Lead], requires: tuple[Requirement, ...] = ()) -> int:
    """Change leads of the facet, at most `LIMIT`, and return how many are left in it.

    A lead that the list counts and no longer finds, because it was deleted meanwhile, is not left.
    """
    working = replace(ctx, answer=None)
    listed = query.run(working, LeadQuery(facets=((facet,),), limit=LIMIT))
    for lead in listed.leads:
        try:
            service.change(working, lead.number, wanted, requires=requires)
        except NotFound as gone:
            if gone.field:
                raise
    return max(listed.total - LIMIT, 0)


def _check_goal(ctx: Ctx, board: Board, move_to: int) -> None:
    if move_to == board.pipeline.id:
        raise Conflict("The leads cannot go to the pipeline that is deleted")
    try:
        pipelines.get(ctx, move_to)
    except NotFound:
        raise NotFound("pipeline", "move_to") from None


def _retagged(old: str, new: str = "") -> Callable[[Lead], Lead]:
    """The change that puts `new` in the place of `old`, or nothing."""

    def change(lead: Lead) -> Lead:
        return replace(
            lead, tags=with_tags((), tuple(new if tag == old else tag for tag in lead.tags if new or tag != old))
        )

    return change


def _without_stage(lead: Lead, stage_id: int) -> Lead:
    return placement.out_of_stage(lead) if lead.stage_id == stage_id else lead
