"""What only SQLite has: the stream, expiry, a lag on purpose, and transactions that others may join."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadwire.store.database import MEMORY, Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import (
    ABSENT,
    ConditionFailed,
    Delete,
    InvalidOperation,
    Key,
    Put,
    Query,
    TransactionFailed,
    Unavailable,
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


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "table.db"


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


# --- the database -----------------------------------------------------------------------------------------------------


def test_writes_inside_a_block_commit_together(engine):
    with engine.database.write():
        engine.write(Put(ITEM))
        engine.transact([Put({"pk": "p", "sk": "t"})])
        assert read(engine) == ITEM
    assert len(engine.query(Query("p"))[0].items) == 2


def test_a_block_that_raises_writes_nothing(engine):
    def interrupted():
        with engine.database.write():
            engine.write(Put(ITEM))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert read(engine) is None
    assert engine.read_stream(0, 10) == []


def test_a_refusal_inside_a_block_may_be_handled_there(engine):
    engine.write(Put(ITEM))
    with engine.database.write():
        engine.write(Put({"pk": "p", "sk": "t"}))
        with pytest.raises(ConditionFailed):
            engine.write(Put(ITEM, ABSENT))
        with pytest.raises(InvalidOperation):
            engine.write(Put({"pk": "p"}))
    assert read(engine, Key("p", "t")) is not None


def test_hooks_are_called_after_commits_that_wrote(engine):
    calls = []
    engine.database.after_commit.append(lambda: calls.append(read(engine)))
    engine.write(Put(ITEM))
    assert calls == [ITEM]
    engine.write(Put(ITEM))
    with pytest.raises(ConditionFailed):
        engine.write(Put(ITEM, ABSENT))
    read(engine)
    assert len(calls) == 1
    with engine.database.write():
        engine.write(Put({**ITEM, "n": 1}))
        engine.write(Put({**ITEM, "n": 2}))
        assert len(calls) == 1
    assert len(calls) == 2


def test_others_see_a_write_only_after_its_commit(path):
    engine = SqliteEngine(Database(path))
    seen = []
    with engine.database.write():
        engine.write(Put(ITEM))
        reader = threading.Thread(target=lambda: seen.append(read(engine)))
        reader.start()
        reader.join()
    assert seen == [None]
    assert read(engine) == ITEM
    engine.close()


def test_two_openings_of_one_file_share_its_items_and_its_order(path):
    ours, theirs = SqliteEngine(Database(path)), SqliteEngine(Database(path))
    ours.write(Put(ITEM))
    theirs.write(Update(KEY, add={"n": 1}))
    assert read(ours) == {**ITEM, "n": 1}
    assert [record.name for record in ours.read_stream(0, 10)] == ["INSERT", "MODIFY"]
    ours.close()
    theirs.close()


def test_a_file_that_stays_locked_is_unavailable(path, monkeypatch):
    monkeypatch.setattr("leadwire.store.database.BUSY_TIMEOUT", 0)
    ours, theirs = SqliteEngine(Database(path)), SqliteEngine(Database(path))
    with ours.database.write(), pytest.raises(Unavailable):
        theirs.write(Put(ITEM))
    theirs.write(Put(ITEM))
    ours.close()
    theirs.close()


def test_what_was_answered_survives_a_killed_process(path):
    program = f"""
import os
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Put
engine = SqliteEngine(Database({str(path)!r}))
for number in range(20):
    engine.write(Put({{"pk": "p", "sk": f"{{number:02}}"}}))
with engine.database.write():
    engine.write(Put({{"pk": "p", "sk": "unfinished"}}))
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == -9
    engine = SqliteEngine(Database(path))
    assert [item["sk"] for item in engine.query(Query("p"))[0].items] == [f"{number:02}" for number in range(20)]
    assert len(engine.read_stream(0, 100)) == 20
    engine.close()


@pytest.mark.parametrize(
    "query",
    [
        Query("p", prefix="a", limit=5),
        Query("p", low="a", high="b", forward=False, start={"pk": "p", "sk": "aa"}),
        Query("p", index="g1", prefix="a", limit=5),
        Query("p", index="g6", forward=False, start={"pk": "x", "sk": "x", "g6pk": "p", "g6sk": "a"}),
    ],
    ids=lambda query: f"{query.index} {query.forward}",
)
def test_a_query_walks_an_index_without_sorting(path, query):
    engine = SqliteEngine(Database(path))
    statements: list[str] = []
    with engine.database.read() as connection:
        connection.set_trace_callback(statements.append)
    engine.query(query)
    with engine.database.read() as connection:
        connection.set_trace_callback(None)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statements[-1]}")]
    wanted = "PRIMARY KEY" if query.index is None else f"COVERING INDEX items_{query.index}"
    assert len(plan) == 1
    assert wanted in plan[0]
    engine.close()


def test_a_closed_database_can_be_opened_elsewhere(path):
    engine = SqliteEngine(Database(path))
    engine.write(Put(ITEM))
    engine.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
    connection.close()
