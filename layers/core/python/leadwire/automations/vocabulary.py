"""The vocabulary of automations, and whether a text in it makes sense: triggers, conditions, actions, delays.

Every word has a `config` of named values. Errors name the place in the request: `steps[2].config.tag`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadwire.errors import FieldError

from .conditions import FIXED
from .values import (
    BOOLEAN,
    CLOCK,
    HOURS,
    ID,
    IDS,
    INTEGER,
    LINE,
    LONGEST_DELAY,
    SCALAR,
    SPAN,
    STATUS,
    TAG,
    TEXT,
    TOLD,
    URL,
    Kind,
    one_of,
    other_than,
)

NESTED = 5
FIELD = other_than(LINE, FIXED, f"must not be {', '.join(FIXED)}: they have actions of their own, or cannot be set")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a config; `refers` is the kind of record that it names."""

    kind: Kind
    required: bool = True
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A record that an automation names, and where."""

    path: str
    kind: str
    id: int


type Config = Mapping[str, Value]


def _maybe(kind: Kind, refers: str = "") -> Value:
    return Value(kind, required=False, refers=refers)


def _named(kind: str) -> Value:
    return Value(ID, refers=kind)


# --- the words --------------------------------------------------------------------------------------------------------

TRIGGERS: Mapping[str, Config] = {
    "lead_created": {"source": _maybe(LINE)},
    "stage_changed": {
        "pipeline_id": _maybe(ID, "pipeline"),
        "from_stage_id": _maybe(ID, "stage"),
        "to_stage_id": _maybe(ID, "stage"),
    },
    "status_changed": {"from": _maybe(STATUS), "to": _maybe(STATUS)},
    "lead_assigned": {"user_id": _maybe(ID, "user")},
    "tag_added": {"tag": Value(LINE)},
    "tag_removed": {"tag": Value(LINE)},
    "field_changed": {"field": Value(LINE), "to": _maybe(SCALAR)},
    "score_crossed": {"threshold": Value(INTEGER), "direction": Value(one_of("above", "below"))},
    "form_submitted": {"form_id": _maybe(ID, "form")},
    "message_replied": {},
    "conversation_completed": {},
    "no_activity": {"hours": Value(HOURS)},
    "manual": {},
}

GROUPS = ("all", "any", "not")
"""Conditions made of others: `config.conditions`, of which `not` takes one."""

CONDITIONS: Mapping[str, Config] = {
    "source_is": {"source": Value(LINE)},
    "source_is_not": {"source": Value(LINE)},
    "status_is": {"status": Value(STATUS)},
    "has_tag": {"tag": Value(LINE)},
    "has_no_tag": {"tag": Value(LINE)},
    "field_equals": {"field": Value(LINE), "value": Value(SCALAR)},
    "field_not_equals": {"field": Value(LINE), "value": Value(SCALAR)},
    "field_contains": {"field": Value(LINE), "value": Value(LINE)},
    "field_is_empty": {"field": Value(LINE)},
    "field_is_not_empty": {"field": Value(LINE)},
    "score_above": {"score": Value(INTEGER)},
    "score_below": {"score": Value(INTEGER)},
    "in_pipeline": {"pipeline_id": _named("pipeline")},
    "in_stage": {"stage_id": _named("stage")},
    "assigned_to": {"user_id": _named("user")},
    "is_unassigned": {},
}

ACTIONS: Mapping[str, Config] = {
    "assign_user": {"user_id": _maybe(ID, "user"), "round_robin": _maybe(IDS, "user")},
    "add_tag": {"tag": Value(TAG)},
    "remove_tag": {"tag": Value(LINE)},
    "set_status": {"status": Value(STATUS)},
    "set_field": {"field": Value(FIELD), "value": Value(SCALAR)},
    "add_score": {"points": Value(INTEGER)},
    "set_starred": {"starred": Value(BOOLEAN)},
    "move_stage": {"stage_id": _named("stage")},
    "add_note": {"text": Value(TEXT)},
    "create_task": {"text": Value(TOLD), "due_in": _maybe(SPAN)},
    "send_email": {
        "integration_id": _maybe(ID, "integration"),
        "subject": Value(LINE),
        "template": Value(TEXT),
    },
    "send_sms": {"integration_id": _named("integration"), "text": Value(TEXT)},
    "send_slack": {"integration_id": _named("integration"), "text": Value(TEXT)},
    "notify_users": {"user_ids": _maybe(IDS, "user"), "assignee": _maybe(BOOLEAN), "message": _maybe(TOLD)},
    "send_webhook": {"url": Value(URL), "secret": _maybe(LINE)},
    "start_automation": {"automation_id": _named("automation")},
}

DELAY: Config = {"amount": _maybe(INTEGER), "unit": _maybe(one_of(*LONGEST_DELAY)), "until": _maybe(CLOCK)}

ONE_OF = {"assign_user": ("user_id", "round_robin"), "notify_users": ("user_ids", "assignee")}
"""Words whose config needs at least one of these; `assign_user` exactly one."""


# --- reading ----------------------------------------------------------------------------------------------------------

type Found = Iterator[FieldError | Reference]


def read_trigger(trigger: Mapping[str, Any], path: str = "trigger") -> Found:
    """What is wrong with a trigger, and what it refers to."""
    yield from _shape(trigger, path, "type", TRIGGERS)


def read_step(step: Any, path: str) -> Found:
    """What is wrong with a step, and what it refers to."""
    kind = step.get("type") if isinstance(step, dict) else None
    if kind == "condition":
        yield from _condition(step, path, 1)
    elif kind == "action":
        yield from _shape(step, path, "action", ACTIONS)
        yield from _choice(step, path)
    elif kind == "delay":
        yield from _delay(step, path)
    else:
        yield FieldError(f"{path}.type", "must be condition, action or delay", "enum", kind)


def _condition(step: Mapping[str, Any], path: str, depth: int) -> Found:
    if step.get("type", "condition") != "condition":
        yield FieldError(f"{path}.type", "must be condition", "enum", step["type"])
    if step.get("condition") not in GROUPS:
        yield from _shape(step, path, "condition", CONDITIONS)
        return
    yield from _unknown(step, path, {"type", "condition", "config"})
    config = step.get("config")
    inner = config.get("conditions") if isinstance(config, dict) and config.keys() == {"conditions"} else None
    if not isinstance(inner, list) or not inner or (step["condition"] == "not" and len(inner) != 1):
        yield FieldError(
            f"{path}.config.conditions", "must be a list of conditions, of which not has one", "value_error"
        )
    elif depth >= NESTED:
        yield FieldError(path, f"must not be nested deeper than {NESTED} levels", "too_deep")
    else:
        for place, one in enumerate(inner):
            where = f"{path}.config.conditions[{place}]"
            if isinstance(one, dict):
                yield from _condition(one, where, depth + 1)
            else:
                yield FieldError(where, "must be an object", "dict_type")


def _delay(step: Mapping[str, Any], path: str) -> Found:
    yield from _unknown(step, path, {"type", "config"})
    config = step.get("config")
    if not isinstance(config, dict):
        yield FieldError(f"{path}.config", "must be an object", "dict_type")
        return
    yield from _config(config, f"{path}.config", DELAY)
    span = {name: config[name] for name in ("amount", "unit") if name in config}
    if "until" in config and span:
        yield FieldError(f"{path}.config.until", "excludes amount and unit", "value_error")
    elif "until" not in config and SPAN.problem(span):
        yield FieldError(f"{path}.config", str(SPAN.problem(span)), "value_error")


def _choice(step: Mapping[str, Any], path: str) -> Found:
    names, config = ONE_OF.get(str(step.get("action")), ()), step.get("config")
    given = [name for name in names if isinstance(config, dict) and config.get(name)]
    if names and not given:
        yield FieldError(f"{path}.config", f"must have {' or '.join(names)}", "missing")
    if step.get("action") == "assign_user" and len(given) > 1:
        yield FieldError(f"{path}.config", "must have user_id or round_robin, not both", "value_error")


def _shape(thing: Mapping[str, Any], path: str, word: str, words: Mapping[str, Config]) -> Found:
    """A word of a list and its config."""
    yield from _unknown(thing, path, {"type", word, "config"})
    chosen = thing.get(word)
    if not isinstance(chosen, str) or chosen not in words:
        yield FieldError(f"{path}.{word}", f"must be one of {', '.join(words)}", "enum", chosen)
        return
    config = thing.get("config", {})
    if not isinstance(config, dict):
        yield FieldError(f"{path}.config", "must be an object", "dict_type")
        return
    yield from _config(config, f"{path}.config", words[chosen])


def _config(config: Mapping[str, Any], path: str, values: Config) -> Found:
    yield from _unknown(config, path, values.keys())
    for name, value in values.items():
        where = f"{path}.{name}"
        if name not in config:
            if value.required:
                yield FieldError(where, "is required", "missing")
            continue
        problem = value.kind.problem(config[name])
        if problem:
            yield FieldError(where, problem, "value_error")
        elif value.refers:
            named = config[name] if isinstance(config[name], list) else [config[name]]
            yield from (Reference(where, value.refers, one) for one in named)


def _unknown(thing: Mapping[str, Any], path: str, known: Any) -> Found:
    yield from (
        FieldError(f"{path}.{name}", "is not a known field", "unknown_field") for name in thing if name not in known
    )
