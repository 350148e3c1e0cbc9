"""Starting an automation by hand."""

from __future__ import annotations

from leadwire import records
from leadwire.context import Ctx
from leadwire.errors import Conflict, NotFound
from leadwire.leads import store
from leadwire.store.types import TransactionFailed

from . import runs
from .runs import Run
from .service import AUTOMATIONS

TRIGGER = "manual"


def start(ctx: Ctx, automation_id: int | None, number: int) -> Run:
    """The run, stored and handed to a worker. Raises NotFound (also for the lead, by its field), Conflict."""
    automation = records.find(ctx, AUTOMATIONS, automation_id)
    if automation.trigger["type"] != TRIGGER:
        raise Conflict(f"This automation starts by {automation.trigger['type']}; by hand only those with manual do")
    if not automation.is_active:
        raise Conflict("This automation is switched off")
    if store.find(ctx, number) is None:
        raise NotFound("lead", "lead_id")
    fresh = runs.fresh(ctx, automation, number, ctx.ulid(), 1)
    try:
        run = ctx.commit(runs.births(ctx, fresh), fresh)
    except TransactionFailed as refused:
        raise Conflict(f"There were {runs.PER_MINUTE} runs for this lead within a minute") from refused
    runs.ring(ctx, run)
    return run
