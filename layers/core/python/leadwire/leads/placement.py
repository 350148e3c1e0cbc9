"""Where a lead stands: pipeline, stage, and the status that a won or lost stage brings (decisions.md, crm)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from leadwire import pipelines, stages, users
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.pipelines import Stage

from .model import Lead
from .service import Requirement

PIPELINE_FIELD, STAGE_FIELD, USER_FIELD = "pipeline_id", "pipeline_stage_id", "assigned_user_id"
"""As errors name them: these fields are called alike wherever they can be sent."""
ABSENT = (NotFound("pipeline", PIPELINE_FIELD), NotFound("stage", STAGE_FIELD), NotFound("user", USER_FIELD))
"""What comes of a place that is not there."""


def requirements(ctx: Ctx, lead: Lead) -> list[Requirement]:
    """What must exist for a lead to be placed and assigned as it says."""
    found = []
    if lead.stage_id and lead.pipeline_id:
        within = stages.within(ctx, lead.stage_id, lead.pipeline_id)
        found.append(Requirement(within, "stage", STAGE_FIELD, of="stage_id"))
    elif lead.pipeline_id:
        exists = pipelines.exists(ctx, lead.pipeline_id)
        found.append(Requirement(exists, "pipeline", PIPELINE_FIELD, of="pipeline_id"))
    if lead.assigned_user_id:
        known = users.exists(ctx, lead.assigned_user_id)
        found.append(Requirement(known, "user", USER_FIELD, of="assigned_user_id"))
    return found


def placed(ctx: Ctx, draft: Lead) -> Lead:
    """A draft with a stage gets the stage's pipeline and status. Raises NotFound for a stage of another pipeline."""
    if not draft.stage_id:
        return draft
    return in_stage(draft, find_stage(ctx, draft.stage_id, draft.pipeline_id))


def in_stage(draft: Lead, stage: Stage) -> Lead:
    """A draft with the stage's pipeline and status."""
    return replace(draft, pipeline_id=stage.pipeline_id, stage_id=stage.id, status=stage.status or draft.status)


def find_stage(ctx: Ctx, stage_id: int, pipeline_id: int | None) -> Stage:
    """Raises NotFound, also if it is not of this pipeline (None: of any)."""
    stage = stages.find(ctx, stage_id)
    if stage is None or pipeline_id not in (None, stage.pipeline_id):
        raise NotFound("stage", STAGE_FIELD)
    return stage


def into_stage(stage: Stage) -> Callable[[Lead], Lead]:
    """The change that moves a lead to the stage; one that is there already keeps its status."""

    def move(lead: Lead) -> Lead:
        if lead.stage_id == stage.id:
            return lead
        return replace(lead, pipeline_id=stage.pipeline_id, stage_id=stage.id, status=stage.status or lead.status)

    return move


def into_pipeline(pipeline_id: int | None) -> Callable[[Lead], Lead]:
    """The change that moves a lead to a pipeline, or out of any: a stage of another one is left."""

    def move(lead: Lead) -> Lead:
        if lead.pipeline_id == pipeline_id:
            return lead
        return replace(lead, pipeline_id=pipeline_id, stage_id=None)

    return move


def out_of_stage(lead: Lead) -> Lead:
    return replace(lead, stage_id=None)
