"""Stages of a pipeline, in their order. Each change of them writes the pipeline too: its version keeps two apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import keys, pipelines, records
from .context import Ctx
from .errors import FieldError, InvalidInput, NotFound
from .pipelines import MOST_STAGES, PIPELINES, STAGES, Board, Stage, check_stage
from .store.types import Check, Key, TransactWrite, equals


def find(ctx: Ctx, stage_id: int) -> Stage | None:
    item = ctx.table.get(Key(keys.stages(ctx.tenant.id), keys.numbered(stage_id)))
    return records.of_item(STAGES, item) if item else None


def within(ctx: Ctx, stage_id: int, pipeline_id: int) -> Check:
    """The condition, for a transaction, that the stage is there and belongs to the pipeline."""
    return Check(Key(keys.stages(ctx.tenant.id), keys.numbered(stage_id)), equals("pipeline_id", pipeline_id))


def get(ctx: Ctx, pipeline_id: int | None, stage_id: int | None) -> Stage:
    """Raises NotFound for an unknown pipeline or stage, and for a stage of another pipeline."""
    return _among(pipelines.get(ctx, pipeline_id), stage_id)


def add(ctx: Ctx, pipeline_id: int | None, draft: Stage) -> Stage:
    """`position` 0 is the last place. Raises NotFound, InvalidInput."""

    def attempt() -> Stage:
        board = pipelines.get(ctx, pipeline_id)
        if len(board.stages) >= MOST_STAGES:
            full = f"has {MOST_STAGES} stages already, the most there can be"
            raise InvalidInput(FieldError("pipeline_id", full, "limit"))
        check_stage(draft)
        number, drawn = records.draw(ctx, STAGES.name)
        fresh = records.first(replace(draft, id=number, pipeline_id=board.pipeline.id), ctx.now_ms())
        return _reordered(ctx, board, _placed(board.stages, fresh), fresh, [drawn])

    return records.persist(attempt)


def update(ctx: Ctx, pipeline_id: int | None, stage_id: int | None, changes: Mapping[str, Any]) -> Stage:
    """`changes`: name, color, position, is_won, is_lost; another position moves the others.

    Raises NotFound, InvalidInput.
    """

    def attempt() -> Stage:
        board = pipelines.get(ctx, pipeline_id)
        before = _among(board, stage_id)
        wanted = replace(before, **changes)
        check_stage(wanted)
        placed = _placed([other for other in board.stages if other.id != before.id], wanted)
        return _reordered(ctx, board, placed, wanted) if placed != board.stages else before

    return records.persist(attempt)


def remove(ctx: Ctx, pipeline_id: int | None, stage_id: int | None) -> Stage:
    """Delete the stage, and close the gap in the order. Raises NotFound."""

    def attempt() -> Stage:
        board = pipelines.get(ctx, pipeline_id)
        gone = _among(board, stage_id)
        rest = _numbered([other for other in board.stages if other.id != gone.id])
        return _reordered(ctx, board, rest, gone, [records.removal(ctx, STAGES, gone)])

    return records.persist(attempt)


# --- inside -----------------------------------------------------------------------------------------------------------


def _placed(others: list[Stage], stage: Stage) -> list[Stage]:
    """The stages in order with this one at its position, or last."""
    place = stage.position - 1 if stage.position else len(others)
    return _numbered([*others[:place], stage, *others[place:]])


def _numbered(stages: Sequence[Stage]) -> list[Stage]:
    return [replace(stage, position=position) for position, stage in enumerate(stages, start=1)]


def _among(board: Board, stage_id: int | None) -> Stage:
    for stage in board.stages:
        if stage.id == stage_id:
            return stage
    raise NotFound("stage")


def _reordered(ctx: Ctx, board: Board, placed: list[Stage], result: Stage, also: Sequence[TransactWrite] = ()) -> Stage:
    """Write the stages as placed, and the pipeline, whose version keeps two such changes apart.

    The result is the stage as it was written, or as it was if it is no more.
    """
    touched = records.revised(ctx, board.pipeline, board.pipeline)
    known = {stage.id: stage for stage in board.stages}
    after = [_next(ctx, known.get(stage.id), stage) for stage in placed]
    moves = [_write(ctx, known.get(stage.id), stage) for stage in after if stage != known.get(stage.id)]
    ops = [records.revision(ctx, PIPELINES, board.pipeline, touched), *also, *moves]
    return records.commit(ctx, ops, next((stage for stage in after if stage.id == result.id), result))


def _next(ctx: Ctx, before: Stage | None, stage: Stage) -> Stage:
    """The stage as it is to be written: its next version if anything about it changes."""
    return records.revised(ctx, before, stage) if before and before != stage else stage


def _write(ctx: Ctx, before: Stage | None, after: Stage) -> TransactWrite:
    return records.revision(ctx, STAGES, before, after) if before else records.addition(ctx, STAGES, after)
