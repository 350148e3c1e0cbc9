"""While one tenant imports, another one's lists cost what they did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadwire import apikeys
from leadwire.context import Ctx
from leadwire.leads import service
from local.world import World
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("", "?tag=vip", "?search=ada", "?sort=email", "?status=new&page=2&per_page=10")


@pytest.fixture
def world() -> Iterator[World]:
    world = World(ROOT, overrides={"LEADWIRE_DEBUG_CAPACITY": "true"})
    yield world
    world.close()


def tenant(world: World, slug: str, leads: int) -> tuple[Ctx, str]:
    ctx = factories.ctx(world.ports, factories.tenant(world.ports, slug))
    create(ctx, 1, leads)
    return ctx, apikeys.create(ctx, "crm", "test", limit=factories.UNLIMITED)[1]


def create(ctx: Ctx, first: int, count: int) -> None:
    for number in range(first, first + count):
        service.create(ctx, factories.draft(number, tags=("vip",) if number % 3 else ()))


def consumed(world: World, token: str) -> list[str]:
    """What each list consumed; the first call opens the window of the key."""
    answers = [
        world.http("GET", f"/api/v1/leads{asked}", {"authorization": f"Bearer {token}"}) for asked in ("", *LISTS)
    ]
    assert {answer.status for answer in answers} == {200}
    return [answer.headers["x-leadwire-capacity"] for answer in answers[1:]]


def test_another_tenants_import_changes_neither_units_nor_round_trips_of_a_list(world: World) -> None:
    _, quiet = tenant(world, "quiet", 30)
    busy, _ = tenant(world, "busy", 0)
    world.advance(minutes=1)
    before = consumed(world, quiet)
    create(busy, 1, 200)
    assert consumed(world, quiet) == before, "200 leads of the import are pending"
    world.settle()
    create(busy, 201, 100)
    assert consumed(world, quiet) == before, "200 are indexed, 100 are pending"
    world.advance(minutes=1)
    assert consumed(world, quiet) == before, "all of it is at rest"
