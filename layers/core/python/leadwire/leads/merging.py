"""Two leads become one, and two again: nothing is moved, so that nothing can be lost on the way.

The survivor takes over what it lacks or what is chosen, and is known by the other's e-mail and phone too. Of the other
there remain its events and messages where they are, and a marker: who survived, the lead as it was, and what the merge
changed. Old ids are answered by the marker; `unmerge` takes back from the survivor what the merge gave and nobody has
changed since.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from leadwire import events, keys, lists, pipelines, records, stages, tags
from leadwire.context import Ctx
from leadwire.errors import Conflict, FieldError, InvalidInput, NotFound
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import ABSENT, PRESENT, Check, Delete, Item, Put, TransactionFailed, TransactWrite

from . import batch, model, parting, service
from .batch import Step
from .model import Lead, Stored
from .parting import WITH, Part, members

UNDONE_WITHIN = 30 * 24 * 3600 * 1000
"""Milliseconds."""
CHOSEN = (
    "first_name", "last_name", "email", "phone", "company", "job_title", "source", "status", "score", "starred",
    "pipeline_id", "assigned_user_id", "notes", "chatbot", "address", "qualification",
)  # fmt: skip
"""Fields of which one of the two is kept; the others are added up."""


def merged(lead: Lead, other: Lead, chosen: Collection[str]) -> Lead:
    """The survivor: its own values, the other's where it has none or where they are `chosen`. Pure.

    Who chooses the stage chooses the pipeline with it, and the other way round.
    """
    leading = {follower: name for name, follower in WITH.items()}
    asked = {leading.get(name, name) for name in chosen}
    names = [name for name in CHOSEN if name in asked or not getattr(lead, name)]
    names += [WITH[name] for name in names if name in WITH]
    result = replace(
        lead,
        **{name: getattr(other, name) for name in names},
        tags=model.with_tags(lead.tags, other.tags),
        lists=model.with_tags(lead.lists, other.lists),
        custom={**other.custom, **lead.custom},
        merged=(other.number, *other.merged, *lead.merged),
        possible_duplicate_of=None if lead.possible_duplicate_of == other.number else lead.possible_duplicate_of,
    )
    emails, phones = ([*members(lead, name), *members(other, name)] for name in ("emails", "phones"))
    return parting.known_by(result, emails, phones)


def merge(ctx: Ctx, number: int | None, other: int, chosen: Collection[str] = ()) -> Stored:
    """Make the lead `other` a part of this one. Raises NotFound (`lead_id` if it is the other), InvalidInput."""

    def attempt() -> Stored:
        survivor, gone = service.own(ctx, number), _other(ctx, other)
        if survivor.number == gone.number:
            raise InvalidInput(FieldError("lead_id", "is the lead itself", "value_error", other))
        wanted = merged(survivor, gone, chosen)
        _check(wanted)
        kept = batch.change(ctx, survivor, wanted)
        last = model.changed(gone, gone, ctx.now_ms(), ctx.ulid(gone.event))
        steps = [kept, Step(gone, last, events.LEAD_MERGED, {"into": survivor.number})]
        ops = [*_writes(ctx, steps), Put(_marker(ctx, _part(ctx, kept, last)), ABSENT)]
        return _commit(ctx, ops, Stored(kept.after, existed=True))

    return records.persist(attempt)


def unmerge(ctx: Ctx, number: int | None, other: int | None = None) -> Stored:
    """The lead that was merged, itself again. `number` is its own or the survivor's, then `other` or the last one.

    Raises NotFound, Conflict if it cannot be undone.
    """

    def attempt() -> Stored:
        part = _find_part(ctx, number, other)
        if ctx.now_ms() - part.at > UNDONE_WITHIN:
            raise Conflict("The merge is more than 30 days old and cannot be undone")
        survivor, gone = _survivor(ctx, part), part.lead
        others = [one for one in _parts(ctx, survivor) if one.lead.number != gone.number]
        alone, own_place = _placed(ctx, parting.parted(survivor, part, others), survivor)
        back, checks = _returning(ctx, gone)
        last = model.changed(gone, back, ctx.now_ms(), ctx.ulid(gone.event))
        about = {"from": survivor.number}
        steps = [batch.change(ctx, survivor, alone), Step(None, last, events.LEAD_UNMERGED, about)]
        heirs = [Put(_marker(ctx, one)) for one in parting.heirs(part, others)]
        ops = [*_writes(ctx, steps), *heirs, Delete(keys.merged(ctx.tenant.id, gone.number), PRESENT)]
        conditions = [*{check.key: check for check in (*own_place, *checks)}.values()]
        ops += conditions[: MOST_TRANSACTED - 1 - len(ops)]  # one is for the answer
        return _commit(ctx, ops, Stored(last, existed=True))

    return records.persist(attempt)


# --- inside -----------------------------------------------------------------------------------------------------------


def _other(ctx: Ctx, number: int) -> Lead:
    try:
        return service.own(ctx, number)
    except NotFound as error:
        raise NotFound("lead", "lead_id") from error


def _check(wanted: Lead) -> None:
    """Raises Conflict: two leads may be too much for one."""
    problem = model.open_map_problem(wanted.custom)
    if problem:
        raise Conflict(f"The custom fields of both together {problem}")
    if len(wanted.merged) > model.MOST_MERGED:
        raise Conflict(f"A lead can be made of at most {model.MOST_MERGED + 1} leads")
    excess = model.oversize(wanted)
    if excess:
        raise Conflict(f"Both together are too much: {excess.path} {excess.message}".replace("  ", " "))


def _writes(ctx: Ctx, steps: list[Step]) -> list[TransactWrite]:
    leads = [lead for step in steps for lead in (step.before, step.after) if lead]
    return batch.writes(ctx, steps, batch.identities_of(ctx, leads))


def _commit(ctx: Ctx, ops: list[TransactWrite], result: Stored) -> Stored:
    try:
        return ctx.commit(ops, result)
    except TransactionFailed as refused:
        raise records.Overtaken from refused


def _part(ctx: Ctx, kept: Step, last: Lead) -> Part:
    changes = parting.changes(kept.before or kept.after, kept.after)
    return Part(last, kept.after.number, ctx.now_ms(), kept.after.version, changes)


def _marker(ctx: Ctx, part: Part) -> Item:
    key = keys.merged(ctx.tenant.id, part.lead.number)
    return {"pk": key.pk, "sk": key.sk, **parting.to_item(part)}


def _find_part(ctx: Ctx, number: int | None, other: int | None) -> Part:
    """Raises NotFound."""
    own = ctx.table.get(keys.merged(ctx.tenant.id, number)) if number else None
    if own and other in (None, number):
        return parting.of_item(own)
    found = [part for part in _parts(ctx, service.own(ctx, number)) if other in (None, part.lead.number)]
    if not found:
        raise NotFound("merge", "lead_id" if other else "")
    return max(found, key=lambda part: part.version)


def _parts(ctx: Ctx, survivor: Lead) -> list[Part]:
    """The leads that became part of this one, but for those that are parts of its parts."""
    wanted = [keys.merged(ctx.tenant.id, one) for one in survivor.merged]
    parts = [parting.of_item(item) for item in ctx.table.batch_get(wanted).values()] if wanted else []
    return [part for part in parts if part.into == survivor.number]


def _survivor(ctx: Ctx, part: Part) -> Lead:
    try:
        return service.own(ctx, part.into)
    except NotFound as error:
        raise Conflict("The lead that it became part of was deleted or merged itself") from error


def _returning(ctx: Ctx, gone: Lead) -> tuple[Lead, list[Check]]:
    """The lead without what went away while it was only in the marker, and conditions that the rest is there still."""
    lead, checks = _placed(ctx, gone)
    of_lists = {one: lists.exists(ctx, one) for one in gone.lists}
    of_tags = tags.keys_of(ctx, gone.tags)
    found = ctx.table.batch_get([*(check.key for check in of_lists.values()), *of_tags.values()])
    joined = tuple(one for one, check in of_lists.items() if check.key in found)
    lead = replace(lead, lists=joined, tags=tuple(tag for tag, key in of_tags.items() if key in found))
    return lead, [*checks, *(of_lists[one] for one in joined)]


def _placed(ctx: Ctx, lead: Lead, now: Lead | None = None) -> tuple[Lead, list[Check]]:
    """The lead as far as its stage and its pipeline are there, if it does not stand there now."""
    if lead.pipeline_id is None or (now and (now.pipeline_id, now.stage_id) == (lead.pipeline_id, lead.stage_id)):
        return lead, []
    pipeline = pipelines.exists(ctx, lead.pipeline_id)
    stage = stages.within(ctx, lead.stage_id, lead.pipeline_id) if lead.stage_id else None
    found = ctx.table.batch_get([pipeline.key, *([stage.key] if stage else [])])
    if pipeline.key not in found:
        return replace(lead, pipeline_id=None, stage_id=None), []
    if stage and stage.key in found:
        return lead, [pipeline, stage]
    return replace(lead, stage_id=None), [pipeline]
