"""Requests a second and latencies of the embedded Leadwire over HTTP, with its pumps at work: `make bench-http`.

A server of its own on a fresh database (nothing of .leadwire is touched), one and eight clients with a kept connection
each, in another process than the server. The rate limit of the demo key is lifted first.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadwire import apikeys, tenants
from leadwire.ports import Ports
from local.world import World

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 20
UNLIMITED = 10**9

type Send = Callable[[http.client.HTTPConnection], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="requests of each measurement")
    wanted = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (port, state):
        print(f"{'operation':24} {'clients':>7} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7}")
        for name, send in (("create a lead (crm)", create(state)), ("get a lead (crm)", get(state))):
            for clients in (1, 8):
                times, seconds = measure(port, send, clients, wanted)
                centiles = statistics.quantiles(times, n=100)
                print(f"{name:24} {clients:7} {len(times) / seconds:7.0f} {centiles[49]:7.2f} {centiles[98]:7.2f}")


def create(state: dict[str, Any]) -> Send:
    body = json.dumps({"first_name": "Ann", "last_name": "Lee", "source": "bench"})
    return lambda connection: call(connection, "POST", "/api/v1/leads", state["key"], body)


def get(state: dict[str, Any]) -> Send:
    return lambda connection: call(connection, "GET", "/api/v1/leads/1", state["key"])


def call(connection: http.client.HTTPConnection, method: str, path: str, key: str, body: str | None = None) -> int:
    connection.request(method, path, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def measure(port: int, send: Send, clients: int, wanted: int) -> tuple[list[float], float]:
    """Milliseconds of each request, and the seconds that all took."""

    def one(_: int) -> list[float]:
        connection, times = http.client.HTTPConnection("127.0.0.1", port), []
        for _ in range(wanted // clients):
            start = time.perf_counter()
            status = send(connection)
            times.append((time.perf_counter() - start) * 1000)
            if status not in (200, 201):
                raise SystemExit(f"the server answered {status}")
        return times

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = [each for part in pool.map(one, range(clients)) for each in part]
    return times, time.perf_counter() - start


@contextmanager
def served(home: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The port of a server on a fresh database, and `key` of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    world = World(ROOT, data=str(home / "leadwire.db"))
    key = unlimited(world.ports)
    world.close()
    command = [sys.executable, "-m", "local", "--home", str(home), "serve"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PORT": str(port)}, stdout=log, stderr=log)
    try:
        end = time.monotonic() + READY_SECONDS
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > end or server.poll() is not None:
                raise SystemExit(f"no server: {(home / 'log').read_text()}")
            time.sleep(0.05)
        yield port, {"key": key}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def unlimited(ports: Ports) -> str:
    ctx = tenants.operate(ports, tenants.create(ports, "bench", "Bench"), "bench")
    return apikeys.create(ctx, "crm", "bench", limit=UNLIMITED)[1]


if __name__ == "__main__":
    main()
