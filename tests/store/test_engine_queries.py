"""Every engine finds, orders and pages alike."""

from __future__ import annotations

import pytest

from leadwire.store.types import Delete, InvalidOperation, Key, Put, Query, Update
from tests.store.support import every_page, index_page, sort_keys

MIXED = [
    "10",
    "9",
    "A",
    "B",
    "Z",
    "a",
    "z",
    "é",
    "\ue000",
    "\ufffd",
    "\uffff",
    "\U00010000",
    "\U0001f600",
    "\U0010ffff",
]


def fill(engine, partition, names, **attributes):
    for start in range(0, len(names), 25):
        engine.batch_write([Put({"pk": partition, "sk": name, **attributes}) for name in names[start : start + 25]])


@pytest.fixture
def dozen(engine, partition):
    """Twelve items, a00 to a11, and one on either side of them."""
    fill(engine, partition, ["A", *(f"a{number:02}" for number in range(12)), "b"])
    return partition


def found(engine, query: Query) -> list[str]:
    return sort_keys(engine.query(query)[0].items)


def test_an_empty_partition_has_no_items_and_no_next(engine, partition):
    page, _ = engine.query(Query(partition))
    assert page.items == []
    assert page.next is None


def test_items_are_ordered_by_the_bytes_of_their_sort_key(engine, partition):
    fill(engine, partition, MIXED)
    in_order = sorted(MIXED, key=lambda name: name.encode())
    assert found(engine, Query(partition)) == in_order
    assert found(engine, Query(partition, forward=False)) == in_order[::-1]


def test_whole_items_come_back(engine, partition):
    engine.write(Put({"pk": partition, "sk": "s", "tags": frozenset("ab"), "b": b"\x00"}))
    page, _ = engine.query(Query(partition, consistent=True))
    assert page.items == [{"pk": partition, "sk": "s", "tags": frozenset("ab"), "b": b"\x00"}]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"low": "a10"}, ["a10", "a11", "b"]),
        ({"high": "a00"}, ["A", "a00"]),
        ({"low": "a03", "high": "a05"}, ["a03", "a04", "a05"]),
        ({"low": "a03x", "high": "a05x"}, ["a04", "a05"]),
        ({"low": "a03", "high": "a03"}, ["a03"]),
        ({"low": "c"}, []),
        ({"prefix": "a1"}, ["a10", "a11"]),
        ({"prefix": "a11"}, ["a11"]),
        ({"prefix": "x"}, []),
        ({"low": "a10", "forward": False}, ["b", "a11", "a10"]),
        ({"prefix": "a1", "forward": False}, ["a11", "a10"]),
        ({"prefix": "a1", "forward": False, "limit": 1}, ["a11"]),
    ],
)
def test_bounds_are_inclusive_and_prefixes_exact(engine, dozen, bounds, expected):
    assert found(engine, Query(dozen, **bounds)) == expected


@pytest.mark.parametrize("prefix", ["z", "\ud7ff", "\uffff", "\U0010ffff", "a\U0010ffff", "\U0010ffff\U0010ffff"])
def test_a_prefix_may_end_in_any_character(engine, partition, prefix):
    names = [
        "a",
        "y",
        "z",
        "z\U0010ffff",
        "\ud7ff!",
        "\ue000",
        "\uffff!",
        "\U00010000",
        "\U0010ffff",
        "a\U0010ffffx",
        "b",
    ]
    names.append("\U0010ffff\U0010ffff")
    fill(engine, partition, names)
    assert found(engine, Query(partition, prefix=prefix)) == sorted(name for name in names if name.startswith(prefix))


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 5, 7, 12, 13])
def test_pages_hold_every_item_once_in_order(engine, dozen, limit, forward):
    pages = every_page(engine, Query(dozen, prefix="a", limit=limit, forward=forward))
    expected = [f"a{number:02}" for number in range(12)]
    assert sort_keys([item for page in pages for item in page]) == (expected if forward else expected[::-1])
    assert all(len(page) == limit for page in pages[:-1])


def test_a_page_that_took_the_last_item_still_names_a_next(engine, dozen):
    page, _ = engine.query(Query(dozen, prefix="a", limit=12))
    assert page.next == {"pk": dozen, "sk": "a11"}
    page, _ = engine.query(Query(dozen, prefix="a", limit=12, start=page.next))
    assert page.items == []
    assert page.next is None


def test_a_page_that_took_the_last_item_of_its_partition_still_names_a_next(engine, dozen):
    page, _ = engine.query(Query(dozen, limit=14))
    assert page.next == {"pk": dozen, "sk": "b"}


def test_a_page_that_ran_out_of_items_names_no_next(engine, dozen):
    page, _ = engine.query(Query(dozen, prefix="a", limit=13))
    assert len(page.items) == 12
    assert page.next is None


def test_a_page_starts_after_an_item_that_is_gone(engine, dozen):
    engine.write(Delete(Key(dozen, "a03")))
    assert found(engine, Query(dozen, prefix="a", limit=2, start={"pk": dozen, "sk": "a03"})) == ["a04", "a05"]
    assert found(engine, Query(dozen, forward=False, limit=2, start={"pk": dozen, "sk": "a03"})) == ["a02", "a01"]


def test_a_page_ends_at_one_megabyte(engine, partition):
    for number in range(25):
        engine.write(Put({"pk": partition, "sk": f"{number:02}", "body": "x" * 100_000}))
    pages = every_page(engine, Query(partition))
    assert [item["sk"] for page in pages for item in page] == [f"{number:02}" for number in range(25)]
    assert [len(page) for page in pages] in ([10, 10, 5], [11, 11, 3])


# --- indexes ----------------------------------------------------------------------------------------------------------


def test_an_index_holds_the_items_that_have_both_of_its_keys(engine, partition):
    for name, keys in {
        "both": {"g1pk": partition, "g1sk": "1"},
        "pk": {"g1pk": partition},
        "sk": {"g1sk": "1"},
        "other": {"g2pk": partition, "g2sk": "1"},
        "none": {},
    }.items():
        engine.write(Put({"pk": partition, "sk": name, "body": "x", **keys}))
    page = index_page(engine, Query(partition, index="g1"), 1)
    assert page.items == [{"pk": partition, "sk": "both", "g1pk": partition, "g1sk": "1"}]
    assert sort_keys(index_page(engine, Query(partition, index="g2"), 1).items) == ["other"]


def test_an_index_follows_the_changes_of_its_keys(engine, partition):
    key = Key(partition, "s")
    query = Query(partition, index="g3")
    engine.write(Put({"pk": partition, "sk": "s", "g3pk": partition, "g3sk": "1"}))
    assert index_page(engine, query, 1).items[0]["g3sk"] == "1"
    engine.write(Update(key, set={"g3sk": "2"}))
    assert index_page(engine, Query(partition, index="g3", low="2"), 1).items[0]["g3sk"] == "2"
    engine.write(Update(key, remove=("g3sk",)))
    assert index_page(engine, query, 0).items == []
    engine.write(Update(key, set={"g3sk": "3"}))
    assert len(index_page(engine, query, 1).items) == 1
    engine.write(Delete(key))
    assert index_page(engine, query, 0).items == []


@pytest.mark.parametrize("forward", [True, False])
def test_an_index_is_ordered_by_its_own_sort_key(engine, partition, forward):
    for number, name in enumerate(MIXED):
        engine.write(Put({"pk": f"{partition}{number}", "sk": "s", "g4pk": partition, "g4sk": name}))
    items = index_page(engine, Query(partition, index="g4", forward=forward), len(MIXED)).items
    in_order = sorted(MIXED, key=lambda name: name.encode())
    assert [item["g4sk"] for item in items] == (in_order if forward else in_order[::-1])


@pytest.mark.parametrize("forward", [True, False])
def test_paging_an_index_of_equal_keys_loses_and_repeats_nothing(engine, partition, forward):
    puts = [Put({"pk": f"{partition}{number}", "sk": "s", "g5pk": partition, "g5sk": "same"}) for number in range(25)]
    engine.batch_write(puts)
    index_page(engine, Query(partition, index="g5"), 25)
    pages = every_page(engine, Query(partition, index="g5", limit=7, forward=forward))
    assert sorted(item["pk"] for page in pages for item in page) == sorted(put.item["pk"] for put in puts)
    assert [len(page) for page in pages] == [7, 7, 7, 4]


def test_a_page_of_an_index_names_all_four_keys_as_next(engine, partition):
    for number in range(3):
        engine.write(Put({"pk": partition, "sk": f"{number}", "g6pk": partition, "g6sk": f"k{number}"}))
    index_page(engine, Query(partition, index="g6"), 3)
    query = Query(partition, index="g6", prefix="k", limit=2)
    page, _ = engine.query(query)
    assert page.next == {"pk": partition, "sk": "1", "g6pk": partition, "g6sk": "k1"}
    assert found(engine, Query(partition, index="g6", prefix="k", limit=2, start=page.next)) == ["2"]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {"index": "g7"},
        {"index": "g1", "consistent": True},
        {"limit": 0},
        {"limit": -1},
        {"prefix": "a", "low": "a"},
        {"prefix": "a", "high": "a"},
        {"low": "b", "high": "a"},
        {"prefix": ""},
        {"low": ""},
        {"high": ""},
        {"low": "x" * 1025},
        {"pk": ""},
        {"pk": "x" * 2049},
        {"start": {"pk": "other", "sk": "a"}},
        {"start": {"pk": "p"}},
        {"start": {"pk": "p", "sk": ""}},
        {"start": {"pk": "p", "sk": "a", "g1pk": "p", "g1sk": "a"}},
        {"start": {"pk": "p", "sk": "a"}, "low": "b"},
        {"start": {"pk": "p", "sk": "c"}, "high": "b"},
        {"start": {"pk": "p", "sk": "c"}, "prefix": "b"},
        {"index": "g1", "start": {"pk": "p", "sk": "a"}},
        {"index": "g1", "start": {"pk": "x", "sk": "a", "g1pk": "other", "g1sk": "a"}},
    ],
    ids=lambda query: str(query)[:60],
)
def test_a_query_that_cannot_be_asked_is_refused(engine, query):
    with pytest.raises(InvalidOperation):
        engine.query(Query(**{"pk": "p", **query}))
