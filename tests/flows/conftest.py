"""Flows through everything that the template describes: in this process on a movable clock, or in a real one."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.clock import Clock
from local.world import World
from tests.flows import business
from tests.flows.business import Business
from tests.process import Server
from tests.unit.webhooks.conftest import receiver

__all__ = ["receiver"]

ROOT = Path(__file__).parents[2]
EARLIER = 200
"""Seconds: verifiers of signatures allow five minutes either way, and a flow may take that long on its clock."""


@pytest.fixture
def world() -> Iterator[World]:
    clock = Clock(float(math.floor(time.time())) - EARLIER)
    world = World(ROOT, clock=clock, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    yield world
    world.close()


@pytest.fixture
def acme(world: World) -> Business:
    return business.found(world, "acme")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real process that the tests share: they must not mind each other's leads."""
    server = Server(tmp_path_factory.mktemp("server") / "home")
    server.wait()
    yield server
    server.end()
