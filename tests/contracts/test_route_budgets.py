"""Every route has a budget, and none costs more than it may."""

from __future__ import annotations

from tests.contracts import days
from tests.contracts.route_budgets import BUDGETS
from tests.isolation.test_matrix import SERVED
from tests.unit.webhooks.conftest import Receiver, receiver

__all__ = ["receiver"]


def test_every_route_has_a_budget() -> None:
    assert {*BUDGETS} == {str(one) for one in SERVED}


def test_no_route_costs_more_than_it_may(receiver: Receiver) -> None:
    measured = days.costs(receiver)
    over = {
        route: (cost, BUDGETS[route])
        for route, cost in measured.items()
        if any(one > most for one, most in zip(cost, BUDGETS[route], strict=True))
    }
    assert over == {}
    assert measured.keys() == BUDGETS.keys()
