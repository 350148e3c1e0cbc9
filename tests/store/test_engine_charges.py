"""Every engine charges the request units that AWS publishes.

On AWS the figures are what the table reports, so this is where our arithmetic would be found wrong.
"""

from __future__ import annotations

import pytest

from leadwire.store.types import (
    ABSENT,
    PRESENT,
    Check,
    ConditionFailed,
    Delete,
    Key,
    Put,
    Query,
    TransactionFailed,
    Update,
)

KIB = 1024


@pytest.fixture
def sized(partition):
    """An item of exactly so many bytes, in an index if asked."""

    def make(size: int, sk: str = "s", *, index: str | None = None):
        item = {"pk": partition, "sk": sk, "b": ""}
        if index is not None:
            item |= {"g1pk": partition, "g1sk": index}
        room = size - sum(len(name) + len(value) for name, value in item.items())
        return {**item, "b": "x" * room}

    return make


@pytest.mark.parametrize(("size", "units"), [(500, 1), (KIB, 1), (KIB + 1, 2), (10 * KIB, 10)])
def test_a_put_costs_a_unit_for_each_kilobyte(engine, sized, size, units):
    assert engine.write(Put(sized(size)))[1].wru == units


def test_a_write_costs_by_the_larger_of_before_and_after(engine, sized, partition):
    engine.write(Put(sized(3 * KIB)))
    assert engine.write(Put(sized(500)))[1].wru == 3
    engine.write(Put(sized(3 * KIB)))
    assert engine.write(Update(Key(partition, "s"), set={"b": "short"}))[1].wru == 3
    assert engine.write(Update(Key(partition, "s"), set={"b": "x" * 2 * KIB}))[1].wru == 3


def test_a_delete_costs_by_the_item_that_was_there(engine, sized, partition):
    engine.write(Put(sized(3 * KIB)))
    assert engine.write(Delete(Key(partition, "s")))[1].wru == 3
    assert engine.write(Delete(Key(partition, "s")))[1].wru == 1


def test_a_write_pays_for_the_upkeep_of_indexes_by_their_entries(engine, sized, partition):
    key = Key(partition, "s")
    assert engine.write(Put(sized(3 * KIB, index="1")))[1].wru == 3 + 1
    assert engine.write(Update(key, set={"n": 1}))[1].wru == 4
    assert engine.write(Update(key, set={"g1sk": "2"}))[1].wru == 4 + 2
    assert engine.write(Update(key, remove=("g1sk",)))[1].wru == 4 + 1
    assert engine.write(Update(key, set={"g1sk": "3"}))[1].wru == 4 + 1
    assert engine.write(Delete(key))[1].wru == 4 + 1


def test_a_long_index_entry_costs_more_than_one_unit(engine, partition):
    keys = {"g1pk": partition.ljust(900, "x"), "g1sk": "y" * 900}
    assert engine.write(Put({"pk": partition, "sk": "s", **keys}))[1].wru == 2 + 2


def test_a_transaction_pays_twice_but_for_its_indexes(engine, sized, partition):
    engine.write(Put(sized(3 * KIB, "checked")))
    engine.write(Put(sized(2 * KIB, "deleted")))
    ops = [
        Put(sized(500, "put", index="1")),
        Check(Key(partition, "checked"), PRESENT),
        Delete(Key(partition, "deleted")),
        Update(Key(partition, "counter"), add={"n": 1}),
    ]
    assert engine.transact(ops).wru == (2 + 1) + 6 + 4 + 2


def test_a_batch_of_writes_pays_for_each_row(engine, sized):
    _, consumed = engine.batch_write([Put(sized(500, "a")), Put(sized(1500, "b")), Put(sized(500, "c", index="1"))])
    assert consumed.wru == 1 + 2 + 2


def test_a_get_costs_a_unit_for_four_kilobytes_and_half_of_it_when_eventual(engine, sized, partition):
    engine.write(Put(sized(4 * KIB, "one")))
    engine.write(Put(sized(4 * KIB + 1, "two")))
    costs = [
        engine.get(Key(partition, sk), consistent=consistent)[1].rru
        for sk in ("one", "two", "none")
        for consistent in (True, False)
    ]
    assert costs == [1, 0.5, 2, 1, 1, 0.5]


def test_a_batch_of_reads_rounds_each_item(engine, sized, partition):
    engine.batch_write([Put(sized(500, "a")), Put(sized(5 * KIB, "b"))])
    keys = [Key(partition, sk) for sk in ("a", "b", "none")]
    assert engine.batch_get(keys, consistent=True)[2].rru == 1 + 2 + 1
    assert engine.batch_get(keys, consistent=False)[2].rru == (1 + 2 + 1) / 2


def test_a_query_rounds_the_sum_of_its_page(engine, sized, partition):
    engine.batch_write([Put(sized(1000, f"{number:02}")) for number in range(25)])
    assert engine.query(Query(partition, consistent=True))[1].rru == 7
    assert engine.query(Query(partition))[1].rru == 3.5
    assert engine.query(Query(partition, limit=4))[1].rru == 0.5
    assert engine.query(Query(f"{partition}none"))[1].rru == 0.5


def test_a_query_of_an_index_costs_by_its_entries(engine, sized, partition):
    engine.batch_write([Put(sized(10 * KIB, f"{number:02}", index="1")) for number in range(25)])
    entry = len("pk" + "sk" + "g1pk" + "g1sk") + 2 * len(partition) + 2 + 1
    units = -(-25 * entry // (4 * KIB))
    assert engine.query(Query(partition, index="g1"))[1].rru == units / 2


def test_a_refused_write_costs_by_the_item_that_refused(engine, sized, partition):
    engine.write(Put(sized(3 * KIB)))
    with pytest.raises(ConditionFailed) as refused:
        engine.write(Put(sized(500), ABSENT))
    assert refused.value.consumed.wru == 3
    with pytest.raises(ConditionFailed) as refused:
        engine.write(Delete(Key(partition, "none"), PRESENT))
    assert refused.value.consumed.wru == 1


def test_a_cancelled_transaction_is_charged_as_we_estimate(engine, sized, partition):
    engine.write(Put(sized(3 * KIB)))
    ops = [Put(sized(500), ABSENT), Put(sized(2 * KIB, "new")), Update(Key(partition, "other"), add={"n": 1})]
    with pytest.raises(TransactionFailed) as refused:
        engine.transact(ops)
    assert refused.value.consumed.wru == 2 * (3 + 2 + 1)
