"""What can be done with forms: keep them, and take what people send with them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadwire import events, keys, records
from leadwire.context import Ctx
from leadwire.errors import Conflict, InvalidInput, NotFound
from leadwire.json_text import json_text
from leadwire.leads import model as leads
from leadwire.leads import placement, service
from leadwire.leads.model import Lead, Stored
from leadwire.leads.service import Requirement
from leadwire.leads.store import Along
from leadwire.store.types import Item, Key, Put, TransactWrite, Update

from . import model
from .model import FORMS, Form

SLUG = "form slug"
"""The kind of claim by which no two forms share a slug."""
LEFT_OUT: Mapping[str, Mapping[str, Any]] = {
    placement.STAGE_FIELD: {"stage_id": None},
    placement.PIPELINE_FIELD: {"pipeline_id": None, "stage_id": None},
    placement.USER_FIELD: {"assigned_user_id": None},
}
"""What a form names and is gone, as errors call it, to the fields that its leads go without."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A form and how often it was sent."""

    form: Form
    submissions: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted submission; `lead` is 0 for what only a machine fills in: nothing is stored of it."""

    id: str
    lead: int
    existed: bool


def every(ctx: Ctx) -> list[Form]:
    return records.every(ctx, FORMS)


def counted(ctx: Ctx, forms: Sequence[Form]) -> list[Counted]:
    """One batch read for the counts."""
    found = ctx.table.batch_get([_counter(ctx, form.id) for form in forms]) if forms else {}
    return [Counted(form, found.get(_counter(ctx, form.id), {}).get("submissions", 0)) for form in forms]


def get(ctx: Ctx, form_id: int | None) -> Counted:
    """Raises NotFound."""
    return counted(ctx, [records.find(ctx, FORMS, form_id)])[0]


def create(ctx: Ctx, draft: Form) -> Counted:
    """Without a slug the form gets one of its name. Raises InvalidInput for a taken slug, NotFound for the goal."""
    goal, requires = _goal(ctx, draft)

    def attempt(more: str = "") -> Counted:
        number, drawn = records.draw(ctx, FORMS.name)
        slug = goal.slug or f"{model.slug_of(goal.name)}-{number}{more}"
        form = records.first(replace(goal, id=number, slug=slug), ctx.now_ms())
        own: list[TransactWrite] = [records.claim(ctx, SLUG, slug, number), drawn, records.addition(ctx, FORMS, form)]
        refusals: dict[int, Exception] = {len(requires): records.taken("slug", slug)}
        return _commit(ctx, requires, own, Counted(form, 0), refusals)

    try:
        return records.persist(attempt)
    except InvalidInput:  # the slug is taken
        if goal.slug:
            raise
    return records.persist(lambda: attempt(f"-{secrets.token_hex(3)}"))


def update(ctx: Ctx, form_id: int | None, changes: Mapping[str, Any]) -> Counted:
    """Raises NotFound, also for a goal that is not there, and InvalidInput for a taken slug."""

    def attempt() -> Counted:
        now = get(ctx, form_id)
        before = now.form
        wanted, requires = _goal(ctx, _changed(before, changes), before)
        if wanted == before:
            return now
        after = records.revised(ctx, before, wanted)
        own: list[TransactWrite] = [records.revision(ctx, FORMS, before, after)]
        if after.slug != before.slug:
            own += [records.claim(ctx, SLUG, after.slug, after.id), records.unclaim(ctx, SLUG, before.slug)]
        refusals: dict[int, Exception] = {len(requires) + 1: records.taken("slug", after.slug)}
        return _commit(ctx, requires, own, replace(now, form=after), refusals)

    return records.persist(attempt)


def delete(ctx: Ctx, form_id: int | None) -> Form:
    """Its submissions stay with their leads. Raises NotFound."""

    def attempt() -> Form:
        form = records.find(ctx, FORMS, form_id)
        return records.commit(ctx, [records.removal(ctx, FORMS, form), records.unclaim(ctx, SLUG, form.slug)], form)

    return records.persist(attempt)


# --- submissions ------------------------------------------------------------------------------------------------------


def submit(ctx: Ctx, form_id: int | None, values: Mapping[str, Any]) -> Submitted:
    """The lead of the submission: a new one, or a known one whose empty fields are filled. All in one transaction.

    Raises NotFound, Conflict for a form that is not active, InvalidInput.
    """
    form, ulid = records.find(ctx, FORMS, form_id), ctx.ulid()
    if not form.is_active:
        raise Conflict("The form is not active")
    if model.is_spam(form, values):
        return ctx.commit([Update(_counter(ctx, form.id), add={"spam": 1})], Submitted(_name(ulid), 0, existed=False))
    clean = model.checked(ctx.tenant, form, values)
    draft = model.draft(form, clean)

    def along(lead: Lead) -> list[TransactWrite]:
        return _writes(ctx, form, lead, ulid, clean)

    def answer(stored: Stored) -> Submitted:
        return Submitted(_name(ulid), stored.lead.number, stored.existed)

    return answer(_take_in(ctx.answering(answer), draft, along))


def _take_in(ctx: Ctx, draft: Lead, along: Along) -> Stored:
    """A pipeline, stage or user that is gone since the form was made costs no submission: the lead goes without it."""
    try:
        placed = placement.placed(ctx, draft)
        requires = placement.requirements(ctx, placed)
        return service.take_in(ctx, placed, lambda lead: leads.filled(lead, placed), requires=requires, along=along)
    except NotFound as gone:
        if gone.field not in LEFT_OUT:
            raise
        rest = replace(draft, **LEFT_OUT[gone.field])
    return _take_in(ctx, rest, along)


def _writes(ctx: Ctx, form: Form, lead: Lead, ulid: str, values: Mapping[str, Any]) -> list[TransactWrite]:
    """The submission under its lead, its count, and the event."""
    key = keys.submission(ctx.tenant.id, lead.number, ulid)
    text = json_text(values)
    item: Item = {"pk": key.pk, "sk": key.sk, "form_id": form.id, "at": ctx.now_ms(), "values": text}
    about = {"form_id": form.id, "submission_id": _name(ulid), "values": values}
    event = events.of_lead(ctx, events.FORM_SUBMITTED, ctx.ulid(lead.event), leads.snapshot(lead), {}, about)
    return [Put(item), Update(_counter(ctx, form.id), add={"submissions": 1}), events.put(event)]


# --- inside -----------------------------------------------------------------------------------------------------------


def _changed(before: Form, changes: Mapping[str, Any]) -> Form:
    """A stage given alone sets the pipeline, which `_goal` fills in; another pipeline leaves the stage behind."""
    after = replace(before, **changes)
    if after.stage_id and after.stage_id != before.stage_id and "pipeline_id" not in changes:
        return replace(after, pipeline_id=None)
    if after.pipeline_id != before.pipeline_id and "stage_id" not in changes:
        return replace(after, stage_id=None)
    return after


def _goal(ctx: Ctx, form: Form, before: Form | None = None) -> tuple[Form, list[Requirement]]:
    """The form with its stage's pipeline, and what must exist of what is new in it. Raises NotFound."""
    assigned = before is None or form.assigned_user_id != before.assigned_user_id
    draft = Lead(assigned_user_id=form.assigned_user_id if assigned else None)
    if before is None or (form.pipeline_id, form.stage_id) != (before.pipeline_id, before.stage_id):
        draft = placement.placed(ctx, replace(draft, pipeline_id=form.pipeline_id, stage_id=form.stage_id))
        form = replace(form, pipeline_id=draft.pipeline_id)
    return form, placement.requirements(ctx, draft)


def _commit(
    ctx: Ctx,
    requires: Sequence[Requirement],
    own: Sequence[TransactWrite],
    result: Counted,
    refusals: Mapping[int, Exception],
) -> Counted:
    missing = {place: NotFound(one.kind, one.field) for place, one in enumerate(requires)}
    checks = [requirement.check for requirement in requires]
    return records.commit(ctx, [*checks, *own], result, {**missing, **refusals})


def _counter(ctx: Ctx, form_id: int) -> Key:
    return keys.counter(ctx.tenant.id, f"form.{form_id}")


def _name(ulid: str) -> str:
    return f"sub_{ulid.lower()}"
