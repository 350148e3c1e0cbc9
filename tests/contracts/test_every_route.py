"""Every route does what it is for, with real data, on the embedded cloud; the emulator lane runs the same rows."""

from __future__ import annotations

from tests import doors, every_route
from tests.contracts import days
from tests.isolation.test_matrix import SERVED
from tests.unit.webhooks.conftest import Receiver, receiver

__all__ = ["receiver"]


def covered() -> set[str]:
    """`dialect METHOD path` of the routes that the rows call."""
    found = set()
    for row in every_route.ROWS:
        path = row.path.partition("?")[0].replace("{", "").replace("}", "")
        route = next(route for route in doors.routes() if route.parameters(row.method, path) is not None)
        found.add(f"{row.dialect} {route.key}".strip())
    return found


def test_every_route_of_the_template_has_a_row() -> None:
    declared = {str(one) for one in SERVED}
    of_nobody = {route.key for route in doors.routes()} - {key.partition(" ")[2] for key in declared}
    assert covered() == declared | of_nobody


def test_every_route_does_what_it_is_for(receiver: Receiver) -> None:
    with days.world() as world:
        assert every_route.run(days.sender(world), days.patiently(world), days.names(world, receiver.url)) == []
