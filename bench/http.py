"""Latencies and requests a second of the embedded Leadwire over HTTP, with its pumps at work: `make bench-http`.

A server of its own on a fresh database (nothing of .leadwire is touched), a key without a limit, and clients that are
processes of their own (client.py). It prints, and judges by the bars of issue 2; it never fails.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadwire import apikeys, tenants
from leadwire.ports import Ports
from local.world import World

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 20
UNLIMITED = 10**9


@dataclass(frozen=True, slots=True)
class Case:
    """What to measure, and its bar: milliseconds at p50, or requests a second; None if it has none."""

    title: str
    operation: str
    clients: int
    most_ms: float | None = None
    least_per_second: float | None = None


CASES = (
    Case("create a lead", "create", 1, most_ms=8),
    Case("create a lead", "create", 8, least_per_second=300),
    Case("get a lead", "get", 1, most_ms=3),
    Case("get a lead", "get", 8),
    Case("list, default page", "list", 1),
    Case("list, default page", "list", 8),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    seconds = parser.parse_args().seconds
    print(machine())
    print(f"{'operation':20} {'clients':>7} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7}  bar")
    seeds = itertools.count(1)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (port, key):
        for case in CASES:
            times = measure(port, key, case, seconds, seeds)
            per_second, centiles = len(times) / seconds, statistics.quantiles(times, n=100)
            p50, p99 = centiles[49], centiles[98]
            row = f"{case.title:20} {case.clients:7} {per_second:7.0f} {p50:7.2f} {p99:7.2f}"
            print(f"{row}  {verdict(case, p50, per_second)}", flush=True)


def machine() -> str:
    python, load = platform.python_version(), os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {python}; load {load:.1f} before"


def verdict(case: Case, p50: float, per_second: float) -> str:
    if case.most_ms is not None:
        return f"p50 ≤ {case.most_ms:g} ms: {'passed' if p50 <= case.most_ms else 'MISSED'}"
    if case.least_per_second is not None:
        return f"≥ {case.least_per_second:g}/s: {'passed' if per_second >= case.least_per_second else 'MISSED'}"
    return ""


def measure(port: int, key: str, case: Case, seconds: float, seeds: Iterator[int]) -> list[float]:
    """Milliseconds of every request of all clients, which begin together."""
    arguments = [str(port), key, case.operation]
    clients = [_client([*arguments, str(next(seeds)), str(seconds)]) for _ in range(case.clients)]
    for client in clients:
        if client.stdout.readline() != "ready\n":
            raise SystemExit("a client has failed")
    for client in clients:
        client.stdin.write("\n")
        client.stdin.flush()
    return [each for client in clients for each in json.loads(client.communicate()[0])]


def _client(arguments: list[str]) -> Any:
    command = [sys.executable, "-m", "bench.client", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def served(home: Path) -> Iterator[tuple[int, str]]:
    """The port of a server on a fresh database, and a key of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    world = World(ROOT, data=home / "leadwire.db")
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
        yield port, key
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def unlimited(ports: Ports) -> str:
    ctx = tenants.operate(ports, tenants.create(ports, "bench", "Bench"), "bench")
    return apikeys.create(ctx, "crm", "bench", limit=UNLIMITED)[1]


if __name__ == "__main__":
    main()
