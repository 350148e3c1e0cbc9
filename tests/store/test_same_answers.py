"""Random operations have the same outcome on SQLite as on another implementation of DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire.store.database import MEMORY
from leadwire.store.engine import Engine
from leadwire.store.types import (
    ABSENT,
    PRESENT,
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
    Query,
    TransactionFailed,
    Update,
    all_of,
    any_of,
    equals,
)
from tests.store.conftest import EMULATOR, ministack, moto, sqlite

OTHERS = {"moto": moto} | ({"ministack": partial(ministack, EMULATOR)} if EMULATOR else {})
PARTITIONS, SORTS, NAMES = ("p1", "p2"), ("a", "b", "ä"), ("n", "m", "t")
# moto compares values of different kinds loosely (KNOWN_DEVIATIONS), so each name here has values of one kind.
NUMBERS = st.integers(-3, 3)
WORDS = st.frozensets(st.sampled_from(["x", "y", "z"]), min_size=1)
KEYS = st.builds(Key, st.sampled_from(PARTITIONS), st.sampled_from(SORTS))
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={"n": NUMBERS, "m": NUMBERS, "t": WORDS, "g1pk": st.just("g"), "g1sk": st.sampled_from(SORTS)},
)

COMPARISONS = st.builds(
    Compare, st.sampled_from(["n", "m"]), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), NUMBERS
) | st.builds(Compare, st.just("n"), st.sampled_from(["=", "<>", "<", ">="]), st.just(Attr("m")))
LEAVES = (
    st.sampled_from([ABSENT, PRESENT])
    | st.builds(Exists, st.sampled_from(NAMES))
    | st.builds(Missing, st.sampled_from(NAMES))
    | st.builds(Contains, st.just("t"), st.sampled_from(["x", "y"]))
    | st.builds(equals, st.just("t"), WORDS)
    | COMPARISONS
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.builds(all_of, parts, parts) | st.builds(any_of, parts, parts) | st.builds(Not, parts),
    max_leaves=4,
)
MAYBE = st.none() | CONDITIONS


@st.composite
def updates(draw) -> Update:
    verbs: dict[str, dict] = {"set": {}, "add": {}, "discard": {}}
    removed = []
    for name in draw(st.lists(st.sampled_from([*NAMES, "g1pk", "g1sk"]), min_size=1, max_size=3, unique=True)):
        words = name == "t"
        match draw(st.integers(0, 3)):
            case 0:
                removed.append(name)
            case 1 if not name.startswith("g1"):
                verbs["add"][name] = draw(WORDS if words else NUMBERS)
            case 2 if words:
                verbs["discard"][name] = draw(WORDS)
            case _:
                verbs["set"][name] = draw(WORDS if words else st.sampled_from(SORTS) if name[0] == "g" else NUMBERS)
    return Update(draw(KEYS), **verbs, remove=tuple(removed), condition=draw(MAYBE))


PUTS = st.builds(
    lambda key, rest, condition: Put({"pk": key.pk, "sk": key.sk, **rest}, condition), KEYS, ATTRIBUTES, MAYBE
)
WRITES = PUTS | st.builds(Delete, KEYS, MAYBE) | updates()
TRANSACTIONS = st.lists(WRITES | st.builds(Check, KEYS, CONDITIONS), min_size=1, max_size=3)
QUERIES = st.builds(
    Query,
    st.sampled_from(PARTITIONS),
    low=st.none() | st.sampled_from(SORTS),
    forward=st.booleans(),
    limit=st.none() | st.integers(1, 4),
    consistent=st.booleans(),
)
STEPS = st.lists(WRITES | TRANSACTIONS | QUERIES, min_size=1, max_size=12)


@pytest.fixture(scope="module", params=OTHERS)
def engines(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Engine]]:
    with OTHERS[request.param]() as other, sqlite(MEMORY) as ours:
        yield ours, other


def outcome(engine: Engine, step: object) -> object:
    """What the step answers, or how it is refused; without what it costs."""
    try:
        if isinstance(step, Query):
            return engine.query(step)[0].items  # moto differs in `next`: KNOWN_DEVIATIONS
        if isinstance(step, list):
            engine.transact(step)
            return None
        return engine.write(step)[0]
    except (ConditionFailed, TransactionFailed) as refused:
        return type(refused), getattr(refused, "item", None), getattr(refused, "failed", None)
    except InvalidOperation:
        return InvalidOperation


def contents(engine: Engine) -> list[object]:
    pages = [engine.query(Query(pk, consistent=True))[0].items for pk in PARTITIONS]
    index = engine.query(Query("g", index="g1"))[0].items
    return [*pages, sorted(index, key=str)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_random_operations_have_the_same_outcomes(engines, steps):
    for engine in engines:
        engine.batch_write([Delete(Key(pk, sk)) for pk in PARTITIONS for sk in SORTS])
    ours, other = engines
    for step in steps:
        assert outcome(ours, step) == outcome(other, step), step
    assert contents(ours) == contents(other)
