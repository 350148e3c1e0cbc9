"""Every engine refuses what DynamoDB cannot hold, before anything is written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leadwire.store.types import Delete, InvalidOperation, Key, Put, Query, Update

LARGEST = 400 * 1024


def nested(depth: int):
    value: object = "leaf"
    for _ in range(depth):
        value = [value]
    return value


def test_an_item_of_400_kilobytes_fits_and_one_byte_more_does_not(engine, partition):
    item = {"pk": partition, "sk": "s", "body": ""}
    room = LARGEST - len("pk" + "sk" + "body" + partition + "s")
    engine.write(Put({**item, "body": "x" * room}))
    with pytest.raises(InvalidOperation):
        engine.write(Put({**item, "body": "x" * (room + 1)}))
    with pytest.raises(InvalidOperation):
        engine.write(Put({**item, "body": "é" * (room // 2) + "xx"}))


def test_an_update_may_not_make_an_item_too_large(engine, partition):
    engine.write(Put({"pk": partition, "sk": "s", "a": "x" * 300_000}))
    with pytest.raises(InvalidOperation):
        engine.write(Update(Key(partition, "s"), set={"b": "x" * 200_000}))
    assert "b" not in engine.get(Key(partition, "s"), consistent=True)[0]


def test_the_longest_keys_fit(engine, partition):
    pk, sk = partition.ljust(2048, "p"), "s" * 1024
    engine.write(Put({"pk": pk, "sk": sk, "g1pk": pk, "g1sk": sk}))
    assert engine.get(Key(pk, sk), consistent=True)[0]["g1sk"] == sk
    assert engine.query(Query(pk, prefix=sk))[0].items


@pytest.mark.parametrize(
    "key", [Key("", "s"), Key("p", ""), Key("p" * 2049, "s"), Key("é" * 1025, "s"), Key("p", "s" * 1025)], ids=repr
)
def test_keys_that_do_not_fit_are_refused_everywhere(engine, key):
    requests = [
        lambda: engine.get(key, consistent=True),
        lambda: engine.batch_get([key], consistent=True),
        lambda: engine.write(Put({"pk": key.pk, "sk": key.sk})),
        lambda: engine.write(Delete(key)),
        lambda: engine.write(Update(key, set={"a": 1})),
        lambda: engine.transact([Put({"pk": key.pk, "sk": key.sk})]),
        lambda: engine.batch_write([Put({"pk": key.pk, "sk": key.sk})]),
    ]
    for request in requests:
        with pytest.raises(InvalidOperation):
            request()


@pytest.mark.parametrize("name", ["pk", "sk"])
def test_an_item_without_a_whole_key_is_refused(engine, partition, name):
    item = {"pk": partition, "sk": "s"}
    for wrong in ({key: value for key, value in item.items() if key != name}, {**item, name: 1}):
        with pytest.raises(InvalidOperation):
            engine.write(Put(wrong))


@pytest.mark.parametrize(
    ("name", "value"),
    [("g1pk", ""), ("g1sk", ""), ("g6pk", 1), ("g6sk", None), ("g2pk", "x" * 2049), ("g2sk", "x" * 1025)],
)
def test_an_index_key_is_a_string_that_fits(engine, partition, name, value):
    with pytest.raises(InvalidOperation):
        engine.write(Put({"pk": partition, "sk": "s", name: value}))
    with pytest.raises(InvalidOperation):
        engine.write(Update(Key(partition, "s"), set={name: value}))


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        Decimal(1),
        10**38,
        -(10**38),
        frozenset(),
        frozenset([1]),
        {"a"},
        bytearray(b"x"),
        object,
        "\ud800",
        [1.5],
        {"a": {"b": frozenset()}},
        {"": 1},
        {1: "x"},
        nested(32),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_value_that_the_table_cannot_hold_is_refused(engine, partition, value):
    for op in (Put({"pk": partition, "sk": "s", "v": value}), Update(Key(partition, "s"), set={"v": value})):
        with pytest.raises(InvalidOperation):
            engine.write(op)
        with pytest.raises(InvalidOperation):
            engine.transact([op])


def test_a_value_may_be_on_the_32nd_level(engine, partition):
    engine.write(Put({"pk": partition, "sk": "s", "v": nested(31)}))
    assert engine.get(Key(partition, "s"), consistent=True)[0]["v"] == nested(31)


def test_an_attribute_has_a_name(engine, partition):
    with pytest.raises(InvalidOperation):
        engine.write(Put({"pk": partition, "sk": "s", "": 1}))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"set": {"pk": "x"}},
        {"remove": ("sk",)},
        {"set": {"a": 1}, "remove": ("a",)},
        {"set": {"a": 1}, "add": {"a": 1}},
        {"remove": ("a", "a")},
        {"set": {"": 1}},
        {"remove": ("",)},
        {"add": {"a": True}},
        {"add": {"a": "x"}},
        {"add": {"a": 1.5}},
        {"add": {"a": frozenset()}},
        {"add": {"g1sk": 1}},
        {"discard": {"a": frozenset()}},
        {"discard": {"a": 1}},
        {"discard": {"g1sk": frozenset(["x"])}},
        {"set": {f"a{number}": 1 for number in range(301)}},
    ],
    ids=lambda change: str(change)[:60],
)
def test_an_update_that_cannot_be_sent_is_refused(engine, partition, change):
    with pytest.raises(InvalidOperation):
        engine.write(Update(Key(partition, "s"), **change))
