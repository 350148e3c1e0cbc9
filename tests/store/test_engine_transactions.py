"""Every engine writes transactions whole or not at all, and batches row by row."""

from __future__ import annotations

import pytest

from leadwire.store.types import (
    ABSENT,
    PRESENT,
    Check,
    Compare,
    Delete,
    InvalidOperation,
    Key,
    Put,
    Query,
    TransactionConflict,
    TransactionFailed,
    Update,
    equals,
)
from tests.store.support import sort_keys

RACERS, PLACES = 8, 3


def item(pk, sk="s", **attributes):
    return {"pk": pk, "sk": sk, **attributes}


def read(engine, pk, sk="s"):
    return engine.get(Key(pk, sk), consistent=True)[0]


def test_a_transaction_does_all_four_kinds_of_operation(engine, partition):
    engine.write(Put(item(partition, "guard", open=True)))
    engine.write(Put(item(partition, "old")))
    engine.transact(
        [
            Put(item(partition, "new", a=1), ABSENT),
            Update(Key(partition, "count"), add={"n": 1}),
            Delete(Key(partition, "old"), PRESENT),
            Check(Key(partition, "guard"), equals("open", True)),
        ]
    )
    assert sort_keys(engine.query(Query(partition, consistent=True))[0].items) == ["count", "guard", "new"]


def test_a_refused_transaction_writes_nothing_and_says_what_it_found(engine, partition):
    engine.write(Put(item(partition, "taken", by="a")))
    ops = [
        Put(item(partition, "new")),
        Put(item(partition, "taken", by="b"), ABSENT),
        Update(Key(partition, "none"), set={"a": 1}, condition=PRESENT),
        Delete(Key(partition, "taken2")),
    ]
    with pytest.raises(TransactionFailed) as refused:
        engine.transact(ops)
    assert refused.value.failed == {1: item(partition, "taken", by="a"), 2: None}
    assert engine.query(Query(partition, consistent=True))[0].items == [item(partition, "taken", by="a")]


def test_conditions_see_the_items_as_they_were_before_the_transaction(engine, partition):
    ops = [Put(item(partition, "a")), Check(Key(partition, "b"), ABSENT)]
    engine.transact(ops)
    assert sort_keys(engine.query(Query(partition, consistent=True))[0].items) == ["a"]


def test_an_update_of_the_wrong_kind_cancels_the_transaction(engine, partition):
    engine.write(Put(item(partition, "text", n="x")))
    with pytest.raises(InvalidOperation):
        engine.transact([Put(item(partition, "new")), Update(Key(partition, "text"), add={"n": 1})])
    assert read(engine, partition, "new") is None


def test_a_refused_condition_outranks_an_update_of_the_wrong_kind(engine, partition):
    engine.write(Put(item(partition, "text", n="x")))
    with pytest.raises(TransactionFailed) as refused:
        engine.transact([Update(Key(partition, "text"), add={"n": 1}), Check(Key(partition, "none"), PRESENT)])
    assert refused.value.failed == {1: None}


def test_a_hundred_operations_fit_and_one_more_does_not(engine, partition):
    puts = [Put(item(partition, f"{number:03}")) for number in range(101)]
    with pytest.raises(InvalidOperation):
        engine.transact(puts)
    engine.transact(puts[:100])
    assert len(engine.query(Query(partition, consistent=True))[0].items) == 100


@pytest.mark.parametrize(
    "second", [Put(item("p")), Delete(Key("p", "s")), Update(Key("p", "s"), set={"a": 1}), Check(Key("p", "s"), ABSENT)]
)
def test_an_item_occurs_once_in_a_transaction(engine, second):
    with pytest.raises(InvalidOperation):
        engine.transact([Put(item("p")), second])


def test_a_transaction_has_an_operation(engine):
    with pytest.raises(InvalidOperation):
        engine.transact([])


def test_a_transaction_holds_four_megabytes(engine, partition):
    puts = [Put(item(partition, f"{number:02}", body="x" * 390_000)) for number in range(11)]
    with pytest.raises(InvalidOperation):
        engine.transact(puts)
    assert engine.query(Query(partition, consistent=True))[0].items == []


def test_racing_transactions_never_sell_a_place_twice(engine, partition, pool):
    engine.write(Put(item(partition, "class", left=PLACES)))

    def book(number):
        take = Update(Key(partition, "class"), add={"left": -1}, condition=Compare("left", ">", 0))
        while True:
            try:
                engine.transact([take, Put(item(partition, f"seat{number}"), ABSENT)])
            except TransactionConflict:
                continue
            except TransactionFailed as refused:
                return refused.failed[0]["left"]
            return None

    outcomes = list(pool.map(book, range(RACERS)))
    assert outcomes.count(None) == PLACES
    assert outcomes.count(0) == RACERS - PLACES
    assert read(engine, partition, "class")["left"] == 0
    assert len(engine.query(Query(partition, prefix="seat", consistent=True))[0].items) == PLACES


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_puts_and_deletes(engine, partition):
    engine.write(Put(item(partition, "old")))
    puts = [Put(item(partition, f"{number:02}", n=number)) for number in range(23)]
    left, _ = engine.batch_write([*puts, Delete(Key(partition, "old")), Delete(Key(partition, "none"))])
    assert left == []
    assert engine.query(Query(partition, consistent=True))[0].items == [put.item for put in puts]


@pytest.mark.parametrize(
    "ops",
    [
        [],
        [Put(item("p", str(number))) for number in range(26)],
        [Put(item("p")), Delete(Key("p", "s"))],
        [Put(item("p"), ABSENT)],
        [Delete(Key("p", "s"), PRESENT)],
    ],
    ids=["none", "26", "twice", "put condition", "delete condition"],
)
def test_a_batch_of_writes_that_cannot_be_sent_is_refused(engine, ops):
    with pytest.raises(InvalidOperation):
        engine.batch_write(ops)


def test_a_batch_gets_the_items_that_exist(engine, partition):
    engine.batch_write([Put(item(partition, f"{number:02}", n=number)) for number in range(25)])
    keys = [Key(partition, f"{number:02}") for number in range(100)]
    items, left, _ = engine.batch_get(keys, consistent=True)
    assert left == []
    assert sorted(found["n"] for found in items) == list(range(25))


@pytest.mark.parametrize(
    "keys",
    [[], [Key("p", str(number)) for number in range(101)], [Key("p", "s"), Key("p", "s")], [Key("p", "")]],
    ids=["none", "101", "twice", "empty key"],
)
def test_a_batch_of_reads_that_cannot_be_sent_is_refused(engine, keys):
    with pytest.raises(InvalidOperation):
        engine.batch_get(keys, consistent=True)


def test_a_batch_of_reads_leaves_what_passes_sixteen_megabytes(engine, partition):
    keys = [Key(partition, f"{number:02}") for number in range(45)]
    for key in keys:
        engine.write(Put(item(key.pk, key.sk, body="x" * 380_000)))
    items, left, _ = engine.batch_get(keys, consistent=True)
    assert left
    assert {found["sk"] for found in items} | {key.sk for key in left} == {key.sk for key in keys}
    assert len(items) + len(left) == len(keys)
