"""What only SQLite has: the stream, expiry, and a lag on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadwire.store.database import MEMORY, Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import (
    ABSENT,
    Delete,
    Key,
    Put,
    Query,
    TransactionFailed,
    Update,
)

KEY = Key("p", "s")
ITEM = {"pk": "p", "sk": "s"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
def engine(request, clock, tmp_path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(Database(MEMORY if request.param == "memory" else tmp_path / "table.db"), clock=clock)
    yield engine
    engine.close()


def read(engine, key=KEY, *, consistent=True):
    return engine.get(key, consistent=consistent)[0]


def history(engine):
    return [(record.name, record.key.sk, record.old, record.new) for record in engine.read_stream(0, 100)]


# --- the stream -------------------------------------------------------------------------------------------------------


def test_the_stream_tells_every_change_with_both_images(engine):
    one, two = {**ITEM, "tags": frozenset("a")}, {**ITEM, "tags": frozenset("ab")}
    engine.write(Put(one))
    engine.write(Update(KEY, add={"tags": frozenset("b")}))
    engine.write(Delete(KEY))
    assert history(engine) == [("INSERT", "s", None, one), ("MODIFY", "s", one, two), ("REMOVE", "s", two, None)]


def test_a_write_that_changes_nothing_leaves_no_record(engine):
    engine.write(Put({**ITEM, "map": {"a": 1, "b": 2}}))
    engine.write(Put({**ITEM, "map": {"b": 2, "a": 1}}))
    engine.write(Update(KEY, set={"map": {"a": 1, "b": 2}}))
    engine.write(Delete(Key("p", "none")))
    assert len(engine.read_stream(0, 10)) == 1


def test_a_change_of_kind_alone_is_a_change(engine):
    engine.write(Put({**ITEM, "flag": 1}))
    engine.write(Put({**ITEM, "flag": True}))
    assert [record.name for record in engine.read_stream(0, 10)] == ["INSERT", "MODIFY"]
    assert read(engine)["flag"] is True


def test_transactions_and_batches_are_in_the_stream_in_order_and_refusals_are_not(engine, clock):
    engine.transact([Put(ITEM), Put({"pk": "p", "sk": "t"})])
    clock.now += 5
    engine.batch_write([Delete(KEY), Put({"pk": "p", "sk": "u"})])
    with pytest.raises(TransactionFailed):
        engine.transact([Put({"pk": "p", "sk": "v"}), Put({"pk": "p", "sk": "u"}, ABSENT)])
    records = engine.read_stream(0, 10)
    assert [(record.name, record.key.sk, record.at) for record in records] == [
        ("INSERT", "s", 1000),
        ("INSERT", "t", 1000),
        ("REMOVE", "s", 1005),
        ("INSERT", "u", 1005),
    ]
    assert [record.seq for record in records] == sorted(record.seq for record in records)


def test_the_stream_is_read_from_a_number_on(engine):
    for number in range(5):
        engine.write(Put({"pk": "p", "sk": str(number)}))
    first = engine.read_stream(0, 2)
    assert [record.key.sk for record in first] == ["0", "1"]
    assert [record.key.sk for record in engine.read_stream(first[-1].seq, 2)] == ["2", "3"]


def test_a_trimmed_stream_forgets_and_never_counts_again_from_the_start(engine):
    engine.write(Put(ITEM))
    last = engine.read_stream(0, 10)[-1].seq
    engine.trim_stream(last + 1)
    assert engine.read_stream(0, 10) == []
    engine.write(Delete(KEY))
    assert engine.read_stream(0, 10)[0].seq > last


def test_a_table_without_a_stream_keeps_none():
    engine = SqliteEngine(Database(MEMORY), stream=False)
    engine.write(Put(ITEM))
    assert engine.read_stream(0, 10) == []
    with pytest.raises(ValueError, match="stream"):
        engine.lag_indexes(1)
    engine.close()


# --- expiry -----------------------------------------------------------------------------------------------------------


def test_items_expire_after_their_time_and_the_stream_says_so(engine):
    for name, moment in {"past": 999, "now": 1000, "later": 1001, "text": "999", "huge": 10**30}.items():
        engine.write(Put({"pk": "p", "sk": name, "expires_at": moment}))
    assert engine.expire(1000, 10) == 1
    assert read(engine, Key("p", "past")) is None
    record = engine.read_stream(0, 100)[-1]
    assert (record.name, record.key.sk, record.expired) == ("REMOVE", "past", True)
    assert engine.expire(2000, 1) == 1
    assert engine.expire(2000, 10) == 1
    assert [item["sk"] for item in engine.query(Query("p"))[0].items] == ["huge", "text"]


def test_an_item_whose_time_was_moved_lives_on(engine):
    engine.write(Put({**ITEM, "expires_at": 10}))
    engine.write(Update(KEY, set={"expires_at": 5000}))
    assert engine.expire(1000, 10) == 0
    engine.write(Update(KEY, remove=("expires_at",)))
    assert engine.expire(9000, 10) == 0


def test_a_stream_leaves_out_what_nobody_wants_until_reads_lag():
    engine = SqliteEngine(Database(MEMORY), wanted=lambda name, sk: name == "INSERT" and sk != "counter")
    engine.write(Put(ITEM))
    engine.write(Put({"pk": "p", "sk": "counter"}))
    engine.write(Delete(KEY))
    assert [(name, sk) for name, sk, _, _ in history(engine)] == [("INSERT", "s")]
    engine.lag_indexes(5)
    engine.write(Put(ITEM))
    engine.write(Delete(KEY))
    assert [name for name, _, _, _ in history(engine)] == ["INSERT", "INSERT", "REMOVE"]
    engine.close()


# --- the lag ----------------------------------------------------------------------------------------------------------


def test_lagging_reads_show_the_table_as_it_was(engine, clock):
    engine.write(Put({**ITEM, "n": 1, "g1pk": "g", "g1sk": "a"}))
    engine.lag_indexes(5)
    clock.now += 1
    engine.write(Update(KEY, set={"n": 2, "g1sk": "b"}))
    clock.now += 1
    engine.write(Delete(KEY))
    seen = []
    for _ in range(3):
        index = engine.query(Query("g", index="g1"))[0].items
        base = engine.query(Query("p"))[0].items
        eventual = read(engine, consistent=False)
        batch = engine.batch_get([KEY], consistent=False)[0]
        assert base == batch == ([eventual] if eventual else [])
        seen.append(([row["g1sk"] for row in index], eventual and eventual["n"]))
        clock.now += {0: 4, 1: 1}.get(len(seen) - 1, 0)
    assert seen == [(["a"], 1), (["b"], 2), ([], None)]


def test_consistent_reads_never_lag(engine):
    engine.lag_indexes(5)
    engine.write(Put(ITEM))
    assert read(engine) == ITEM
    assert engine.query(Query("p", consistent=True))[0].items == [ITEM]
    assert engine.batch_get([KEY], consistent=True)[0] == [ITEM]


def test_a_trimmed_stream_loses_nothing_of_what_lags(engine, clock):
    engine.lag_indexes(5)
    engine.write(Put(ITEM))
    engine.trim_stream(100)
    assert read(engine, consistent=False) is None
    clock.now += 5
    assert read(engine, consistent=False) == ITEM


def test_the_lag_ends_when_it_is_told_to(engine):
    engine.lag_indexes(5)
    engine.write(Put(ITEM))
    engine.lag_indexes(0)
    assert read(engine, consistent=False) == ITEM
