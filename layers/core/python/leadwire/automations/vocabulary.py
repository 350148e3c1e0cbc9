"""The vocabulary of automations, and whether a text in it makes sense: triggers, conditions, actions, delays.

Every word has a `config` of named values. Errors name the place in the request: `steps[2].config.tag`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadwire.errors import FieldError
from leadwire.leads.model import NAME_LIMIT, STATUSES, TEXT_LIMIT

NESTED = 5
LONGEST_DELAY = {"minutes": 365 * 24 * 60, "hours": 365 * 24, "days": 365}
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_URL = re.compile(r"https?://\S{1,1000}")
_SMALL_ID = 10**12


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a config. `problem` says why a value is refused; `refers` is the kind of record that it names."""

    problem: Callable[[Any], str | None]
    required: bool = True
    refers: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A record that an automation names, and where."""

    path: str
    kind: str
    id: int


type Config = Mapping[str, Value]


# --- kinds of values --------------------------------------------------------------------------------------------------


def _line(value: Any) -> str | None:
    good = isinstance(value, str) and 0 < len(value) <= NAME_LIMIT
    return None if good else f"must be a string of 1 to {NAME_LIMIT} characters"


def _text(value: Any) -> str | None:
    good = isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT
    return None if good else f"must be a string of 1 to {TEXT_LIMIT} characters"


def _id(value: Any) -> str | None:
    return None if type(value) is int and 0 < value < _SMALL_ID else "must be a positive integer"


def _ids(value: Any) -> str | None:
    good = isinstance(value, list) and 0 < len(value) <= 100 and not any(map(_id, value))  # noqa: PLR2004  # a pool
    return None if good else "must be a list of 1 to 100 positive integers"


def _integer(value: Any) -> str | None:
    return None if type(value) is int and abs(value) <= 10**9 else "must be an integer"


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _scalar(value: Any) -> str | None:
    good = isinstance(value, str | int | float) and len(str(value)) <= TEXT_LIMIT
    return None if good else "must be a string, a number, true or false"


def _hours(value: Any) -> str | None:
    good = type(value) is int and 0 < value <= LONGEST_DELAY["hours"]
    return None if good else f"must be an integer from 1 to {LONGEST_DELAY['hours']}"


def _url(value: Any) -> str | None:
    return None if isinstance(value, str) and _URL.fullmatch(value) else "must be an http or https URL"


def _one_of(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words and isinstance(value, str) else f"must be one of {', '.join(words)}"


def _span(value: Any) -> str | None:
    """An amount of time."""
    if not isinstance(value, dict) or value.keys() != {"amount", "unit"}:
        return "must have amount and unit"
    unit, amount = value["unit"], value["amount"]
    most = LONGEST_DELAY.get(unit, 0) if isinstance(unit, str) else 0
    good = type(amount) is int and 0 < amount <= most
    return None if good else "must be an amount of minutes, hours or days, up to 365 days"


def _clock(value: Any) -> str | None:
    return None if isinstance(value, str) and _CLOCK.fullmatch(value) else "must be a time such as 09:00"


_status = _one_of(*STATUSES)


def _maybe(problem: Callable[[Any], str | None], refers: str = "") -> Value:
    return Value(problem, required=False, refers=refers)


def _named(kind: str) -> Value:
    return Value(_id, refers=kind)


# --- the words --------------------------------------------------------------------------------------------------------

TRIGGERS: Mapping[str, Config] = {
    "lead_created": {"source": _maybe(_line)},
    "stage_changed": {
        "pipeline_id": _maybe(_id, "pipeline"),
        "from_stage_id": _maybe(_id, "stage"),
        "to_stage_id": _maybe(_id, "stage"),
    },
    "status_changed": {"from": _maybe(_status), "to": _maybe(_status)},
    "lead_assigned": {"user_id": _maybe(_id, "user")},
    "tag_added": {"tag": Value(_line)},
    "tag_removed": {"tag": Value(_line)},
    "field_changed": {"field": Value(_line), "to": _maybe(_scalar)},
    "score_crossed": {"threshold": Value(_integer), "direction": Value(_one_of("above", "below"))},
    "form_submitted": {"form_id": _maybe(_id, "form")},
    "message_replied": {},
    "conversation_completed": {},
    "no_activity": {"hours": Value(_hours)},
    "manual": {},
}

GROUPS = ("all", "any", "not")
"""Conditions made of others: `config.conditions`, of which `not` takes one."""

CONDITIONS: Mapping[str, Config] = {
    "source_is": {"source": Value(_line)},
    "source_is_not": {"source": Value(_line)},
    "status_is": {"status": Value(_status)},
    "has_tag": {"tag": Value(_line)},
    "has_no_tag": {"tag": Value(_line)},
    "field_equals": {"field": Value(_line), "value": Value(_scalar)},
    "field_not_equals": {"field": Value(_line), "value": Value(_scalar)},
    "field_contains": {"field": Value(_line), "value": Value(_line)},
    "field_is_empty": {"field": Value(_line)},
    "field_is_not_empty": {"field": Value(_line)},
    "score_above": {"score": Value(_integer)},
    "score_below": {"score": Value(_integer)},
    "in_pipeline": {"pipeline_id": _named("pipeline")},
    "in_stage": {"stage_id": _named("stage")},
    "assigned_to": {"user_id": _named("user")},
    "is_unassigned": {},
}

ACTIONS: Mapping[str, Config] = {
    "assign_user": {"user_id": _maybe(_id, "user"), "round_robin": _maybe(_ids, "user")},
    "add_tag": {"tag": Value(_line)},
    "remove_tag": {"tag": Value(_line)},
    "set_status": {"status": Value(_status)},
    "set_field": {"field": Value(_line), "value": Value(_scalar)},
    "add_score": {"points": Value(_integer)},
    "set_starred": {"starred": Value(_boolean)},
    "move_stage": {"stage_id": _named("stage")},
    "add_note": {"text": Value(_text)},
    "create_task": {"text": Value(_text), "due_in": _maybe(_span)},
    "send_email": {
        "integration_id": _maybe(_id, "integration"),
        "subject": Value(_line),
        "template": Value(_text),
    },
    "send_sms": {"integration_id": _named("integration"), "text": Value(_text)},
    "send_slack": {"integration_id": _named("integration"), "text": Value(_text)},
    "notify_users": {"user_ids": _maybe(_ids, "user"), "assignee": _maybe(_boolean), "message": _maybe(_text)},
    "send_webhook": {"url": Value(_url), "secret": _maybe(_line)},
    "start_automation": {"automation_id": _named("automation")},
}

DELAY: Config = {"amount": _maybe(_integer), "unit": _maybe(_one_of(*LONGEST_DELAY)), "until": _maybe(_clock)}

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
    elif "until" not in config and _span(span):
        yield FieldError(f"{path}.config", str(_span(span)), "value_error")


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
        problem = value.problem(config[name])
        if problem:
            yield FieldError(where, problem, "value_error")
        elif value.refers:
            named = config[name] if isinstance(config[name], list) else [config[name]]
            yield from (Reference(where, value.refers, one) for one in named)


def _unknown(thing: Mapping[str, Any], path: str, known: Any) -> Found:
    yield from (
        FieldError(f"{path}.{name}", "is not a known field", "unknown_field") for name in thing if name not in known
    )
