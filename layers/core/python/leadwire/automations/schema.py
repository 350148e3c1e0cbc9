"""The vocabulary of automations as JSON Schema, for the published documents: every word a closed object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import SPANS, Schema, closed
from .vocabulary import ACTIONS, CONDITIONS, DELAY, GROUPS, NESTED, TRIGGERS, Config

CHOICES: Mapping[str, Schema] = {
    "assign_user": {"oneOf": [{"required": ["user_id"]}, {"required": ["round_robin"]}]},
    "notify_users": {
        "anyOf": [{"required": ["user_ids"]}, {"required": ["assignee"], "properties": {"assignee": {"const": True}}}]
    },
}
"""What `vocabulary.ONE_OF` asks of a config."""


def trigger() -> Schema:
    return {"oneOf": [_word("type", name, config) for name, config in TRIGGERS.items()]}


def step() -> Schema:
    return {"oneOf": [*_conditions({"type": {"const": "condition"}}, ["type"]), *_actions(), _delay()]}


def _conditions(typed: Mapping[str, Any], required: list[str], depth: int = 1) -> list[Schema]:
    found = [_word("condition", name, config, typed, required) for name, config in CONDITIONS.items()]
    return [*found, *([_group(typed, required, depth)] if depth < NESTED else [])]


def _group(typed: Mapping[str, Any], required: list[str], depth: int) -> Schema:
    """Conditions made of others, which need not say that they are conditions; `not` has one."""
    inner = {"oneOf": _conditions({"type": {"const": "condition"}}, [], depth + 1)}
    config = closed({"conditions": {"type": "array", "minItems": 1, "items": inner}}, ["conditions"])
    several = [group for group in GROUPS if group != "not"]
    single = {"properties": {"config": {"properties": {"conditions": {"maxItems": 1}}}}}
    return {
        **closed({**typed, "condition": {"enum": [*GROUPS]}, "config": config}, [*required, "condition", "config"]),
        "anyOf": [{"properties": {"condition": {"enum": several}}}, single],
    }


def _actions() -> list[Schema]:
    return [_word("action", name, config, {"type": {"const": "action"}}, ["type"]) for name, config in ACTIONS.items()]


def _delay() -> Schema:
    until = closed({"until": DELAY["until"].kind.schema}, ["until"])
    return closed({"type": {"const": "delay"}, "config": {"oneOf": [*SPANS, until]}}, ["type", "config"])


def _word(
    word: str, name: str, config: Config, typed: Mapping[str, Any] | None = None, required: list[str] | None = None
) -> Schema:
    """A config may be left out if nothing in it is required."""
    needed = [one for one, value in config.items() if value.required]
    values = closed({one: value.kind.schema for one, value in config.items()}, needed)
    asked = ["config"] if needed or name in CHOICES else []
    shown = {**values, **CHOICES.get(name, {})}
    return closed({**(typed or {}), word: {"const": name}, "config": shown}, [*(required or []), word, *asked])
