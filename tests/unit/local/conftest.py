"""A small stack of its own, in a folder that may be written to, and worlds made of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadwire.store.database import MEMORY, Database
from local.world import World

type Open = Callable[..., Database]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(Path(__file__).with_name("fixture"), tmp_path_factory.mktemp("stack") / "root"))


@pytest.fixture
def world(root: Path) -> Iterator[World]:
    world = World(root)
    yield world
    world.close()


@pytest.fixture
def open_database() -> Iterator[Open]:
    """Opens a database (in memory, or at a path) that is closed after the test."""
    opened: list[Database] = []

    def open_(path: str | Path = MEMORY) -> Database:
        opened.append(Database(path))
        return opened[-1]

    yield open_
    for database in opened:
        database.close()
