"""Which automations an event starts. Pure: the event says all there is to know (design/automations.md, triggers)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadwire import events
from leadwire.events import Event

from .conditions import same, value_of

type Config = Mapping[str, Any]

BEGINNINGS: Mapping[str, Any] = {"score": 0, "tags": (), "assigned_user_id": None, "stage_id": None}
"""What a lead had before it was made, of the fields whose first value counts as a change."""


def starts(trigger: Mapping[str, Any], event: Event) -> bool:
    """Whether an automation with this trigger runs for the event. `manual` and `no_activity` start on no event."""
    test = _TESTS.get(trigger["type"])
    return test is not None and test(trigger.get("config", {}), event)


def change(event: Event, name: str) -> tuple[Any, Any] | None:
    """What the field was and has become, or None if it is as it was. A lead that is born changes from nothing."""
    if event.type == events.LEAD_UPDATED and name in event.changes:
        before, after = event.changes[name]
        return before, after
    if event.type == events.LEAD_CREATED and name in BEGINNINGS:
        before, after = BEGINNINGS[name], event.lead.get(name, BEGINNINGS[name])
        return None if before == after else (before, after)
    return None


def _lead_created(config: Config, event: Event) -> bool:
    source = config.get("source")
    return event.type == events.LEAD_CREATED and (source is None or same(event.lead.get("source", ""), source))


def _stage_changed(config: Config, event: Event) -> bool:
    moved = change(event, "stage_id")
    if moved is None:
        return False
    wanted = zip(("from_stage_id", "to_stage_id"), moved, strict=True)
    pipeline = config.get("pipeline_id") in (None, event.lead.get("pipeline_id"))
    return pipeline and all(config.get(name) in (None, stage) for name, stage in wanted)


def _status_changed(config: Config, event: Event) -> bool:
    moved = change(event, "status")
    return moved is not None and all(
        config.get(name) in (None, status) for name, status in zip(("from", "to"), moved, strict=True)
    )


def _lead_assigned(config: Config, event: Event) -> bool:
    moved = change(event, "assigned_user_id")
    return moved is not None and moved[1] is not None and config.get("user_id") in (None, moved[1])


def _tag(config: Config, event: Event, *, had: bool) -> bool:
    moved = change(event, "tags")
    return moved is not None and [config["tag"] in tags for tags in moved] == [had, not had]


def _field_changed(config: Config, event: Event) -> bool:
    """A custom field is looked for in the open map before and after."""
    if event.type != events.LEAD_UPDATED:
        return False
    earlier = {**event.lead, **{name: pair[0] for name, pair in event.changes.items()}}
    before, after = value_of(earlier, config["field"]), value_of(event.lead, config["field"])
    return before != after and ("to" not in config or same(after, config["to"]))


def _score_crossed(config: Config, event: Event) -> bool:
    moved = change(event, "score")
    if moved is None:
        return False
    threshold, (before, after) = config["threshold"], moved
    crossed: bool = before <= threshold < after if config["direction"] == "above" else before >= threshold > after
    return crossed


def _form_submitted(config: Config, event: Event) -> bool:
    return event.type == events.FORM_SUBMITTED and config.get("form_id") in (None, event.about.get("form_id"))


_TESTS: Mapping[str, Callable[[Config, Event], bool]] = {
    "lead_created": _lead_created,
    "stage_changed": _stage_changed,
    "status_changed": _status_changed,
    "lead_assigned": _lead_assigned,
    "tag_added": lambda config, event: _tag(config, event, had=False),
    "tag_removed": lambda config, event: _tag(config, event, had=True),
    "field_changed": _field_changed,
    "score_crossed": _score_crossed,
    "form_submitted": _form_submitted,
    "message_replied": lambda _config, event: event.type == events.MESSAGE_REPLIED,
    "conversation_completed": lambda _config, event: event.type == events.CONVERSATION_COMPLETED,
}
