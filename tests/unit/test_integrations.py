"""Types of integrations: the configs that they take are those that their published JSON Schema allows."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadwire.integrations.types import TEXT_LIMIT, TYPES

VALUES: list[Any] = [
    "a", "eu", "https://example.com", "x" * TEXT_LIMIT, {"FULL_NAME": "name"}, {}, ["lead.created"],
    "", "x" * (TEXT_LIMIT + 1), {"a": ""}, {"a": "x" * (TEXT_LIMIT + 1)}, {"a": 1}, [], ["lead.lost"], [{}], 1, None,
]  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_config_is_taken_if_and_only_if_the_schema_allows_it(name: str, data: st.DataObject) -> None:
    type_ = TYPES[name]
    config = data.draw(st.dictionaries(st.sampled_from([*type_.settings, "colour"]), st.sampled_from(VALUES)))
    allowed = jsonschema_rs.Draft202012Validator(type_.schema()).is_valid(config)
    assert allowed == (not [*type_.unknown(config), *type_.problems(config)])
