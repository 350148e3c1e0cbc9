"""The table guards its tenant, has patience, and counts what it used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadwire.store.database import MEMORY
from leadwire.store.faults import FaultyEngine
from leadwire.store.table import ATTEMPTS, LONGEST_PAUSE, ForeignKey, Table, unscoped
from leadwire.store.types import (
    ABSENT,
    PRESENT,
    Check,
    ConditionFailed,
    Delete,
    Key,
    Put,
    Query,
    Throttled,
    TransactionConflict,
    TransactionFailed,
    Unavailable,
    Update,
)
from tests.store.conftest import sqlite

PREFIX = "T#one#"
KEY = Key("T#one#LEAD#1", "LEAD")
FOREIGN = Key("T#two#LEAD#1", "LEAD")


@pytest.fixture
def faulty() -> Iterator[FaultyEngine]:
    with sqlite(MEMORY) as engine:
        yield FaultyEngine(engine)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def table(faulty, pauses) -> Table:
    return Table(faulty, PREFIX, sleep=pauses.append)


def item(key: Key, **attributes):
    return {"pk": key.pk, "sk": key.sk, **attributes}


def many(count: int) -> list[Key]:
    return [Key(f"{PREFIX}LEAD#{number:03}", "LEAD") for number in range(count)]


# --- the guard --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        lambda table: table.get(FOREIGN),
        lambda table: table.batch_get([KEY, FOREIGN]),
        lambda table: table.query(Query(FOREIGN.pk)),
        lambda table: list(table.query_all(Query(FOREIGN.pk))),
        lambda table: table.write(Put(item(FOREIGN))),
        lambda table: table.update(Update(FOREIGN, set={"a": 1})),
        lambda table: table.write(Delete(FOREIGN)),
        lambda table: table.transact([Put(item(KEY)), Check(FOREIGN, ABSENT)]),
        lambda table: table.batch_write([Put(item(KEY)), Delete(FOREIGN)]),
        lambda table: table.write(Put(item(KEY, g1pk=FOREIGN.pk, g1sk="x"))),
        lambda table: table.write(Update(KEY, set={"g6pk": FOREIGN.pk})),
        lambda table: table.transact([Put(item(KEY, g2pk="elsewhere", g2sk="x"))]),
        lambda table: table.batch_write([Put(item(KEY, g2pk="T#oneother", g2sk="x"))]),
    ],
)
def test_a_key_of_another_tenant_is_stopped_before_any_request(table, faulty, request_):
    with pytest.raises(ForeignKey):
        request_(table)
    assert faulty.calls == 0


def test_a_row_of_the_due_index_may_be_shared(table):
    table.write(Put(item(KEY, g2pk="DUE#3", g2sk="2026")))
    assert table.get(KEY)["g2pk"] == "DUE#3"


def test_an_unscoped_table_sees_every_tenant(faulty):
    unscoped(faulty).write(Put(item(FOREIGN)))
    assert unscoped(faulty).get(FOREIGN) == item(FOREIGN)


# --- patience ---------------------------------------------------------------------------------------------------------


def test_a_throttled_request_is_repeated_after_pauses(table, faulty, pauses):
    faulty.throttle_next(ATTEMPTS - 1)
    table.write(Put(item(KEY)))
    assert table.get(KEY) == item(KEY)
    assert len(pauses) == ATTEMPTS - 1
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


def test_a_table_that_stays_throttled_is_given_up(table, faulty):
    faulty.throttle_next(ATTEMPTS)
    with pytest.raises(Throttled):
        table.get(KEY)
    assert faulty.calls == ATTEMPTS


def test_a_conflict_is_repeated(table, faulty, pauses):
    faulty.fail_before(1, TransactionConflict())
    table.transact([Put(item(KEY))])
    assert faulty.calls == 2
    assert len(pauses) == 1


@pytest.mark.parametrize("order", [FaultyEngine.fail_before, FaultyEngine.fail_after])
def test_a_silent_table_is_not_asked_again(table, faulty, order):
    order(faulty, 1)
    with pytest.raises(Unavailable):
        table.write(Put(item(KEY)))
    assert faulty.calls == 1


def test_unprocessed_writes_are_repeated_until_they_land(table, faulty, pauses):
    faulty.leave_unprocessed(20, 25, 3)
    table.batch_write([Put(item(key)) for key in many(60)])
    assert len(table.batch_get(many(60))) == 60
    assert len(pauses) == 3


def test_unprocessed_reads_are_repeated_until_all_are_there(table, faulty, pauses):
    table.batch_write([Put(item(key, n=1)) for key in many(150)])
    faulty.leave_unprocessed(99, 100, 1)
    found = table.batch_get(many(200))
    assert found == {key: item(key, n=1) for key in many(150)}
    assert len(pauses) == 3


def test_rows_that_stay_unprocessed_are_given_up_with_an_error(table, faulty):
    faulty.leave_unprocessed(*[25] * ATTEMPTS)
    with pytest.raises(Throttled):
        table.batch_write([Put(item(key)) for key in many(25)])


def test_a_batch_asks_for_each_item_once(table, faulty):
    table.write(Put(item(KEY)))
    assert table.batch_get([KEY, KEY, KEY]) == {KEY: item(KEY)}
    assert faulty.calls == 2


def test_nothing_to_do_is_no_request(table, faulty):
    assert table.batch_get([]) == {}
    table.batch_write([])
    assert faulty.calls == 0


def test_a_query_of_all_follows_the_pages(table, faulty):
    table.batch_write([Put(item(Key(f"{PREFIX}TAG", f"{number:02}"))) for number in range(10)])
    faulty.calls = 0
    found = list(table.query_all(Query(f"{PREFIX}TAG", limit=4)))
    assert [row["sk"] for row in found] == [f"{number:02}" for number in range(10)]
    assert faulty.calls == 3


def test_an_update_answers_the_item_after_it(table):
    assert table.update(Update(KEY, add={"n": 2})) == item(KEY, n=2)


# --- the meter --------------------------------------------------------------------------------------------------------


def test_the_meter_counts_units_and_round_trips(table):
    table.write(Put(item(KEY, g1pk=KEY.pk, g1sk="1")))
    table.get(KEY)
    table.query(Query(KEY.pk))
    table.transact([Update(KEY, set={"n": 1})])
    assert (table.meter.consumed.wru, table.meter.consumed.rru, table.meter.trips) == (2 + 2, 1 + 0.5, 4)


def test_the_meter_counts_what_a_refusal_cost(table):
    with pytest.raises(ConditionFailed):
        table.write(Put(item(KEY), PRESENT))
    with pytest.raises(TransactionFailed):
        table.transact([Check(KEY, PRESENT)])
    assert (table.meter.consumed.wru, table.meter.trips) == (1 + 2, 2)


def test_the_meter_counts_repeated_requests_as_round_trips(table, faulty):
    faulty.throttle_next(2)
    table.get(KEY)
    assert (table.meter.consumed.rru, table.meter.trips) == (1, 3)


def test_tables_do_not_share_a_meter(faulty):
    Table(faulty, PREFIX).get(KEY)
    assert Table(faulty, PREFIX).meter.trips == 0
