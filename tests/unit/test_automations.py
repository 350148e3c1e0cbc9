"""The vocabulary of automations: what it takes is what its JSON Schema allows."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from leadwire.automations import schema, values, vocabulary
from leadwire.automations.values import Kind
from leadwire.automations.vocabulary import ACTIONS, CONDITIONS, DELAY, GROUPS, NESTED, TRIGGERS, Config, Found
from leadwire.errors import FieldError

TRIGGER = jsonschema_rs.Draft202012Validator(schema.trigger())
STEP = jsonschema_rs.Draft202012Validator(schema.step())
RIGHT: list[tuple[Kind, list[Any]]] = [
    (values.LINE, ["vip", "x" * 255]),
    (values.TEXT, ["Hello", "x" * 65_536]),
    (values.TOLD, ["Hello", "x" * 16_384]),
    (vocabulary.FIELD, ["first_name", "custom_fields.status", "budget"]),
    (values.ID, [1, 10**12 - 1]),
    (values.IDS, [[1], [1, 2]]),
    (values.INTEGER, [0, -(10**9), 10**9]),
    (values.BOOLEAN, [True, False]),
    (values.SCALAR, ["", "x", 1.5, 10**400, True]),
    (values.HOURS, [1, 8760]),
    (values.TAG, ["hot lead", "x" * 100]),
    (values.URL, ["https://example.com/hook"]),
    (values.CLOCK, ["09:00", "23:59"]),
    (values.STATUS, ["new", "lost"]),
    (values.SPAN, [{"amount": 365, "unit": "days"}, {"amount": 1, "unit": "minutes"}]),
    (TRIGGERS["score_crossed"]["direction"].kind, ["above"]),
    (DELAY["unit"].kind, ["days"]),
]
WRONG: list[Any] = [
    None, 0, -1, 10**12, 8761, "", " ", "a\nb", "x" * 70_000, "ftp://example.com", "http://", "24:00", "open", [], [0],
    "status", "name",
    ["a"], {}, {"amount": 1}, {"amount": 366, "unit": "days"}, {"amount": 1, "unit": "years"},
]  # fmt: skip


def right(kind: Kind) -> st.SearchStrategy[Any]:
    return st.sampled_from(next(some for known, some in RIGHT if known is kind))


@st.composite
def configs(draw: st.DrawFn, config: Config) -> Any:
    """As the word asks for, but for one value now and then."""
    must = {name: right(value.kind) for name, value in config.items() if value.required}
    may = {name: right(value.kind) for name, value in config.items() if not value.required}
    made = draw(st.fixed_dictionaries(must, optional=may))
    spoilt = draw(st.sampled_from(["", "", "", *config, "colour"]))
    return {**made, spoilt: draw(st.sampled_from(WRONG))} if spoilt else made


@st.composite
def words(draw: st.DrawFn, kind: str, known: dict[str, Config], typed: dict[str, str]) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(known)))
    whole = {**typed, kind: name, "config": draw(configs(known[name]))}
    lacks = draw(st.sampled_from([*[""] * 7, *whole]))
    return {name: value for name, value in whole.items() if name != lacks}


def groups(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    config = st.fixed_dictionaries({"conditions": st.lists(inner, max_size=2)})
    typed = {"type": st.sampled_from(["condition", "condition", "action"])}
    return st.fixed_dictionaries({"condition": st.sampled_from(GROUPS), "config": config}, optional=typed)


CONDITION = words("condition", dict(CONDITIONS), {})
NESTING = st.recursive(CONDITION, groups, max_leaves=4).map(lambda one: {"type": "condition", **one})
ACTION = words("action", dict(ACTIONS), {"type": "action"})
WAIT = configs(DELAY).map(lambda config: {"type": "delay", "config": config})


def problems(found: Found) -> list[str]:
    return [f"{one.path} {one.message}" for one in found if isinstance(one, FieldError)]


@settings(max_examples=300, deadline=None)
@given(trigger=words("type", dict(TRIGGERS), {}))
def test_a_trigger_is_taken_if_and_only_if_the_schema_allows_it(trigger: Any) -> None:
    refused = problems(vocabulary.read_trigger(trigger))
    assert TRIGGER.is_valid(trigger) == (not refused), refused


@settings(max_examples=600, deadline=None)
@given(step=NESTING | ACTION | WAIT)
def test_a_step_is_taken_if_and_only_if_the_schema_allows_it(step: Any) -> None:
    refused = problems(vocabulary.read_step(step, "steps[0]"))
    assert STEP.is_valid(step) == (not refused), refused


def test_conditions_are_nested_as_deep_as_the_schema_says() -> None:
    step: dict[str, Any] = {"condition": "is_unassigned"}
    for _ in range(NESTED):
        outer = {**step, "type": "condition"}
        assert STEP.is_valid(outer)
        assert problems(vocabulary.read_step(outer, "steps[0]")) == []
        step = {"condition": "not", "config": {"conditions": [step]}}
    outer = {**step, "type": "condition"}
    assert not STEP.is_valid(outer)
    assert problems(vocabulary.read_step(outer, "steps[0]"))


def test_numbers_that_json_does_not_have_are_refused() -> None:
    for number in (float("nan"), float("inf")):
        trigger = {"type": "field_changed", "config": {"field": "budget", "to": number}}
        assert problems(vocabulary.read_trigger(trigger))
