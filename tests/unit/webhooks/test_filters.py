"""Which events pass an endpoint's filters: by the fan-out, and against a regular expression that says the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.webhooks import filters
from leadwire.webhooks.model import Webhook

HOOK = "https://example.com/hook"


def passes(pattern: str, value: Any, name: str = "field", path: str = "field") -> bool:
    """Whether a lead with this one field passes an endpoint's filter."""
    webhook = Webhook(id="w", face="any", event_types=frozenset(), url=HOOK, filters={path: [pattern]})
    face: Any = _Fields({name: value})
    event: Any = None
    return filters.failing(face, webhook, event, event) == []


class _Fields:
    """All that filters ask of a face."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields: Any = lambda _tenant, _event: fields


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("web", "WEB"),
        ("web%", "web"),
        ("web%", "Website\nof ours"),
        ("%site", "website"),
        ("%b%i%", "website"),
        ("%", ""),
        ("", None),
        ("%", None),
        ("a%a", "aa"),
        ("3", 3),
        ("true", True),
        ("vip", ["new", "VIP"]),
        ("a.c", "a.c"),
        ("straße", "STRASSE"),
    ],
)
def test_these_values_pass(pattern: str, value: Any) -> None:
    assert passes(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [("web", "website"), ("web%", "a web"), ("a%a", "a"), ("%ab%ab", "ab"), ("a.c", "abc"), ("x%", None), ("vip", [])],
)
def test_these_values_do_not(pattern: str, value: Any) -> None:
    assert not passes(pattern, value)


def test_a_field_inside_of_another_is_named_with_a_dot() -> None:
    assert passes("Austin", {"city": "Austin"}, name="metadata", path="metadata.city")
    assert passes("Austin", "Austin", name="metadata.city", path="metadata.city")
    assert not passes("Austin", "Austin", name="metadata", path="metadata.city")


@given(st.text("ab%", max_size=8), st.text("ab\n", max_size=12))
def test_a_percent_sign_stands_for_any_text(pattern: str, value: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("%")))
    assert passes(pattern, value) is (re.fullmatch(expression, value, re.DOTALL) is not None)


def test_no_pattern_and_no_text_of_a_customer_can_hold_up_the_fan_out(pipeline: Any) -> None:
    """A regular expression with a hundred `.*` would not come back within the age of the universe."""
    pipeline.register(HOOK, filters={"notes": ["%a" * 99 + "%b"] * 50})
    pipeline.publish(pipeline.event(1, notes="a" * 50_000), pipeline.event(2, notes="a" * 49_999 + "b"))
    [delivery] = pipeline.deliveries()
    assert json.loads(delivery.body)["clientId"] == "2"
