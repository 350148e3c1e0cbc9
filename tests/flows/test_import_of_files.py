"""`leadwire import` as a real process: killed at any moment and started again, and beside a server that works on it.

The points are drawn from a seed as numbers of stored leads; where in the next step the process is then, chance decides.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leadwire import keys, tenants
from leadwire.context import Tenant, iso
from leadwire.leads import rebuild
from leadwire.store.types import Item, Query
from local.clock import Clock
from local.world import World
from tests import factories, invariants
from tests.flows.business import WEBHOOKS
from tests.process import ROOT, Server
from tests.unit.webhooks.conftest import Receiver, receiver

__all__ = ["receiver"]

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]

SEED = 4
ROWS = 600
KILLS = 3
LEADS = 60
"""Beside a server."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The database that the commands work on."""
    world = World(ROOT, data=tmp_path / "leadwire.db", clock=Clock.real())
    yield world
    world.close()


def written(folder: Path) -> Path:
    """Every fiftieth row is refused, every thirtieth is merged into the first of all."""
    path = folder / "leads.csv"
    with path.open("w") as file:
        file.write("First Name,Email,Notes\n")
        for number in range(1, ROWS + 1):
            email = "nobody" if number % 50 == 0 else f"ada{1 if number % 30 == 0 else number}@example.com"
            file.write(f"Ada,{email},row {number}.\n")
    return path


def command(data: Path, *words: str, tenant: str = "acme") -> list[str]:
    return [sys.executable, "-c", "from cli.main import app; app()", "--data", str(data), *words, "--tenant", tenant]


def run(data: Path, *words: str, tenant: str = "acme") -> Any:
    """The answer of a command that runs to its end."""
    done = subprocess.run(
        command(data, *words, "--json", tenant=tenant), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def killed(data: Path, over: Callable[[int], bool], *words: str) -> bool:
    """Start the command and kill it when it is over with so many stored leads. Whether it was still at work then."""
    with closing(sqlite3.connect(data / "leadwire.db")) as database:
        process = subprocess.Popen(command(data, *words), cwd=ROOT, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            (stored,) = database.execute("SELECT count(*) FROM items WHERE sk = 'LEAD'").fetchone()
            if over(stored):
                process.kill()
                break
        return process.wait() < 0


def test_an_import_and_its_undo_that_are_killed_again_and_again_treat_each_row_once(
    world: World, tmp_path: Path
) -> None:
    tenant, path, points = factories.tenant(world.ports, "acme"), written(tmp_path), random.Random(SEED)
    merged, refused = len([n for n in range(1, ROWS + 1) if n % 30 == 0 and n % 50]), ROWS // 50
    for target in sorted(points.sample(range(1, ROWS - 200), KILLS)):
        assert killed(tmp_path, target.__le__, "import", str(path))
    found = run(tmp_path, "import", str(path))
    counts = {name: found[name] for name in ("created", "merged", "refused")}
    assert counts == {"created": ROWS - merged - refused, "merged": merged, "refused": refused}
    leads = factories.leads(world.engine)
    assert len({lead["email"] for lead in leads}) == len(leads) == counts["created"]
    assert len(leads[0]["notes"].splitlines()) == 1 + merged
    assert len((tmp_path / "leads.errors.csv").read_text().splitlines()) == 1 + refused
    assert len(journal(world, tenant)) == counts["created"] + merged
    invariants.check(world.engine)
    assert killed(tmp_path, (counts["created"] // 2).__ge__, "import", "--undo", found["import"])
    undone = run(tmp_path, "import", "--undo", found["import"])
    assert undone["removed"] + undone["gone_before"] == counts["created"]
    assert factories.leads(world.engine) == []
    assert len(journal(world, tenant)) == 2 * counts["created"] + merged
    invariants.check(world.engine)


def test_beside_a_server_leads_are_listed_at_once_then_indexed_and_told(tmp_path: Path, receiver: Receiver) -> None:
    home, path = tmp_path / "home", tmp_path / "leads.csv"
    server = Server(home)
    server.wait()
    assert server.request("POST", WEBHOOKS, "public", {"eventType": "LEAD_CREATED", "url": receiver.url}).ok
    path.write_text("Email\n" + "".join(f"ada{number}@example.com\n" for number in range(LEADS)))
    assert run(home, "import", str(path), tenant="demo")["created"] == LEADS
    listed = server.request("GET", "/api/v1/leads?search=ada59&per_page=1", "crm").json()
    assert [lead["email"] for lead in listed["data"]] == ["ada59@example.com"]
    assert server.end() == 0
    world = reopened(home)
    world.queues.recover()
    world.advance(minutes=10)
    demo = factories.ctx(world.ports, tenants.by_slug(world.ports, "demo"))
    assert list(rebuild.verify(demo, lambda *_: None)) == []
    world.close()
    assert len({json.loads(body)["leadId"] for _, body in receiver.received}) == LEADS


def reopened(home: Path) -> World:
    """The same folder in this process, with a clock that can be moved past every wait."""
    overrides = {"LEADWIRE_PRIVATE_TARGETS": "true"}
    return World(ROOT, data=home / "leadwire.db", clock=Clock(time.time()), overrides=overrides)


def journal(world: World, tenant: Tenant) -> list[Item]:
    """The events of the last two days: midnight may pass."""
    now = int(world.clock() * 1000)
    table = factories.ctx(world.ports, tenant).table
    days = {iso(now)[:10], iso(now - 86_400_000)[:10]}
    return [row for day in days for row in table.query_all(Query(keys.journal(tenant.id, day), index="g1"))]
