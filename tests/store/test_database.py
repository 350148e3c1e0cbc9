"""One SQLite file: transactions that others may join, readers beside a writer, and what survives a killed process."""

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
    InvalidOperation,
    Key,
    Put,
    Query,
    Unavailable,
    Update,
)

KEY = Key("p", "s")
ITEM = {"pk": "p", "sk": "s"}


@pytest.fixture(params=["memory", "file"])
def engine(request, path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(Database(MEMORY if request.param == "memory" else path))
    yield engine
    engine.close()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "table.db"


def read(engine, key=KEY):
    return engine.get(key, consistent=True)[0]


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


class Disk:
    """Counts the trips to the disk; `meanwhile` happens during the next one."""

    def __init__(self):
        self.trips = 0
        self.meanwhile = lambda: None

    def flush(self, descriptor):
        self.trips += 1
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()


@pytest.fixture
def disk(monkeypatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr("leadwire.store.database._flush", disk.flush)
    return disk


def test_one_trip_to_the_disk_takes_all_commits_along(path, disk):
    engine = SqliteEngine(Database(path))
    engine.write(Put(ITEM))
    engine.write(Put({"pk": "p", "sk": "t"}))
    assert disk.trips == 0
    engine.database.sync()
    engine.database.sync()
    assert disk.trips == 1
    engine.write(Update(KEY, add={"n": 1}))
    engine.database.sync()
    assert disk.trips == 2
    engine.close()
    assert disk.trips == 2


def test_what_is_committed_during_a_trip_to_the_disk_waits_for_the_next(path, disk):
    engine = SqliteEngine(Database(path))
    engine.database.sync()
    disk.trips = 0
    engine.write(Put(ITEM))
    disk.meanwhile = lambda: engine.write(Update(KEY, add={"n": 1}))
    engine.database.sync()
    assert disk.trips == 1
    engine.database.sync()
    assert disk.trips == 2
    engine.close()


def test_closing_brings_everything_to_the_disk(path, disk):
    engine = SqliteEngine(Database(path))
    engine.write(Put(ITEM))
    engine.close()
    assert disk.trips == 1
