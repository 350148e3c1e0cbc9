"""Every sample of events/ is one that its function can handle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.world import World

ROOT = Path(__file__).resolve().parents[2]
EVENTS = sorted(path.relative_to(ROOT / "events") for path in ROOT.glob("events/*/*.json"))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World(ROOT)
    yield world
    world.close()


@pytest.fixture(scope="module")
def state(world: World) -> dict[str, Any]:
    return demo.make(world.ports)


@pytest.mark.parametrize("sample", EVENTS, ids=str)
def test_a_sample_is_handled(world: World, state: dict[str, Any], sample: Path) -> None:
    event = json.loads(demo.fill((ROOT / "events" / sample).read_text(), state))
    (function,) = (one.name for one in world.stack.functions.values() if one.folder.name == sample.parent.name)
    answer = world.invoke(function, event)
    if "requestContext" in event:
        assert answer["statusCode"] in (404 if "unknown" in sample.stem else 200, 201)
    else:
        assert not answer.get("batchItemFailures")


def test_every_function_has_a_sample() -> None:
    assert {path.parent.name for path in EVENTS} == {path.parent.name for path in ROOT.glob("functions/*/app.py")}
