"""Every operation on leads, lists, chatbots and clients is in a golden file: as it goes through, and as it is refused.

Webhooks, whose answers show secrets and need a vault, are in tests/flows; crm has rules of its own.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from functools import cache

import pytest

from leadwire.edge.types import Dialect
from tests import doors
from tests.dialects import golden

REFUSED = 400
DIALECTS = ("public", "chatbot", "lists")
ELSEWHERE = {"lists GET /v1/bulk-jobs/{job_id}": "a job needs more than 500 leads: tests/unit/leads/test_bulk.py"}


def operations() -> list[str]:
    """Dialect and route of what the doors serve."""
    found = set()
    for folder in {route.function for route in doors.routes()}:
        for part in vars(importlib.import_module(f"functions.{folder}.app")).values():
            declared = getattr(part, "DIALECT", None)
            if isinstance(declared, Dialect):
                found |= {f"{declared.name} {route.key}" for route in declared.routes}
    return sorted(one for one in found if one.partition(" ")[0] in DIALECTS and "/webhooks" not in one)


@cache
def shown() -> dict[str, set[int]]:
    """Dialect and route to the statuses that golden files show of it."""
    statuses: dict[str, set[int]] = defaultdict(set)
    for path in golden.files():
        for step in golden.steps(path):
            method, _, target = step["request"].partition(" ")
            dialect = step.get("key", path.parent.name).partition(" ")[0]
            for route in doors.routes():
                if route.parameters(method, target.partition("?")[0]) is not None:
                    statuses[f"{dialect} {route.key}"].add(step["status"])
                    break
    return statuses


@pytest.mark.parametrize("operation", sorted({*operations()} - {*ELSEWHERE}))
def test_an_operation_is_shown_as_it_goes_through(operation: str) -> None:
    assert any(status < REFUSED for status in shown()[operation])


@pytest.mark.parametrize("operation", operations())
def test_an_operation_is_shown_as_it_is_refused(operation: str) -> None:
    assert any(status >= REFUSED for status in shown()[operation])
