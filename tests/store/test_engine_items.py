"""Every engine stores, changes and deletes single items alike."""

from __future__ import annotations

import pytest

from leadwire.store.engine import Engine
from leadwire.store.types import Delete, InvalidOperation, Key, Put, Update

EVERYTHING = {
    "text": "Grüße, 世界 \U0001f600",
    "empty": "",
    "nul": "a\x00b",
    "one": 1,
    "zero": 0,
    "huge": 10**38 - 1,
    "small": -(10**38 - 1),
    "round": 10**37,
    "yes": True,
    "no": False,
    "nothing": None,
    "bytes": b"\x00\xff",
    "no_bytes": b"",
    "set": frozenset(["a", "ä", "B"]),
    "list": [1, "x", [None, {"deep": frozenset(["s"])}], b"y"],
    "empty_list": [],
    "empty_map": {},
}


def put(engine: Engine, pk: str, **attributes) -> Key:
    engine.write(Put({"pk": pk, "sk": "s", **attributes}))
    return Key(pk, "s")


def get(engine: Engine, key: Key):
    item, _ = engine.get(key, consistent=True)
    return item


def without_keys(item):
    return {name: value for name, value in item.items() if name not in ("pk", "sk")}


@pytest.mark.parametrize("name", list(EVERYTHING))
def test_a_value_comes_back_as_it_was_stored(engine, partition, name):
    key = put(engine, partition, value=EVERYTHING[name])
    value = get(engine, key)["value"]
    assert value == EVERYTHING[name]
    assert type(value) is type(EVERYTHING[name])


def test_maps_nest_and_may_look_like_anything(engine, partition):
    value = {
        "\x00S": ["not", "a set"],
        "in": {"\x00B": "not bytes"},
        "set": frozenset("a"),
        "flags": [True, 1, 0, None],
    }
    item = get(engine, put(engine, partition, value=value, lone={"\x00M": {"\x00S": ["x"]}}))
    assert item["value"] == value
    assert item["lone"] == {"\x00M": {"\x00S": ["x"]}}
    assert item["value"]["flags"][0] is True
    assert item["value"]["flags"][1] is not True


@pytest.mark.parametrize("name", ["status", "name", "a b", "ü", "#n0", ":v0", "a.b", "a[0]", "size", "0"])
def test_any_name_may_be_an_attribute(engine, partition, name):
    key = put(engine, partition, **{name: 1})
    item, _ = engine.write(Update(key, set={name: "x"}))
    assert item[name] == "x"


def test_a_missing_item_reads_as_none(engine, partition):
    assert get(engine, Key(partition, "none")) is None


def test_a_put_replaces_the_whole_item(engine, partition):
    put(engine, partition, before=1, both=1)
    key = put(engine, partition, both=2)
    assert get(engine, key) == {"pk": partition, "sk": "s", "both": 2}


def test_a_put_answers_nothing(engine, partition):
    put(engine, partition, a=1)
    answer, _ = engine.write(Put({"pk": partition, "sk": "s", "a": 2}))
    assert answer is None


def test_a_delete_answers_the_item_before_it(engine, partition):
    key = put(engine, partition, a=1)
    before, _ = engine.write(Delete(key))
    assert before == {"pk": partition, "sk": "s", "a": 1}
    assert get(engine, key) is None


def test_deleting_what_is_not_there_succeeds(engine, partition):
    before, _ = engine.write(Delete(Key(partition, "none")))
    assert before is None


def test_an_update_answers_the_item_after_it(engine, partition):
    key = put(engine, partition, kept=1, gone=1, n=5, tags=frozenset(["a", "b"]))
    change = Update(
        key,
        set={"new": [1, 2]},
        add={"n": -7, "count": 2, "more": frozenset(["x"])},
        discard={"tags": frozenset(["a", "z"])},
        remove=("gone", "never"),
    )
    after, _ = engine.write(change)
    expected = {"kept": 1, "n": -2, "tags": frozenset(["b"]), "new": [1, 2], "count": 2, "more": frozenset(["x"])}
    assert without_keys(after) == expected
    assert get(engine, key) == after


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"set": {"a": 1}}, {"a": 1}),
        ({"add": {"a": 3}}, {"a": 3}),
        ({"add": {"a": frozenset(["x"])}}, {"a": frozenset(["x"])}),
        ({"remove": ("a",)}, {}),
        ({"discard": {"a": frozenset(["x"])}}, {}),
    ],
)
def test_an_update_makes_the_item_that_is_not_there(engine, partition, change, expected):
    key = Key(partition, "new")
    after, _ = engine.write(Update(key, **change))
    assert without_keys(after) == expected
    assert get(engine, key) == {"pk": partition, "sk": "new", **expected}


def test_adding_members_to_a_set_joins_them(engine, partition):
    key = put(engine, partition, tags=frozenset(["a"]))
    after, _ = engine.write(Update(key, add={"tags": frozenset(["a", "b"])}))
    assert after["tags"] == frozenset(["a", "b"])


def test_a_set_that_loses_its_last_member_is_removed(engine, partition):
    key = put(engine, partition, tags=frozenset(["a"]))
    after, _ = engine.write(Update(key, discard={"tags": frozenset(["a"])}))
    assert "tags" not in after


@pytest.mark.parametrize("value", ["text", True, None, [1], frozenset(["1"])])
def test_a_number_is_added_to_numbers_only(engine, partition, value):
    key = put(engine, partition, n=value)
    with pytest.raises(InvalidOperation):
        engine.write(Update(key, add={"n": 1}))
    assert get(engine, key)["n"] == value


@pytest.mark.parametrize("value", ["text", 1, ["a"], {"a": 1}])
def test_members_are_taken_out_of_sets_only(engine, partition, value):
    key = put(engine, partition, tags=value)
    with pytest.raises(InvalidOperation):
        engine.write(Update(key, discard={"tags": frozenset(["a"])}))
    with pytest.raises(InvalidOperation):
        engine.write(Update(key, add={"tags": frozenset(["a"])}))


def test_a_sum_may_not_pass_38_digits(engine, partition):
    key = put(engine, partition, n=10**38 - 1)
    with pytest.raises(InvalidOperation):
        engine.write(Update(key, add={"n": 10**38 - 1}))


def test_concurrent_adds_all_count(engine, partition, pool):
    key = Key(partition, "counter")
    list(pool.map(lambda _: engine.write(Update(key, add={"n": 1})), range(40)))
    assert get(engine, key)["n"] == 40


def test_concurrent_adds_each_see_their_own_sum(engine, partition, pool):
    key = Key(partition, "sequence")
    answers = list(pool.map(lambda _: engine.write(Update(key, add={"n": 1}))[0], range(40)))
    assert sorted(answer["n"] for answer in answers) == list(range(1, 41))
