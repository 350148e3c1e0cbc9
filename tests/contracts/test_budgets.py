"""No operation costs more than its budget, as `X-Leadwire-Capacity` tells it."""

from __future__ import annotations

import pytest

from tests.contracts import budgets
from tests.contracts.budgets import OPERATIONS, Cost, Operation


@pytest.fixture(scope="module")
def measured() -> dict[str, Cost]:
    return {id_of(operation): cost for operation, cost in budgets.measure()}


def id_of(operation: Operation) -> str:
    return f"{operation.dialect}: {operation.does} {operation.route}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=id_of)
def test_an_operation_costs_what_it_may(operation: Operation, measured: dict[str, Cost]) -> None:
    cost, budget = measured[id_of(operation)], operation.budget
    assert cost.wru <= budget.wru
    assert cost.rru <= budget.rru
    assert cost.trips <= budget.trips


def test_reading_one_lead_costs_one_write_for_the_key_one_read_and_two_trips() -> None:
    assert Cost(1, 1, 2) == budgets.GET


def test_creating_a_lead_costs_at_most_20_writes_in_three_trips() -> None:
    assert (budgets.CREATE.wru, budgets.CREATE.trips) == (20, 3)


def test_a_million_creates_cost_thirteen_dollars_at_most() -> None:
    assert budgets.dollars_per_million(Cost(1_000_000, 0, 0)) == 625_000
    assert budgets.dollars_per_million(budgets.CREATE) == 13
