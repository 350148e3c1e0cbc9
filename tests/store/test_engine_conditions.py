"""Every engine decides a condition alike, and says what it found when it refuses."""

from __future__ import annotations

import re

import pytest

from leadwire.store.types import (
    ABSENT,
    PRESENT,
    All,
    AnyOf,
    Attr,
    Check,
    Compare,
    ConditionFailed,
    Contains,
    Delete,
    Exists,
    InvalidOperation,
    Key,
    Missing,
    Not,
    Put,
    TransactionFailed,
    Update,
    all_of,
    any_of,
    equals,
)

ITEM = {
    "n": 5,
    "m": 7,
    "minus": -10,
    "huge": 10**38 - 1,
    "text": "abc",
    "other": "abc",
    "wide": "\uffff",
    "beyond": "\U00010000",
    "empty": "",
    "yes": True,
    "no": False,
    "nothing": None,
    "bytes": b"\x80",
    "tags": frozenset(["red", "blue"]),
    "tags2": frozenset(["blue", "red"]),
    "list": [1, "a", [True]],
    "map": {"a": 1, "b": {"c": None}},
}

HOLD = [
    Exists("n"),
    Exists("nothing"),
    Missing("gone"),
    PRESENT,
    equals("n", 5),
    equals("huge", 10**38 - 1),
    equals("text", "abc"),
    equals("empty", ""),
    equals("yes", True),
    equals("nothing", None),
    equals("bytes", b"\x80"),
    equals("tags", frozenset(["red", "blue"])),
    equals("list", [1, "a", [True]]),
    equals("map", {"b": {"c": None}, "a": 1}),
    equals("text", Attr("other")),
    equals("tags", Attr("tags2")),
    Compare("n", "<>", 6),
    Compare("n", "<>", "5"),
    Compare("yes", "<>", 1),
    Compare("tags", "<>", "red"),
    Compare("n", "<>", Attr("m")),
    Compare("n", "<>", Attr("text")),
    Compare("n", "<", 6),
    Compare("minus", "<", -9),
    Compare("minus", "<", 5),
    Compare("n", "<=", 5),
    Compare("n", ">", 4),
    Compare("huge", ">", 10**38 - 2),
    Compare("n", ">=", 5),
    Compare("n", "<", Attr("m")),
    Compare("text", "<", "abd"),
    Compare("text", ">", "ABD"),
    Compare("text", ">", "ab"),
    Compare("empty", "<", "a"),
    Compare("beyond", ">", "\uffff"),
    Compare("beyond", ">", Attr("wide")),
    Compare("bytes", ">", b"\x7f"),
    Contains("tags", "red"),
    Contains("text", "bc"),
    all_of(PRESENT),
    all_of(PRESENT, equals("n", 5), Missing("gone")),
    any_of(ABSENT, equals("n", 5)),
    Not(equals("n", 6)),
    Not(equals("gone", 1)),
    Not(Compare("gone", "<>", 1)),
    Not(all_of(ABSENT, PRESENT)),
    all_of(any_of(equals("n", 1), equals("n", 5)), Not(any_of(ABSENT, Exists("gone")))),
]

DO_NOT_HOLD = [
    Exists("gone"),
    Missing("nothing"),
    ABSENT,
    equals("n", 6),
    equals("n", "5"),
    equals("yes", 1),
    equals("no", 0),
    equals("nothing", False),
    equals("empty", None),
    equals("gone", None),
    equals("gone", Attr("missing_too")),
    equals("n", Attr("gone")),
    equals("tags", frozenset(["red"])),
    equals("list", [1, "a", [1]]),
    equals("map", {"a": 1}),
    equals("text", b"abc"),
    Compare("n", "<>", 5),
    Compare("gone", "<>", 5),
    Compare("n", "<>", Attr("gone")),
    Compare("gone", "<>", Attr("missing_too")),
    Compare("text", "<>", Attr("other")),
    Compare("n", "<", 5),
    Compare("n", "<", "6"),
    Compare("gone", "<", 6),
    Compare("gone", ">=", 6),
    Compare("n", "<", Attr("gone")),
    Compare("n", "<", Attr("text")),
    Compare("yes", ">", Attr("no")),
    Compare("text", "<", "abc"),
    Compare("wide", ">", "\U00010000"),
    Contains("tags", "re"),
    Contains("text", "x"),
    Contains("gone", "x"),
    Contains("n", "5"),
    Contains("map", "a"),
    all_of(PRESENT, equals("n", 6)),
    any_of(ABSENT, equals("n", 6)),
    Not(PRESENT),
    Not(any_of(ABSENT, PRESENT)),
]


def store(engine, partition, **attributes) -> Key:
    engine.write(Put({"pk": partition, "sk": "s", **attributes}))
    return Key(partition, "s")


def shown(condition: object) -> str:
    """The condition with its sets in order: each worker of a run must name a test alike."""
    return re.sub(
        r"frozenset\(\{(.*?)\}\)", lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", str(condition)
    )


@pytest.mark.parametrize("condition", HOLD, ids=shown)
def test_the_condition_holds(engine, partition, condition):
    key = store(engine, partition, **ITEM)
    after, _ = engine.write(Update(key, set={"seen": 1}, condition=condition))
    assert after["seen"] == 1


@pytest.mark.parametrize("condition", DO_NOT_HOLD, ids=shown)
def test_the_condition_does_not_hold(engine, partition, condition):
    key = store(engine, partition, **ITEM)
    with pytest.raises(ConditionFailed) as refused:
        engine.write(Update(key, set={"seen": 1}, condition=condition))
    assert refused.value.item == {"pk": partition, "sk": "s", **ITEM}
    assert "seen" not in engine.get(key, consistent=True)[0]


@pytest.mark.parametrize("condition", [ABSENT, Missing("n"), Not(equals("n", 1)), Not(PRESENT)], ids=shown)
def test_conditions_hold_for_an_item_that_is_not_there(engine, partition, condition):
    engine.write(Put({"pk": partition, "sk": "s"}, condition))
    assert engine.get(Key(partition, "s"), consistent=True)[0] is not None


@pytest.mark.parametrize("condition", [PRESENT, equals("n", 1), Compare("n", "<>", 1), Contains("n", "x")], ids=shown)
def test_conditions_refuse_an_item_that_is_not_there(engine, partition, condition):
    key = Key(partition, "s")
    for op in (
        Put({"pk": partition, "sk": "s"}, condition),
        Delete(key, condition),
        Update(key, {"a": 1}, condition=condition),
    ):
        with pytest.raises(ConditionFailed) as refused:
            engine.write(op)
        assert refused.value.item is None
    assert engine.get(key, consistent=True)[0] is None


def test_a_refused_delete_leaves_the_item(engine, partition):
    key = store(engine, partition, n=1)
    with pytest.raises(ConditionFailed):
        engine.write(Delete(key, equals("n", 2)))
    assert engine.get(key, consistent=True)[0]["n"] == 1


def test_a_check_in_a_transaction_decides_likewise(engine, partition):
    key = store(engine, partition, n=1)
    engine.transact([Check(key, equals("n", 1))])
    with pytest.raises(TransactionFailed) as refused:
        engine.transact([Check(key, equals("n", 2))])
    assert refused.value.failed == {0: {"pk": partition, "sk": "s", "n": 1}}


@pytest.mark.parametrize(
    "condition",
    [
        Compare("n", "!=", 1),
        Compare("n", "<", True),
        Compare("n", "<", None),
        Compare("n", ">=", [1]),
        Compare("n", "<", frozenset(["a"])),
        Compare("n", "=", 1.5),
        Compare("n", "=", 10**38),
        Compare("n", "=", frozenset()),
        Compare("n", "=", Attr("n")),
        Compare("", "=", 1),
        Compare("n", "=", Attr("")),
        Exists(""),
        All(()),
        AnyOf(()),
        Not(All((PRESENT, AnyOf(())))),
        All((PRESENT,) * 151),
    ],
    ids=shown,
)
def test_a_condition_that_cannot_be_asked_is_refused(engine, partition, condition):
    with pytest.raises(InvalidOperation):
        engine.write(Put({"pk": partition, "sk": "s"}, condition))
