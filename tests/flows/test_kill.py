"""kill -9 at any moment: what was acknowledged is kept, and what is kept is told.

A process is killed while four clients create leads, several times over one folder of data. The points are drawn from a
seed as numbers of acknowledged leads; where in the work of the others the process is then, chance decides.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from leadwire import keys, tenants
from leadwire.context import iso
from leadwire.store.table import unscoped
from leadwire.store.types import Query
from local.clock import Clock
from local.world import World
from tests.flows.business import WEBHOOKS
from tests.process import PATIENCE, ROOT, Server
from tests.unit.webhooks.conftest import Receiver

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]

SEED = 2
ROUNDS = 4
CLIENTS = 4


class Clients:
    """They create leads, each with a phone of its own, until the server is gone."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self._number = 0
        self._lock = threading.Lock()
        self._more = threading.Condition()

    def run_until(self, server: Server, acknowledged: int, end: Callable[[], object]) -> None:
        """Create leads from several threads, and `end` the server when so many more are acknowledged."""
        target = len(self.acknowledged) + acknowledged
        with ThreadPoolExecutor(CLIENTS) as pool:
            for _ in range(CLIENTS):
                pool.submit(self._work, server)
            with self._more:
                arrived = self._more.wait_for(lambda: len(self.acknowledged) >= target, PATIENCE)
            end()
        assert arrived, server.said()

    def _work(self, server: Server) -> None:
        with suppress(requests.ConnectionError):
            while True:
                answer = server.request("POST", "/v1/leads", "lists", self._body(server))
                assert answer.status_code == 201, answer.text
                with self._more:
                    self.acknowledged.append(answer.json()["id"])
                    self._more.notify()

    def _body(self, server: Server) -> dict[str, Any]:
        with self._lock:
            self._number += 1
            return {
                "name": "Ann Lee",
                "phone_number": f"+1415{2000000 + self._number}",
                "list_id": server.state["list_id"],
            }


def started(home: Path) -> Server:
    server = Server(home)
    server.wait()
    return server


def reopened(home: Path) -> World:
    """The same folder in this process, with a clock that can be moved past every wait."""
    return World(
        ROOT, data=home / "leadwire.db", clock=Clock(time.time()), overrides={"LEADWIRE_PRIVATE_TARGETS": "true"}
    )


def journal(world: World) -> Counter[str]:
    """How many events the journal has of each lead, by its partition."""
    tenant = tenants.by_slug(world.ports, "demo").id
    table = unscoped(world.engine)
    now = int(world.clock() * 1000)
    days = {iso(now)[:10], iso(now - 600_000)[:10]}  # midnight may pass
    rows = [row for day in days for row in table.query_all(Query(keys.journal(tenant, day), index="g1"))]
    return Counter(row["pk"] for row in rows if row["pk"].startswith(f"T#{tenant}#LEAD#"))


def leads(world: World) -> set[str]:
    """The partitions of all leads."""
    with world.database.read() as connection:
        return {pk for (pk,) in connection.execute("SELECT pk FROM items WHERE sk = 'LEAD'")}


def numbers(receiver: Receiver) -> set[int]:
    return {int(headers["webhook-id"].rpartition("_")[2]) for headers, _ in receiver.received}


def test_no_acknowledged_lead_and_no_webhook_is_lost_when_the_process_is_killed(
    tmp_path: Path, receiver: Receiver
) -> None:
    home, clients, points = tmp_path / "home", Clients(), random.Random(SEED)
    server = started(home)
    server.request("POST", WEBHOOKS, "public", {"eventType": "LEAD_CREATED", "url": receiver.url})
    for _ in range(ROUNDS):
        clients.run_until(server, points.randint(1, 40), server.kill)
        server = started(home)
    for id_ in clients.acknowledged:
        assert server.request("GET", f"/v1/leads/{id_}", "lists").status_code == 200
    assert server.end() == 0
    _check(home, receiver, set(clients.acknowledged))


def _check(home: Path, receiver: Receiver, acknowledged: set[str]) -> None:
    world = reopened(home)
    world.queues.recover()
    world.advance(minutes=10)
    stored, written = leads(world), journal(world)
    world.close()
    told = {json.loads(text)["leadId"] for _, text in receiver.received}
    assert told >= acknowledged
    assert len(told) == len(stored)
    assert written == Counter(stored)
    assert numbers(receiver) == set(range(1, len(stored) + 1))


def test_a_server_that_is_stopped_under_load_answers_what_it_took_and_tells_it_later(
    tmp_path: Path, receiver: Receiver
) -> None:
    home, clients = tmp_path / "home", Clients()
    server = started(home)
    server.request("POST", WEBHOOKS, "public", {"eventType": "LEAD_CREATED", "url": receiver.url})
    clients.run_until(server, 20, server.end)
    assert server.said().endswith("stopped\n")
    _check(home, receiver, set(clients.acknowledged))
