"""The faults that tests order happen as ordered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadwire.store.database import MEMORY
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Delete, Key, Put, Query, Throttled, Unavailable, Update
from tests.store.conftest import sqlite

KEY = Key("p", "s")
ITEM = {"pk": "p", "sk": "s"}


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with sqlite(MEMORY) as engine:
        yield engine


def test_without_orders_everything_passes(engine):
    faulty = FaultyEngine(engine)
    faulty.write(Put(ITEM))
    faulty.transact([Update(KEY, add={"n": 1})])
    assert faulty.batch_write([Delete(Key("p", "none"))])[0] == []
    assert faulty.get(KEY, consistent=True)[0] == {**ITEM, "n": 1}
    assert faulty.batch_get([KEY], consistent=True)[:2] == ([{**ITEM, "n": 1}], [])
    assert faulty.query(Query("p"))[0].items == [{**ITEM, "n": 1}]
    assert faulty.calls == 6


def test_a_fault_before_a_request_stops_it(engine):
    faulty = FaultyEngine(engine)
    faulty.fail_before(2)
    faulty.get(KEY, consistent=True)
    with pytest.raises(Unavailable):
        faulty.write(Put(ITEM))
    assert engine.get(KEY, consistent=True)[0] is None
    faulty.write(Put(ITEM))


def test_a_fault_after_a_request_hides_its_answer(engine):
    faulty = FaultyEngine(engine)
    faulty.fail_after(1)
    with pytest.raises(Unavailable):
        faulty.write(Put(ITEM))
    assert engine.get(KEY, consistent=True)[0] == ITEM


@pytest.mark.parametrize("order", [FaultyEngine.fail_before, FaultyEngine.fail_after])
def test_a_crash_passes_every_handler_of_exceptions(engine, order):
    faulty = FaultyEngine(engine)
    order(faulty, 1, Crash())
    with pytest.raises(Crash):
        faulty.write(Put(ITEM))


def test_a_share_of_throttles_is_the_same_for_the_same_seed(engine):
    def refusals(seed: int) -> list[bool]:
        faulty = FaultyEngine(engine, seed=seed)
        faulty.throttle_share(0.5)
        outcomes = []
        for _ in range(50):
            try:
                faulty.get(KEY, consistent=True)
            except Throttled:
                outcomes.append(True)
            else:
                outcomes.append(False)
        return outcomes

    assert refusals(1) == refusals(1)
    assert refusals(1) != refusals(2)
    assert 10 < sum(refusals(1)) < 40


def test_rows_left_unprocessed_are_not_done(engine):
    faulty = FaultyEngine(engine)
    faulty.leave_unprocessed(1, 9)
    first, second = Put(ITEM), Put({"pk": "p", "sk": "t"})
    assert faulty.batch_write([first, second])[0] == [second]
    assert faulty.batch_write([first, second])[0] == [first, second]
    assert faulty.batch_write([second])[0] == []


def test_healing_forgets_every_order(engine):
    faulty = FaultyEngine(engine)
    faulty.throttle_next(5)
    faulty.throttle_share(1)
    faulty.fail_before(1)
    faulty.fail_after(1)
    faulty.leave_unprocessed(1)
    faulty.heal()
    assert faulty.batch_write([Put(ITEM)])[0] == []
