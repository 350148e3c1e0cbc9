"""Every operation is in a golden file: in every case that it can have (cases.py), and with every error of
its own. `python -m tests.dialects.cases` prints the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from docs.openapi import refusals
from leadwire import errors
from leadwire.edge.types import Reply
from leadwire.errors import LeadwireError
from tests.dialects import cases
from tests.dialects.cases import REFUSED, TENANT, kin, operations, served, shown

DIALECTS = ("public", "chatbot", "lists", "crm")
ELSEWHERE = {
    "public POST /api/v1/pub/webhooks/missed-call": "twenty URLs, each another: tests/unit/webhooks/test_service.py",
    "public POST /api/v1/pub/webhooks/chat-widget": "twenty URLs, each another: tests/unit/webhooks/test_service.py",
    "crm POST /api/v1/leads/{id}/unmerge": "thirty days later: tests/unit/leads/test_merging.py",
    "crm POST /api/v1/webhook-deliveries/{id}/resend": "between an attempt and its record: a race",
}
"""Operation to why no golden file shows an error of its own."""
UNPROVOKED = (errors.IdempotencyInProgress, errors.Broken, errors.Unready)
"""Errors that need a race, a bug or a table that is away: tests/unit/edge has them."""


def theirs() -> list[str]:
    return sorted(name for name in operations() if name.partition(" ")[0] in DIALECTS)


@pytest.mark.parametrize("operation", theirs())
def test_an_operation_is_shown_in_every_case_that_it_can_have(operation: str) -> None:
    there = {case for name in kin(operation) for case in shown()[name]}
    missing = [case for case in cases.applicable(operation) if case not in there]
    assert missing == []


@pytest.mark.parametrize("operation", theirs())
def test_an_operation_is_shown_with_each_error_of_its_own(operation: str) -> None:
    render = served()[operation][0].render_error
    wanted = [render(TENANT, error, "") for error in operations()[operation].refuses]
    missing = [reply.body for reply in wanted if not any(_is(reply, step) for step in _refusals(operation))]
    assert bool(missing) == (operation in ELSEWHERE), missing


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_shows_each_error_that_any_operation_can_have(dialect: str) -> None:
    own = [name for name in theirs() if name.startswith(f"{dialect} ")]
    common: dict[str, LeadwireError] = {}
    for operation in own:
        common |= {error.message: error for error in refusals.derived(operations()[operation])}
    steps = [step for operation in own for step in _refusals(operation)]
    render = served()[own[0]][0].render_error
    missing = [
        name
        for name, error in common.items()
        if not isinstance(error, UNPROVOKED) and not any(_is(render(TENANT, error, ""), step) for step in steps)
    ]
    assert missing == []


def _refusals(operation: str) -> Iterator[Mapping[str, Any]]:
    return (step for name in kin(operation) for step in cases.steps()[name] if step["status"] >= REFUSED)


def _is(reply: Reply, step: Mapping[str, Any]) -> bool:
    """Whether a step shows this error: by its status and code, and where one code is for many, by its sentence."""
    answer = step.get("answer")
    if not isinstance(answer, dict) or step["status"] != reply.status:
        return False
    told, told_as = _code(reply.body), _code(answer)
    return told == told_as and (not told.lower().endswith("conflict") or _sentence(reply.body) == _sentence(answer))


def _code(body: Mapping[str, Any]) -> str:
    return str(body.get("code") or body.get("type"))


def _sentence(body: Mapping[str, Any]) -> str:
    return re.sub(r"\d+", "0", str(body.get("error") or body.get("detail") or body.get("message")))
