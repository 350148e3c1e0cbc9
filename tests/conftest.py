"""What every test shares: no network but the loopback, a clock that moves when told, a table in memory, a tenant."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from leadwire.context import Ctx, Tenant
from leadwire.ports import Ports
from leadwire.store.database import MEMORY
from local.gateway import Request, Response
from local.world import World
from tests import factories, published
from tests.factories import Clock, Keys

LOOPBACK = "127.0.0.1"
REFERENCE = "/openapi/{document}"
"""A route of the product's template, and of no other."""
LONG = ("test_list_engine.py", "test_running_documents.py")

if "CI" not in os.environ:  # there Hypothesis's own profile tries the same examples each time: luck decides nothing
    settings.register_profile("leadwire", deadline=None)  # how long an example takes says nothing: machines are busy
    settings.load_profile("leadwire")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Leadwire")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, for processes that share the tests."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("emulator") is None:
        socket_allow_hosts([LOOPBACK], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def only_published_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the product's own stack answers in this process is checked against the published documents."""
    handle = World.handle

    def checked(world: World, request: Request) -> Response:
        response = handle(world, request)
        if any(route.path == REFERENCE for route in world.stack.routes):
            answer = (response.status, response.headers, response.body.decode(errors="replace"))
            published.check_http(request.method, request.target, request.headers, answer)
        return response

    monkeypatch.setattr(World, "handle", checked)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ports(clock: Clock) -> Iterator[Ports]:
    """Ports on a table in memory that is this test's own."""
    with factories.engine(MEMORY, clock) as engine:
        yield factories.ports(engine, clock)


@pytest.fixture
def tenant(ports: Ports) -> Tenant:
    return factories.tenant(ports, "acme")


@pytest.fixture
def ctx(ports: Ports, tenant: Tenant) -> Ctx:
    """The tenant as the tests act upon it."""
    return factories.ctx(ports, tenant)


@pytest.fixture
def keys_of_families(ctx: Ctx) -> Keys:
    """One token of each dialect, with every scope and a limit that no test reaches."""
    return factories.keys_of_families(ctx)
