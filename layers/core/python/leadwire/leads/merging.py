"""Two leads become one, and two again: nothing is moved, so that nothing can be lost on the way.

The survivor takes over what it lacks or what is chosen, and is known by the other's e-mail and phone too. Of the other
there remain its events and messages where they are, and a marker: who survived, the lead as it was, and what the merge
changed. Old ids are answered by the marker; `unmerge` takes back from the survivor what the merge gave and nobody has
changed since.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from leadwire import events, keys, records
from leadwire.context import Ctx
from leadwire.errors import Conflict, FieldError, InvalidInput, NotFound
from leadwire.store.types import ABSENT, Delete, Item, Key, Put, TransactionFailed, TransactWrite, equals

from . import batch, identity, model, service
from .batch import Step
from .model import Lead, Stored

UNDONE_WITHIN = 30 * 24 * 3600 * 1000
"""Milliseconds."""
CHOSEN = (
    "first_name", "last_name", "email", "phone", "company", "job_title", "source", "status", "score", "starred",
    "pipeline_id", "stage_id", "assigned_user_id", "notes", "chatbot", "address",
)  # fmt: skip
"""Fields of which one of the two is kept; the others are added up."""
_SETS = ("tags", "lists", "merged", "other_emails", "other_phones")


def merged(lead: Lead, other: Lead, chosen: Collection[str]) -> Lead:
    """The survivor: its own values, the other's where it has none or where they are `chosen`. Pure."""
    taken = {name: getattr(other, name) for name in CHOSEN if name in chosen or not getattr(lead, name)}
    if lead.pipeline_id and "stage_id" not in chosen and "pipeline_id" not in chosen:
        taken.pop("stage_id", None)  # a stage of the other's pipeline
    result = replace(
        lead,
        **taken,
        tags=model.with_tags(lead.tags, other.tags),
        lists=model.with_tags(lead.lists, other.lists),
        custom={**other.custom, **lead.custom},
        merged=(other.number, *other.merged, *lead.merged),
        possible_duplicate_of=None if lead.possible_duplicate_of == other.number else lead.possible_duplicate_of,
    )
    emails = [*_emails(lead), *_emails(other)]
    phones = [lead.phone, *lead.other_phones, other.phone, *other.other_phones]
    own = identity.normal_email(result.email) if result.email else ""
    return replace(
        result,
        other_emails=tuple(dict.fromkeys(email for email in emails if email != own)),
        other_phones=tuple(dict.fromkeys(phone for phone in phones if phone and phone != result.phone)),
    )


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
        ops = [*_writes(ctx, steps), Put(_marker(ctx, kept, last), ABSENT)]
        return _commit(ctx, ops, Stored(kept.after, existed=True))

    return records.persist(attempt)


def unmerge(ctx: Ctx, number: int | None, other: int | None = None) -> Stored:
    """The lead that was merged, itself again. `number` is its own or the survivor's, then `other` or the last one.

    Raises NotFound, Conflict if it cannot be undone.
    """

    def attempt() -> Stored:
        marker = _find_marker(ctx, number, other)
        if ctx.now_ms() - marker["at"] > UNDONE_WITHIN:
            raise Conflict("The merge is more than 30 days old and cannot be undone")
        survivor, gone = _survivor(ctx, marker), model.of_snapshot(json.loads(marker["lead"]))
        kept = batch.change(ctx, survivor, _parted(survivor, json.loads(marker["changes"])))
        back = model.changed(gone, gone, ctx.now_ms(), ctx.ulid(gone.event))
        steps = [kept, Step(None, back, events.LEAD_UNMERGED, {"from": survivor.number})]
        ops = [*_writes(ctx, steps), Delete(Key(marker["pk"], marker["sk"]), equals("at", marker["at"]))]
        return _commit(ctx, ops, Stored(back, existed=True))

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


def _marker(ctx: Ctx, kept: Step, last: Lead) -> Item:
    key = keys.merged(ctx.tenant.id, last.number)
    changes = model.changes(kept.before or kept.after, kept.after)
    texts = {name: _text(value) for name, value in (("lead", model.snapshot(last)), ("changes", changes))}
    return {"pk": key.pk, "sk": key.sk, "number": last.number, "into": kept.after.number, "at": ctx.now_ms(), **texts}


def _text(value: object) -> str:
    """The lead, and what the survivor was and became: three times the largest lead fit into an item."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)


def _find_marker(ctx: Ctx, number: int | None, other: int | None) -> Item:
    """Raises NotFound."""
    own = ctx.table.get(keys.merged(ctx.tenant.id, number)) if number else None
    if own and other in (None, number):
        return own
    survivor = service.own(ctx, number)
    wanted = [keys.merged(ctx.tenant.id, one) for one in survivor.merged if other in (None, one)]
    markers = [*ctx.table.batch_get(wanted).values()] if wanted else []
    markers = [marker for marker in markers if marker["into"] == survivor.number]
    if not markers:
        raise NotFound("merge", "lead_id" if other else "")
    return max(markers, key=lambda marker: (marker["at"], marker["number"]))


def _survivor(ctx: Ctx, marker: Item) -> Lead:
    try:
        return service.own(ctx, marker["into"])
    except NotFound as error:
        raise Conflict("The lead that it became part of was deleted or merged itself") from error


def _parted(survivor: Lead, changes: Mapping[str, list[Any]]) -> Lead:
    """The survivor without what the merge gave it, but for what has been changed since."""
    back: dict[str, Any] = {}
    for name, (before, after) in changes.items():
        now = getattr(survivor, name)
        if name in _SETS:
            given = {*after} - {*before}
            back[name] = tuple(one for one in now if one not in given)
        elif now == after or (isinstance(now, Mapping) and dict(now) == after):
            back[name] = before
    return replace(survivor, **back)


def _emails(lead: Lead) -> list[str]:
    return [*([identity.normal_email(lead.email)] if lead.email else []), *lead.other_emails]
