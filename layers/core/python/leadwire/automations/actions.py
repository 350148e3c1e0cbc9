"""What the actions of automations do, each in one transaction with the record that it was done (design/automations.md).

An action goes through the verbs that the API uses, under a Ctx whose `answer` is the run's own progress. So it happens
once, however often a worker starts the step again; and what it makes happen says by whom (`actor`) and why (`cause`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from leadwire import events, keys, records
from leadwire.context import Ctx
from leadwire.leads import identity, model, placement, service, store
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.store.types import ABSENT, Query, TransactionFailed, TransactWrite, Update, equals
from leadwire.users import USERS, User

from . import conditions, delays, runs
from .runs import Run
from .service import AUTOMATIONS
from .values import TOLD_LIMIT

MOST_POINTS = 10**9
"""What a score may be, up and down, as in the crm API."""
SUSPENDED = "suspended"

type Config = Mapping[str, Any]
type Wanted = Callable[[Lead], Lead]


class Undoable(Exception):
    """The step cannot be done, now or later. `code` is a stable word, the message is for the automation's owner."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Doing:
    """A step that is being done."""

    ctx: Ctx
    run: Run
    step: Mapping[str, Any]

    @property
    def config(self) -> Config:
        config: Config = self.step.get("config", {})
        return config

    def filled_in(self, lead: Lead, text: str) -> str:
        return conditions.filled_in(text, model.snapshot(lead))

    def told(self, lead: Lead, text: str) -> str:
        return self.filled_in(lead, text)[:TOLD_LIMIT]

    def change(
        self,
        wanted: Wanted,
        requires: Sequence[Requirement] = (),
        along: Callable[[Lead], Sequence[TransactWrite]] = store.nothing,
    ) -> None:
        service.change(self.ctx, self.run.number, wanted, requires=requires, along=along)


# --- actions that change the lead -------------------------------------------------------------------------------------


def _set(name: str) -> Callable[[Doing], None]:
    return lambda doing: doing.change(lambda lead: _with(lead, name, doing.config[name]))


def _add_tag(doing: Doing) -> None:
    tag = " ".join(doing.config["tag"].split())
    doing.change(lambda lead: replace(lead, tags=model.with_tags(lead.tags, (tag,))))


def _remove_tag(doing: Doing) -> None:
    gone = doing.config["tag"]
    doing.change(lambda lead: replace(lead, tags=tuple(tag for tag in lead.tags if tag != gone)))


def _set_field(doing: Doing) -> None:
    field, value = doing.config["field"], doing.config["value"]
    if field not in conditions.SETTABLE:
        doing.change(lambda lead: replace(lead, custom=_open_map(lead, field, _said(doing, lead, value))))
    elif field in conditions.LINES:
        doing.change(lambda lead: _with(lead, field, model.short(conditions.text(_said(doing, lead, value)))))
    elif field == "notes":
        doing.change(lambda lead: replace(lead, notes=conditions.text(_said(doing, lead, value))))
    elif field == "email":
        doing.change(lambda lead: replace(lead, email=conditions.text(value)))
    else:
        e164 = identity.normal_phone(doing.ctx.tenant, conditions.text(value))
        doing.change(lambda lead: replace(lead, phone=e164))


def _with(lead: Lead, name: str, value: Any) -> Lead:
    return replace(lead, **{name: value})


def _open_map(lead: Lead, field: str, value: Any) -> dict[str, Any]:
    """Raises Undoable if the map would be larger than it may be."""
    custom = {**lead.custom, field.removeprefix(conditions.CUSTOM): value}
    problem = model.open_map_problem(custom)
    if problem:
        raise Undoable("too_large", f"The custom fields {problem}")
    return custom


def _said(doing: Doing, lead: Lead, value: Any) -> Any:
    return doing.filled_in(lead, value) if isinstance(value, str) else value


def _add_score(doing: Doing) -> None:
    """It ends where a score ends."""
    points = doing.config["points"]
    doing.change(lambda lead: replace(lead, score=max(-MOST_POINTS, min(MOST_POINTS, lead.score + points))))


def _add_note(doing: Doing) -> None:
    def noted(lead: Lead) -> Lead:
        notes = model.with_note(lead.notes, doing.filled_in(lead, doing.config["text"]), doing.ctx.now_ms())
        if len(notes) > model.TEXT_LIMIT:
            raise Undoable("too_long", f"The notes would be longer than {model.TEXT_LIMIT} characters")
        return replace(lead, notes=notes)

    doing.change(noted)


def _move_stage(doing: Doing) -> None:
    stage = placement.find_stage(doing.ctx, doing.config["stage_id"], None)
    place = replace(Lead(), stage_id=stage.id, pipeline_id=stage.pipeline_id)
    doing.change(placement.into_stage(stage), requires=placement.requirements(doing.ctx, place))


def _assign_user(doing: Doing) -> None:
    if "user_id" in doing.config:
        user = replace(Lead(), assigned_user_id=doing.config["user_id"])
        requires = placement.requirements(doing.ctx, user)
        doing.change(lambda lead: replace(lead, assigned_user_id=user.assigned_user_id), requires=requires)
        return
    turn = _Turn(doing)
    doing.change(turn.next, along=turn.taken)


class _Turn:
    """Round robin: the pool's counter moves in the transaction of the assignment, so nobody is passed over."""

    def __init__(self, doing: Doing) -> None:
        self.doing = doing
        self.counter = keys.counter(doing.ctx.tenant.id, f"round_robin:{doing.run.automation}:{doing.run.at}")
        self.count: int | None = None

    def next(self, lead: Lead) -> Lead:
        """Asked again when the lead, or the counter, was changed by others."""
        ctx, pool = self.doing.ctx, self.doing.config["round_robin"]
        users: dict[int, User] = {user.id: user for user in records.every(ctx, USERS)}
        able = [id_ for id_ in pool if id_ in users and users[id_].status != SUSPENDED]
        if not able:
            raise Undoable("no_user", "Nobody in the pool can be assigned leads")
        item = ctx.table.get(self.counter)
        self.count = item["value"] if item else None
        return replace(lead, assigned_user_id=able[(self.count or 0) % len(able)])

    def taken(self, _lead: Lead) -> list[TransactWrite]:
        unmoved = ABSENT if self.count is None else equals("value", self.count)
        return [Update(self.counter, set={"value": (self.count or 0) + 1}, condition=unmoved)]


# --- actions that are told --------------------------------------------------------------------------------------------


def _tell(doing: Doing, type_: str, about: Callable[[Lead], Mapping[str, Any]]) -> None:
    """An event of its own beside the lead as it is, after all that has been told of it."""
    ctx = doing.ctx
    known = service.get(ctx, doing.run.number)
    timeline = keys.event(ctx.tenant.id, known.number, "")
    newest = Query(timeline.pk, prefix=timeline.sk, forward=False, limit=1, consistent=True)
    (last,) = (events.from_item(item).id for item in ctx.table.query(newest).items)

    def along(lead: Lead) -> list[TransactWrite]:
        id_ = ctx.ulid(max(lead.event, last))
        told = events.of_lead(ctx, type_, id_, model.snapshot(lead), {}, about(lead))
        return [events.put(replace(told, at=ctx.now_ms()))]

    service.beside(ctx, known, along)


def _create_task(doing: Doing) -> None:
    span = doing.config.get("due_in")
    due = doing.ctx.now_ms() + delays.span(span) // timedelta(milliseconds=1) if span else None
    text = doing.config["text"]
    _tell(
        doing,
        events.TASK_CREATED,
        lambda lead: {"text": doing.told(lead, text), "due_at": due, "user_id": lead.assigned_user_id},
    )


def _notify_users(doing: Doing) -> None:
    named, message = doing.config.get("user_ids", []), doing.config.get("message", "")

    def about(lead: Lead) -> dict[str, Any]:
        assignee = [lead.assigned_user_id] if doing.config.get("assignee") and lead.assigned_user_id else []
        return {"user_ids": list(dict.fromkeys([*named, *assignee])), "message": doing.told(lead, message)}

    _tell(doing, events.USERS_NOTIFIED, about)


def _start_automation(doing: Doing) -> None:
    """The other run is stored in the transaction that records this step."""
    ctx, run = doing.ctx, doing.run
    target = records.find(ctx, AUTOMATIONS, doing.config["automation_id"])
    if not target.is_active:
        raise Undoable("inactive", f"Automation {target.id} is switched off")
    child = runs.fresh(ctx, target, run.number, run.event, run.hops + 1, once=f"{run.id}/{run.at}")
    try:
        ctx.commit(runs.births(ctx, child), None)
    except TransactionFailed as refused:
        raise Undoable("rate", f"There were {runs.PER_MINUTE} runs for this lead within a minute") from refused
    runs.ring(ctx, child)


def _cannot_send(doing: Doing) -> None:
    raise Undoable("no_channel", f"Nothing carries out {doing.step['action']} yet")


ACTIONS: Mapping[str, Callable[[Doing], None]] = {
    "assign_user": _assign_user,
    "add_tag": _add_tag,
    "remove_tag": _remove_tag,
    "set_status": _set("status"),
    "set_field": _set_field,
    "add_score": _add_score,
    "set_starred": _set("starred"),
    "move_stage": _move_stage,
    "add_note": _add_note,
    "start_automation": _start_automation,
    "create_task": _create_task,
    "notify_users": _notify_users,
    **dict.fromkeys(("send_email", "send_sms", "send_slack"), _cannot_send),
}
