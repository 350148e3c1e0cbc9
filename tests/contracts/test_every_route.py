"""Every route does what it is for, with real data, and every function may do what it does, and nothing else.

The rows of tests/every_route.py run on the embedded cloud, where what each function does is noted; the emulator lane
runs them where roles are enforced.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from leadwire import tenants
from leadwire.context import iso
from leadwire.leads import deletions
from tests import doors, every_route, factories
from tests.every_route import Answer
from tests.flows.business import authorization
from tests.isolation.test_matrix import SERVED
from tests.unit.webhooks.conftest import Receiver, receiver
from tests.watched import Watched

__all__ = ["receiver"]

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3_600_000


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
    with closing(Watched(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})) as world:
        ctx = tenants.operate(world.ports, tenants.create(world.ports, "acme", "Acme"), "tests")
        tokens = factories.keys_of_families(ctx)
        names = {
            "tenant": "acme",
            "receiver": receiver.url,
            "job": deletions.delete_named(ctx, []).id,
            "an_hour_ago": iso(ctx.now_ms() - HOUR),
        }

        def send(dialect: str, method: str, path: str, body: Any) -> Answer:
            headers = authorization(dialect, tokens[dialect]) if dialect else {}
            answer = world.http(method, path, headers, body)
            is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
            return answer.status, answer.json() if is_json and answer.body else None

        def patiently(holds: Callable[[], bool]) -> None:
            while not holds():
                assert world.due() is not None, "nothing more will happen"
                world.advance(seconds=1)

        assert every_route.run(send, patiently, names) == []
