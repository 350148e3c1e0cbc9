"""When conditions hold and what triggers start on, word by word. Both are pure: a lead as its snapshot, an event."""

from __future__ import annotations

from typing import Any

import pytest

from leadwire import events
from leadwire.automations import conditions, triggers
from leadwire.automations.vocabulary import CONDITIONS, TRIGGERS
from leadwire.events import Event

BARE = {"number": 7, "version": 1, "created_at": 0, "updated_at": 0, "status": "new"}
"""A lead of which nothing is known: what is empty is not in a snapshot."""
FULL = {
    **BARE, "first_name": "Ada", "last_name": "Lee", "source": "Website", "score": 10, "tags": ["vip", "hot"],
    "pipeline_id": 1, "stage_id": 2, "assigned_user_id": 3, "starred": True,
    "custom": {"budget": 5000, "rate": 4.0, "plan": "Pro", "empty": "", "none": None, "list": [], "flag": False},
}  # fmt: skip

TABLE: list[tuple[str, dict[str, Any], bool, bool]] = [
    # the word and its config, whether it holds for FULL, and for BARE
    ("source_is", {"source": "website"}, True, False),
    ("source_is", {"source": "web"}, False, False),
    ("source_is_not", {"source": "WEBSITE"}, False, True),
    ("source_is_not", {"source": "import"}, True, True),
    ("status_is", {"status": "new"}, True, True),
    ("status_is", {"status": "lost"}, False, False),
    ("has_tag", {"tag": "vip"}, True, False),
    ("has_tag", {"tag": "VIP"}, False, False),
    ("has_no_tag", {"tag": "vip"}, False, True),
    ("has_no_tag", {"tag": "cold"}, True, True),
    ("field_equals", {"field": "first_name", "value": "ADA"}, True, False),
    ("field_equals", {"field": "first_name", "value": ""}, False, True),
    ("field_equals", {"field": "name", "value": "ada lee"}, True, False),
    ("field_equals", {"field": "lead_score", "value": 10}, True, False),
    ("field_equals", {"field": "starred", "value": True}, True, False),
    ("field_equals", {"field": "custom_fields.budget", "value": "5000"}, True, False),
    ("field_equals", {"field": "rate", "value": 4}, True, False),
    ("field_equals", {"field": "flag", "value": "false"}, True, False),
    ("field_not_equals", {"field": "plan", "value": "pro"}, False, True),
    ("field_not_equals", {"field": "plan", "value": "basic"}, True, True),
    ("field_contains", {"field": "plan", "value": "PR"}, True, False),
    ("field_contains", {"field": "plan", "value": "x"}, False, False),
    ("field_is_empty", {"field": "plan"}, False, True),
    ("field_is_empty", {"field": "empty"}, True, True),
    ("field_is_empty", {"field": "none"}, True, True),
    ("field_is_empty", {"field": "list"}, True, True),
    ("field_is_empty", {"field": "flag"}, False, True),
    ("field_is_not_empty", {"field": "plan"}, True, False),
    ("field_is_not_empty", {"field": "custom_fields"}, True, False),
    ("score_above", {"score": 9}, True, False),
    ("score_above", {"score": 10}, False, False),
    ("score_above", {"score": -1}, True, True),
    ("score_below", {"score": 11}, True, True),
    ("score_below", {"score": 10}, False, True),
    ("score_below", {"score": 0}, False, False),
    ("in_pipeline", {"pipeline_id": 1}, True, False),
    ("in_pipeline", {"pipeline_id": 2}, False, False),
    ("in_stage", {"stage_id": 2}, True, False),
    ("in_stage", {"stage_id": 1}, False, False),
    ("assigned_to", {"user_id": 3}, True, False),
    ("assigned_to", {"user_id": 4}, False, False),
    ("is_unassigned", {}, False, True),
]


@pytest.mark.parametrize(("word", "config", "full", "bare"), TABLE)
def test_a_condition_holds_for_what_it_says_and_for_nothing_else(
    word: str, config: dict[str, Any], *, full: bool, bare: bool
) -> None:
    condition = {"condition": word, "config": config}
    assert (conditions.holds(condition, FULL), conditions.holds(condition, BARE)) == (full, bare)


def test_every_condition_is_in_the_table_both_ways() -> None:
    seen = {(word, holds) for word, _, *both in TABLE for holds in both}
    assert seen == {(word, holds) for word in CONDITIONS for holds in (True, False)}


YES, NO = {"condition": "status_is", "config": {"status": "new"}}, {"condition": "has_tag", "config": {"tag": "x"}}
NEITHER = {"condition": "not", "config": {"conditions": [YES]}}


@pytest.mark.parametrize(
    ("group", "inner", "expected"),
    [
        ("all", [YES, YES], True), ("all", [YES, NO], False), ("any", [NO, YES], True), ("any", [NO, NO], False),
        ("not", [NO], True), ("not", [YES], False),
        ("not", [{"condition": "any", "config": {"conditions": [NO, NEITHER]}}], True),
    ],
)  # fmt: skip
def test_conditions_are_joined_as_the_group_says(group: str, inner: list[Any], *, expected: bool) -> None:
    assert conditions.holds({"condition": group, "config": {"conditions": inner}}, BARE) is expected


def test_texts_are_filled_in_and_cut_off() -> None:
    long = {**BARE, "notes": "n" * 3000}
    assert conditions.filled_in("{{ first_name }}, {{custom_fields.budget}}{{nothing}}.", FULL) == "Ada, 5000."
    assert conditions.filled_in("{{notes}}", long) == "n" * 1000
    assert len(conditions.filled_in("{{notes}}" * 100, long)) == 65_536
    assert conditions.filled_in("{{}} {first_name} {{a{{first_name}}", FULL) == "{{}} {first_name} {{aAda"


# --- triggers ---------------------------------------------------------------------------------------------------------


def told(type_: str, changes: dict[str, Any] | None = None, about: dict[str, Any] | None = None, **lead: Any) -> Event:
    snapshot = {**BARE, **lead}
    return Event("0" * 26, type_, "t", 7, 1, 0, "api_key:k", "", snapshot, changes or {}, about=about or {})


def born(**lead: Any) -> Event:
    return told(events.LEAD_CREATED, **lead)


def changed(name: str, before: Any, after: Any, **lead: Any) -> Event:
    """A change to nothing leaves nothing in the snapshot."""
    return told(events.LEAD_UPDATED, {name: [before, after]}, **({name: after} if after else {}), **lead)


STARTS: list[tuple[str, dict[str, Any], Event, bool]] = [
    ("lead_created", {}, born(), True),
    ("lead_created", {}, changed("first_name", "", "Ada"), False),
    ("lead_created", {"source": "web"}, born(source="WEB"), True),
    ("lead_created", {"source": "web"}, born(), False),
    ("stage_changed", {}, changed("stage_id", None, 2), True),
    ("stage_changed", {}, born(stage_id=2), True),
    ("stage_changed", {}, born(), False),
    ("stage_changed", {"pipeline_id": 1}, changed("stage_id", 1, 2, pipeline_id=1), True),
    ("stage_changed", {"pipeline_id": 1}, changed("stage_id", 1, 2, pipeline_id=3), False),
    ("stage_changed", {"from_stage_id": 1, "to_stage_id": 2}, changed("stage_id", 1, 2), True),
    ("stage_changed", {"from_stage_id": 1, "to_stage_id": 2}, changed("stage_id", 2, 1), False),
    ("status_changed", {}, changed("status", "new", "lost"), True),
    ("status_changed", {}, born(status="lost"), False),
    ("status_changed", {"from": "new", "to": "lost"}, changed("status", "new", "lost"), True),
    ("status_changed", {"from": "new", "to": "lost"}, changed("status", "new", "qualified"), False),
    ("status_changed", {"from": "contacted"}, changed("status", "new", "lost"), False),
    ("lead_assigned", {}, changed("assigned_user_id", None, 3), True),
    ("lead_assigned", {}, changed("assigned_user_id", 3, None), False),
    ("lead_assigned", {"user_id": 3}, changed("assigned_user_id", 4, 3), True),
    ("lead_assigned", {"user_id": 3}, born(assigned_user_id=4), False),
    ("tag_added", {"tag": "a"}, changed("tags", [], ["a"]), True),
    ("tag_added", {"tag": "a"}, changed("tags", ["a"], ["a", "b"]), False),
    ("tag_added", {"tag": "a"}, born(tags=["a"]), True),
    ("tag_added", {"tag": "a"}, born(), False),
    ("tag_removed", {"tag": "a"}, changed("tags", ["a", "b"], ["b"]), True),
    ("tag_removed", {"tag": "a"}, changed("tags", ["b"], []), False),
    ("field_changed", {"field": "budget"}, changed("custom", {}, {"budget": 1}), True),
    ("field_changed", {"field": "budget"}, changed("custom", {"budget": 1}, {"budget": 1, "b": 2}), False),
    ("field_changed", {"field": "budget", "to": "1"}, changed("custom", {}, {"budget": 1.0}), True),
    ("field_changed", {"field": "budget", "to": 2}, changed("custom", {}, {"budget": 1}), False),
    ("field_changed", {"field": "name"}, changed("last_name", "Lee", "King", first_name="Ada"), True),
    ("field_changed", {"field": "tags"}, changed("tags", [], ["a"]), True),
    ("field_changed", {"field": "first_name"}, born(first_name="Ada"), False),
    ("score_crossed", {"threshold": 10, "direction": "above"}, changed("score", 10, 11), True),
    ("score_crossed", {"threshold": 10, "direction": "above"}, changed("score", 9, 10), False),
    ("score_crossed", {"threshold": 10, "direction": "above"}, changed("score", 11, 12), False),
    ("score_crossed", {"threshold": 10, "direction": "above"}, born(score=11), True),
    ("score_crossed", {"threshold": 10, "direction": "below"}, changed("score", 10, 9), True),
    ("score_crossed", {"threshold": 10, "direction": "below"}, changed("score", 11, 10), False),
    ("score_crossed", {"threshold": 10, "direction": "below"}, changed("score", 9, 8), False),
    ("form_submitted", {}, told(events.FORM_SUBMITTED, about={"form_id": 1}), True),
    ("form_submitted", {"form_id": 1}, told(events.FORM_SUBMITTED, about={"form_id": 1}), True),
    ("form_submitted", {"form_id": 1}, told(events.FORM_SUBMITTED, about={"form_id": 2}), False),
    ("form_submitted", {}, born(), False),
    ("message_replied", {}, told(events.MESSAGE_REPLIED), True),
    ("message_replied", {}, told(events.MESSAGE_SENT), False),
    ("conversation_completed", {}, told(events.CONVERSATION_COMPLETED), True),
    ("conversation_completed", {}, born(), False),
    ("no_activity", {"hours": 1}, born(), False),
    ("manual", {}, born(), False),
]


@pytest.mark.parametrize(("word", "config", "event", "expected"), STARTS)
def test_a_trigger_starts_on_what_it_says_and_on_nothing_else(
    word: str, config: dict[str, Any], event: Event, *, expected: bool
) -> None:
    assert triggers.starts({"type": word, "config": config}, event) is expected


def test_every_trigger_is_in_the_table_both_ways() -> None:
    seen = {(word, starts) for word, _, _, starts in STARTS}
    by_event = {word for word in TRIGGERS if word not in ("manual", "no_activity")}
    assert seen == {(word, False) for word in TRIGGERS} | {(word, True) for word in by_event}
