"""Whether a condition of an automation holds for a lead, and what its texts say. Pure (design/automations.md).

A lead is looked at as its snapshot (leads/model.py): absent is empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from leadwire.context import iso
from leadwire.leads.model import TEXT_LIMIT

SAID = 1000
"""Characters of a field in a text: a page of variables must not become a library."""

type Config = Mapping[str, Any]
type Shown = Mapping[str, Any]

NAMES = {
    "id": "number",
    "lead_score": "score",
    "pipeline_stage_id": "stage_id",
    "custom_fields": "custom",
    **{
        name: name
        for name in (
            "first_name",
            "last_name",
            "email",
            "phone",
            "company",
            "job_title",
            "source",
            "status",
            "score",
            "starred",
            "notes",
            "pipeline_id",
            "stage_id",
            "assigned_user_id",
            "tags",
            "possible_duplicate_of",
            "created_at",
            "updated_at",
        )
    },
}
"""Fields of a lead as automations call them, to their names in it. Any other name is one of the open map."""
CUSTOM = "custom_fields."
LINES = ("first_name", "last_name", "company", "job_title", "source")
SETTABLE = (*LINES, "notes", "email", "phone")
FIXED = sorted({*NAMES, "name"}.difference(SETTABLE))
"""What `set_field` does not set: it has an action of its own, or is not for anybody to set."""
TIMES = ("created_at", "updated_at")
_VARIABLE = re.compile(r"\{\{([^{}]{1,100})\}\}")


def value_of(lead: Shown, field: str) -> Any:
    """None if it is absent."""
    if field in TIMES:
        return iso(lead[field], zone="+00:00")
    if field in NAMES:
        return lead.get(NAMES[field])
    if field == "name":
        return f"{lead.get('first_name', '')} {lead.get('last_name', '')}".strip() or None
    return lead.get("custom", {}).get(field.removeprefix(CUSTOM))


def same(value: Any, wanted: Any) -> bool:
    """As text, whatever its letters' case: forms and imports bring numbers as text, and 5.0 is 5."""
    return text(value).casefold() == text(wanted).casefold()


def text(value: Any) -> str:
    """What is a list of texts has commas between them; what else has parts is JSON."""
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, ensure_ascii=False)


def filled_in(template: str, lead: Shown) -> str:
    """The template with each `{{field}}` as the lead has it, cut off at SAID; what the lead does not have is empty. The
    whole is cut off as well, where a lead's texts end.
    """
    return _VARIABLE.sub(lambda found: text(value_of(lead, found[1].strip()))[:SAID], template)[:TEXT_LIMIT]


def holds(condition: Mapping[str, Any], lead: Shown) -> bool:
    """`condition` is one that vocabulary.py has found no fault with."""
    word, config = condition["condition"], condition.get("config", {})
    if word in _GROUPS:
        return _GROUPS[word](holds(one, lead) for one in config["conditions"])
    return _TESTS[word](config, lead)


def _none(answers: Any) -> bool:
    return not any(answers)


_GROUPS: Mapping[str, Callable[[Any], bool]] = {"all": all, "any": any, "not": _none}


def _field(config: Config, lead: Shown) -> Any:
    return value_of(lead, config["field"])


def _empty(config: Config, lead: Shown) -> bool:
    return _field(config, lead) in (None, "", [], {})


_TESTS: Mapping[str, Callable[[Config, Shown], bool]] = {
    "source_is": lambda config, lead: same(lead.get("source"), config["source"]),
    "source_is_not": lambda config, lead: not same(lead.get("source"), config["source"]),
    "status_is": lambda config, lead: lead["status"] == config["status"],
    "has_tag": lambda config, lead: config["tag"] in lead.get("tags", ()),
    "has_no_tag": lambda config, lead: config["tag"] not in lead.get("tags", ()),
    "field_equals": lambda config, lead: same(_field(config, lead), config["value"]),
    "field_not_equals": lambda config, lead: not same(_field(config, lead), config["value"]),
    "field_contains": lambda config, lead: text(config["value"]).casefold() in text(_field(config, lead)).casefold(),
    "field_is_empty": _empty,
    "field_is_not_empty": lambda config, lead: not _empty(config, lead),
    "score_above": lambda config, lead: lead.get("score", 0) > config["score"],
    "score_below": lambda config, lead: lead.get("score", 0) < config["score"],
    "in_pipeline": lambda config, lead: lead.get("pipeline_id") == config["pipeline_id"],
    "in_stage": lambda config, lead: lead.get("stage_id") == config["stage_id"],
    "assigned_to": lambda config, lead: lead.get("assigned_user_id") == config["user_id"],
    "is_unassigned": lambda _config, lead: lead.get("assigned_user_id") is None,
}
