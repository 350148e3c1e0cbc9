"""The table of EventBridge's operators, each with what it must and must not match."""

import pytest

from local.patterns import check, compiled, mentions

CASES = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x", "y"]}, {"a": "y"}, True),
    ({"a": ["x"]}, {"a": "X"}, False),
    ({"a": ["x"]}, {}, False),
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 1}, True),
    ({"a": ["x"], "b": [1]}, {"a": "x", "b": 2}, False),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [True]}, {"a": True}, True),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": [""]}, {"a": ""}, True),
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    ({"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
    ({"a": ["x"]}, {"a": ["y", "x"]}, True),
    ({"a": ["x"]}, {"a": {"x": 1}}, False),
    ({"a": [{"prefix": "EVT#"}]}, {"a": "EVT#1"}, True),
    ({"a": [{"prefix": "EVT#"}]}, {"a": "evt#1"}, False),
    ({"a": [{"prefix": {"equals-ignore-case": "evt"}}]}, {"a": "EVT#1"}, True),
    ({"a": [{"prefix": "1"}]}, {"a": 12}, False),
    ({"a": [{"suffix": ".png"}]}, {"a": "b.png"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "b.pn"}, False),
    ({"a": [{"equals-ignore-case": "Ann"}]}, {"a": "aNN"}, True),
    ({"a": [{"wildcard": "lead.*"}]}, {"a": "lead.created"}, True),
    ({"a": [{"wildcard": "*.created"}]}, {"a": "lead.created"}, True),
    ({"a": [{"wildcard": "lead.*.x"}]}, {"a": "lead.created"}, False),
    ({"a": [{"wildcard": "a\\*b"}]}, {"a": "a*b"}, True),
    ({"a": [{"wildcard": "a\\*b"}]}, {"a": "axb"}, False),
    ({"a": [{"wildcard": "a.b"}]}, {"a": "axb"}, False),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5.5}, False),
    ({"a": [{"numeric": ["=", 300]}]}, {"a": 300.0}, True),
    ({"a": [{"numeric": ["=", 1]}]}, {"a": "1"}, False),
    ({"a": [{"numeric": ["=", 1]}]}, {"a": True}, False),
    ({"a": [{"exists": True}]}, {"a": None}, True),
    ({"a": [{"exists": True}]}, {"b": 1}, False),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ({"a": [{"exists": False}]}, {"b": 1}, True),
    ({"a": {"b": [{"exists": False}]}}, {"c": 1}, True),
    ({"a": [{"exists": False}]}, {"a": 1}, False),
    ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
    ({"a": [{"anything-but": "x"}]}, {}, False),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
    ({"a": [{"anything-but": [1, 2]}]}, {"a": 3}, True),
    ({"a": [{"anything-but": {"prefix": "lead."}}]}, {"a": "user.created"}, True),
    ({"a": [{"anything-but": {"prefix": ["lead.", "user."]}}]}, {"a": "user.created"}, False),
    ({"a": [{"anything-but": {"suffix": "x"}}]}, {"a": "ax"}, False),
    ({"$or": [{"a": ["x"]}, {"b": [1]}]}, {"b": 1}, True),
    ({"$or": [{"a": ["x"]}, {"b": [1]}]}, {"b": 2}, False),
    ({"c": [1], "$or": [{"a": ["x"]}, {"b": [1]}]}, {"b": 1}, False),
]


@pytest.mark.parametrize(("pattern", "event", "expected"), CASES)
def test_a_pattern_matches_as_eventbridge_does(pattern: dict, event: dict, *, expected: bool) -> None:
    check(pattern)
    assert compiled(pattern)(event) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        [],
        {"a": []},
        {"a": "x"},
        {"a": {}},
        {"a": [{"cidr": "10.0.0.0/8"}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {"a": [{"exists": "yes"}]},
        {"a": [{"numeric": [">", 1, "<"]}]},
        {"a": [{"numeric": ["!", 1]}]},
        {"a": [{"anything-but": {"numeric": ["=", 1]}}]},
        {"$or": [{"a": ["x"]}]},
        {"$or": {"a": ["x"]}},
    ],
)
def test_a_pattern_that_is_not_known_is_refused(pattern: object) -> None:
    with pytest.raises(ValueError, match=r"pattern|or"):
        check(pattern)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ({"a": {"b": ["x"]}}, ("a", "b"), True),
        ({"a": {"b": ["x"]}}, ("a",), True),
        ({"a": {"b": ["x"]}}, ("a", "c"), False),
        ({"a": ["x"]}, ("a", "c"), True),
        ({"$or": [{"b": ["x"]}, {"a": ["x"]}]}, ("a",), True),
    ],
)
def test_a_pattern_mentions_the_fields_that_it_looks_at(
    pattern: dict, path: tuple[str, ...], *, expected: bool
) -> None:
    assert mentions(pattern, *path) is expected
