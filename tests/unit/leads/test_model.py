"""The pure rules about a lead."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.leads import model
from leadwire.leads.model import Lead

WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
LEADS = st.builds(
    Lead,
    number=st.integers(1, 10**12),
    version=st.integers(1, 1000),
    created_at=st.integers(0, 2**45),
    updated_at=st.integers(0, 2**45),
    first_name=WORDS,
    last_name=WORDS,
    email=WORDS,
    phone=WORDS,
    status=st.sampled_from(model.STATUSES),
    score=st.integers(-100, 100),
    starred=st.booleans(),
    pipeline_id=st.none() | st.integers(1, 9),
    tags=st.lists(WORDS, max_size=3).map(tuple),
    lists=st.lists(WORDS, max_size=3).map(tuple),
    address=st.dictionaries(st.sampled_from(["city", "zip"]), WORDS, max_size=2),
    custom=st.dictionaries(WORDS, st.none() | st.booleans() | st.integers() | WORDS, max_size=3),
    converted_at=st.none() | st.integers(1, 2**45),
)


@given(lead=LEADS)
def test_a_lead_survives_its_snapshot_as_json(lead: Lead) -> None:
    assert model.of_snapshot(json.loads(json.dumps(model.snapshot(lead), default=dict))) == lead


def test_a_snapshot_leaves_out_what_is_empty() -> None:
    shown = model.snapshot(Lead(number=1, version=1, first_name="Ada"))
    assert shown.keys() == model.ALWAYS | {"first_name"}


def test_a_snapshot_from_a_later_version_of_leadwire_is_still_read() -> None:
    assert model.of_snapshot({"number": 1, "status": "new", "shoe_size": 42}) == Lead(number=1)


@given(lead=LEADS)
def test_nothing_has_changed_between_a_lead_and_itself_a_version_later(lead: Lead) -> None:
    later = replace(lead, version=lead.version + 1, updated_at=lead.updated_at + 1, event="later")
    assert model.changes(lead, later) == {}


def test_changes_name_each_field_before_and_after() -> None:
    before = Lead(first_name="Ada", tags=("a",))
    after = replace(before, first_name="Bea", tags=("a", "b"))
    assert model.changes(before, after) == {"first_name": ["Ada", "Bea"], "tags": [("a",), ("a", "b")]}


@given(name=st.text(max_size=60))
def test_a_name_is_whole_again_when_its_two_parts_are_joined(name: str) -> None:
    first, last = model.split_name(name)
    assert Lead(first_name=first, last_name=last).name == " ".join(name.split())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada", ("Ada", "")),
        ("Ada Lovelace", ("Ada", "Lovelace")),
        ("Ada King Lovelace", ("Ada King", "Lovelace")),
        ("", ("", "")),
    ],
)
def test_the_last_word_is_the_last_name(name: str, parts: tuple[str, str]) -> None:
    assert model.split_name(name) == parts


def test_tags_are_kept_once_in_the_order_in_which_they_came() -> None:
    assert model.with_tags(("b", "a"), ("a", "c", "b", "c")) == ("b", "a", "c")


# --- conversion -------------------------------------------------------------------------------------------------------


def test_a_lead_that_is_born_converted_was_converted_then() -> None:
    assert model.born(Lead(status="converted"), 1, 5000, "e").converted_at == 5000


def test_converted_at_is_set_once_and_cleared_when_the_status_leaves() -> None:
    lead = model.born(Lead(), 1, 1000, "a")
    won = model.changed(lead, replace(lead, status="converted"), 2000, "b")
    renamed = model.changed(won, replace(won, first_name="Ada"), 3000, "c")
    lost = model.changed(renamed, replace(renamed, status="lost"), 4000, "d")
    assert [one.converted_at for one in (lead, won, renamed, lost)] == [None, 2000, 2000, None]
    assert [one.version for one in (lead, won, renamed, lost)] == [1, 2, 3, 4]


def test_the_time_of_a_change_never_goes_back() -> None:
    lead = model.born(Lead(), 1, 5000, "a")
    assert model.changed(lead, lead, 4000, "b").updated_at == 5000


# --- open maps --------------------------------------------------------------------------------------------------------


def nested(levels: int, inner: Any = 1) -> dict[str, Any]:
    value: Any = inner
    for _ in range(levels):
        value = {"a": value}
    return dict(value)


def test_an_open_map_may_be_eight_levels_deep_and_no_deeper() -> None:
    assert model.open_map_problem(nested(8)) is None
    assert "8 levels" in str(model.open_map_problem(nested(9)))
    assert "8 levels" in str(model.open_map_problem(nested(7, [[1]])))


def test_an_open_map_may_be_32_kib_of_utf8_and_no_larger() -> None:
    room = 32 * 1024 - len('{"a": ""}')
    assert model.open_map_problem({"a": "x" * room}) is None
    assert "32 KiB" in str(model.open_map_problem({"a": "x" * (room + 1)}))
    assert "32 KiB" in str(model.open_map_problem({"a": "ä" * (room // 2 + 1)}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "\ud800"])
def test_an_open_map_holds_only_what_json_can_carry(value: Any) -> None:
    assert model.open_map_problem({"a": value})


def test_a_lead_that_is_completed_takes_what_it_has_room_for() -> None:
    """Whoever fills in a form cannot do anything about a lead that is full, and the submission keeps all of it."""
    tags = tuple(f"tag {number}" for number in range(49))
    full = Lead(custom={"a": "x" * 30_000}, tags=tags, qualification={"summary": "x" * 40_000})
    draft = Lead(
        first_name="Ada", company="Acme", custom={"b": "x" * 30_000}, tags=("new", "newer"), notes="x" * 60_000
    )
    filled = model.filled(full, draft)
    assert (filled.first_name, filled.company, filled.tags) == ("Ada", "Acme", (*tags, "new"))
    assert (filled.custom, filled.notes) == (full.custom, "")
    assert model.filled(full, replace(draft, custom={"b": 1}, notes="short")).custom == {**full.custom, "b": 1}
    assert model.filled(full, replace(draft, notes="short")).notes == "short"
