"""Pipelines, each a board of stages (stages.py). Both have numbers of their own per tenant (D4).

Every tenant starts with one pipeline. One is the default, which cannot be deleted. What becomes of the leads of a
pipeline that is deleted: leads/cascade.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import keys, records
from .context import Ctx
from .errors import Conflict, FieldError, InvalidInput
from .records import Kind, Numbered
from .store.types import Check, Item, Put, Query, TransactWrite

DEFAULT_NAME = "Sales"
DEFAULT_STAGES = ("New", "Contacted", "Qualified", "Won", "Lost")
"""The stages of a new tenant's pipeline, in order; the last two are the won and the lost one."""
MOST_STAGES = 50
"""At most, in one pipeline: all of them fit into one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Numbered):
    name: str
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Numbered):
    pipeline_id: int
    name: str
    color: str = ""
    position: int = 0
    """1, 2, 3 … within the pipeline, without gaps."""
    is_won: bool = False
    is_lost: bool = False

    @property
    def status(self) -> str | None:
        """The status that a lead takes on when it gets here: converted (won), lost, or None."""
        return "converted" if self.is_won else "lost" if self.is_lost else None


@dataclass(frozen=True, slots=True)
class Board:
    """A pipeline and its stages in order."""

    pipeline: Pipeline
    stages: list[Stage]


PIPELINES = Kind("pipeline", keys.pipelines, Pipeline)
STAGES = Kind("stage", keys.stages, Stage)


def defaults(tenant: str, now_ms: int) -> list[Item]:
    """The items of a new tenant's pipeline and stages, and of the counters that they have moved."""
    pipeline = Pipeline(id=1, name=DEFAULT_NAME, is_default=True)
    stages = [
        Stage(id=n, pipeline_id=1, name=name, position=n, is_won=name == "Won", is_lost=name == "Lost")
        for n, name in enumerate(DEFAULT_STAGES, start=1)
    ]
    return [
        records.to_item(tenant, PIPELINES, records.first(pipeline, now_ms)),
        *(records.to_item(tenant, STAGES, records.first(stage, now_ms)) for stage in stages),
        *(_counted(tenant, kind, value) for kind, value in (("pipeline", 1), ("stage", len(stages)))),
    ]


def _counted(tenant: str, kind: str, value: int) -> Item:
    key = keys.counter(tenant, kind)
    return {"pk": key.pk, "sk": key.sk, "value": value}


def every(ctx: Ctx) -> list[Board]:
    """All pipelines with their stages, by number: two queries side by side."""
    partitions = (keys.pipelines(ctx.tenant.id), keys.stages(ctx.tenant.id))
    found, stages = ctx.table.query_many([Query(pk, consistent=True) for pk in partitions])
    of_all = [records.of_item(STAGES, item) for item in stages]
    return [_board(records.of_item(PIPELINES, item), of_all) for item in found]


def get(ctx: Ctx, pipeline_id: int | None) -> Board:
    """Raises NotFound."""
    pipeline = records.find(ctx, PIPELINES, pipeline_id)
    return _board(pipeline, records.every(ctx, STAGES))


def create(ctx: Ctx, name: str, *, is_default: bool, stages: Sequence[Stage]) -> Board:
    """A pipeline with its first stages, in their order; the drafts' `pipeline_id` and `position` are not looked at.

    Raises InvalidInput.
    """
    for place, draft in enumerate(stages):
        check_stage(draft, f"stages.{place}.")

    def attempt() -> Board:
        now, (number, drawn) = ctx.now_ms(), records.draw(ctx, PIPELINES.name)
        pipeline = records.first(Pipeline(id=number, name=name, is_default=is_default), now)
        ops: list[TransactWrite] = [drawn, records.addition(ctx, PIPELINES, pipeline)]
        ops += _undefault(ctx, number) if is_default else []
        start, more = records.draw(ctx, STAGES.name, len(stages)) if stages else (1, None)
        placed = [replace(s, id=start + n, pipeline_id=number, position=n + 1) for n, s in enumerate(stages)]
        numbered = [records.first(stage, now) for stage in placed]
        ops += [more] if more else []
        ops += [records.addition(ctx, STAGES, stage) for stage in numbered]
        return records.commit(ctx, ops, Board(pipeline, numbered))

    return records.persist(attempt)


def update(ctx: Ctx, pipeline_id: int | None, changes: Mapping[str, Any]) -> Board:
    """`changes`: name, is_default. Raises NotFound, Conflict if the default pipeline is to be no longer."""

    def attempt() -> Board:
        board = get(ctx, pipeline_id)
        before = board.pipeline
        if before.is_default and changes.get("is_default") is False:
            raise Conflict("This is the default pipeline; make another one the default instead")
        wanted = replace(before, **changes)
        if wanted == before:
            return board
        after = records.revised(ctx, before, wanted)
        ops: list[TransactWrite] = [records.revision(ctx, PIPELINES, before, after)]
        ops += _undefault(ctx, after.id) if after.is_default and not before.is_default else []
        return records.commit(ctx, ops, Board(after, board.stages))

    return records.persist(attempt)


def remove(ctx: Ctx, pipeline_id: int | None) -> Board:
    """Delete the pipeline with its stages, whatever its leads. Raises NotFound, Conflict for the default pipeline."""

    def attempt() -> Board:
        board = deletable(ctx, pipeline_id)
        ops: list[TransactWrite] = [records.removal(ctx, PIPELINES, board.pipeline)]
        ops += [records.removal(ctx, STAGES, stage) for stage in board.stages]
        return records.commit(ctx, ops, board)

    return records.persist(attempt)


def deletable(ctx: Ctx, pipeline_id: int | None) -> Board:
    """Raises NotFound, Conflict for the default pipeline."""
    board = get(ctx, pipeline_id)
    if board.pipeline.is_default:
        raise Conflict("The default pipeline cannot be deleted")
    return board


def check_stage(stage: Stage, path: str = "") -> None:
    """Raises InvalidInput, which names the field below `path`, if the stage is both the won and the lost one."""
    if stage.is_won and stage.is_lost:
        raise InvalidInput(
            FieldError(f"{path}is_lost", "excludes is_won: a stage is the one or the other", "value_error", True)
        )


def exists(ctx: Ctx, pipeline_id: int) -> Check:
    """The condition, for a transaction, that the pipeline is there."""
    return records.exists(ctx, PIPELINES, pipeline_id)


# --- inside -----------------------------------------------------------------------------------------------------------


def _board(pipeline: Pipeline, stages: Sequence[Stage]) -> Board:
    own = [stage for stage in stages if stage.pipeline_id == pipeline.id]
    return Board(pipeline, sorted(own, key=lambda stage: (stage.position, stage.id)))


def _undefault(ctx: Ctx, but: int) -> list[Put]:
    """The write that takes the default from the pipeline that has it."""
    others = [one for one in records.every(ctx, PIPELINES) if one.is_default and one.id != but]
    after = [records.revised(ctx, one, replace(one, is_default=False)) for one in others]
    return [records.revision(ctx, PIPELINES, one, later) for one, later in zip(others, after, strict=True)]
