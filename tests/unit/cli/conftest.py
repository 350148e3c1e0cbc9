"""A Leadwire of its own for each test, and `leadwire …` run on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from leadwire.ports import Ports
from leadwire.settings import Settings
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine

type Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory as `make run` leaves it."""
    SqliteEngine(Database(tmp_path / "leadwire.db")).close()
    return tmp_path


@pytest.fixture
def run(data: Path) -> Run:
    def command(*words: str) -> Result:
        return CliRunner().invoke(app, ["--data", str(data), *words])

    return command


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """The command's answer under --json; it must succeed."""

    def command(*words: str) -> Any:
        result = run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return command


@pytest.fixture
def ports(data: Path) -> Iterator[Ports]:
    """The same database, as the server beside the command sees it."""
    engine = SqliteEngine(Database(data / "leadwire.db"))
    settings = Settings(table="", bus="", deliveries_queue_url="", kms_key_id="")
    yield Ports(settings, engine, None, None, None, time.time)  # type: ignore[arg-type]  # nothing here sends
    engine.close()
