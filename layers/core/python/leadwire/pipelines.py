"""Pipelines and their stages. Every tenant starts with one pipeline; both have numbers of their own per tenant (D4)."""

from __future__ import annotations

from dataclasses import dataclass

from . import keys
from .context import Ctx
from .store.types import PRESENT, Check, Item, Key, equals

DEFAULT_NAME = "Sales"
DEFAULT_STAGES = ("New", "Contacted", "Qualified", "Won", "Lost")
"""The stages of a new tenant's pipeline, in order; the last two are the won and the lost one."""


@dataclass(frozen=True, slots=True)
class Stage:
    id: int
    pipeline_id: int
    status: str | None
    """The status that a lead takes on when it gets here: converted (won), lost, or None."""


def defaults(tenant: str) -> list[Item]:
    """The items of a new tenant's pipeline and stages."""
    pipeline: Item = {"pk": keys.pipelines(tenant), "sk": keys.numbered(1), "name": DEFAULT_NAME, "is_default": True}
    return [pipeline, *(_stage(tenant, place, name) for place, name in enumerate(DEFAULT_STAGES, start=1))]


def find_stage(ctx: Ctx, stage_id: int) -> Stage | None:
    item = ctx.table.get(Key(keys.stages(ctx.tenant.id), keys.numbered(stage_id)))
    if item is None:
        return None
    status = "converted" if item["is_won"] else "lost" if item["is_lost"] else None
    return Stage(stage_id, item["pipeline_id"], status)


def exists(ctx: Ctx, pipeline_id: int) -> Check:
    """The condition, for a transaction, that the pipeline is there."""
    return Check(Key(keys.pipelines(ctx.tenant.id), keys.numbered(pipeline_id)), PRESENT)


def stage_in(ctx: Ctx, stage_id: int, pipeline_id: int) -> Check:
    """The condition, for a transaction, that the stage is there and belongs to the pipeline."""
    return Check(Key(keys.stages(ctx.tenant.id), keys.numbered(stage_id)), equals("pipeline_id", pipeline_id))


def _stage(tenant: str, place: int, name: str) -> Item:
    return {
        "pk": keys.stages(tenant),
        "sk": keys.numbered(place),
        "pipeline_id": 1,
        "name": name,
        "position": place,
        "is_won": name == "Won",
        "is_lost": name == "Lost",
    }
