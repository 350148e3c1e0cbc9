"""Deliveries a second and latency of one worker process, ours and Celery's, in the same run: `make bench-webhooks`.

Each worker has one CPU; the receiver, Redis and this driver share the other. A burst is put into the queue of a waiting
worker and the receiver counts; then a steady trickle, slower than the slowest of them can do, tells the latency of
first attempts, from the queue to the receiver's socket.
Both tables are in memory: Redis without disk, ours on a memory disk.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers/core/python")]

from bench.webhooks import cost, fairness, jobs  # noqa: E402  # the repository is not installed everywhere

PEER = ROOT / ".tools" / "bench" / "bin"
DELAYS = (5, 50, 500)
TRICKLE_SECONDS = 8.0
WORKER_CPU, OTHER_CPU = "0", "1"
GEVENT_POOLS = (50, 100, 200)
TOGETHER = (10, 1)
"""Events that the fan-out is handed at once, and so deliveries to a message: under load, and one by one."""
COSTED = (1, 10, 100)
"""Deliveries to an invocation."""
BURST, PREFORK_BURST = 1000, {5: 400, 50: 100, 500: 12}
"""Messages: some seconds of work for the fast ones, and for the one that sends one after the other."""
LIMIT = 90.0


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    delay: int
    rate: float
    p50: float
    p99: float


def main() -> None:
    with ExitStack() as stack:
        port = stack.enter_context(receiver())
        redis = stack.enter_context(redis_server())
        results = [one for delay in DELAYS for one in at_delay(port, redis, delay)]
        show(results)
        logging.disable()
        cost.show(port, 50, COSTED)
    fairness.main()


def at_delay(port: int, redis: str, delay: int) -> Iterator[Measured]:
    """Ours and the peers take turns; of the gevent pools the one that did best is kept."""
    for n in TOGETHER:
        yield measure(f"leadwire, {n} to a message", delay, port, leadwire(n, f"{port}/{delay}"))
    yield measure("celery prefork, 1 process", delay, port, celery(redis, f"{port}/{delay}", "prefork", 1))
    gevent = [
        measure(f"celery gevent, pool {n}", delay, port, celery(redis, f"{port}/{delay}", "gevent", n))
        for n in GEVENT_POOLS
    ]
    yield max(gevent, key=lambda one: one.rate)


def measure(name: str, delay: int, port: int, start: Callable[[], Any]) -> Measured:
    with start() as put:
        burst = PREFORK_BURST[delay] if "prefork" in name else BURST
        forget(port)
        put(20)
        wait(port, 20)
        forget(port)
        began = time.time()
        put(burst)
        done = wait(port, burst)
        rate = done / (max(seen(port).values()) - began)
        forget(port)
        put_at: dict[str, float] = {}
        pace = 1.0 if delay == 500 else 10.0  # noqa: PLR2004  # what one process of prefork can keep up with
        for _ in range(round(TRICKLE_SECONDS * pace)):
            at = time.time()
            put_at |= dict.fromkeys(put(1), at)
            time.sleep(max(0.0, 1 / pace - (time.time() - at)))
        wait(port, len(put_at))
        late = sorted((came - put_at[id_]) * 1000 for id_, came in seen(port).items())
    result = Measured(name, delay, rate, statistics.median(late), late[min(len(late) - 1, int(len(late) * 0.99))])
    print(f"  {delay:4} ms  {name:36} {rate:7.1f} /s   p50 {result.p50:6.1f} ms   p99 {result.p99:6.1f} ms", flush=True)
    return result


def show(results: list[Measured]) -> None:
    print("\n| receiver | worker | deliveries/s | first attempt p50 | p99 |\n|---|---|---|---|---|")
    for one in results:
        print(f"| {one.delay} ms | {one.name} | {one.rate:.0f} | {one.p50:.0f} ms | {one.p99:.0f} ms |")
    at50 = {one.name: one.rate for one in results if one.delay == 50}  # noqa: PLR2004  # the bar's receiver
    for ours, peer in itertools.product(at50, at50):
        if ours.startswith("leadwire") and peer.startswith("celery"):
            print(f"at 50 ms: {ours} {at50[ours] / at50[peer]:.1f}x {peer}")


# --- what runs beside -------------------------------------------------------------------------------------------------


@contextmanager
def receiver() -> Iterator[int]:
    with process([sys.executable, str(HERE / "receiver.py")], OTHER_CPU) as (_, line):
        yield int(line)


@contextmanager
def redis_server() -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is missing: apt-get install redis-server")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        command = [program, "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder]
        with process(command, OTHER_CPU, "ready to accept"):
            yield path


def leadwire(together: int, target: str) -> Callable[[], Any]:
    @contextmanager
    def start() -> Iterator[Callable[[int], list[str]]]:
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108  # a memory disk
            put = jobs.of_leadwire(f"{folder}/bench.db", f"http://127.0.0.1:{target}", together)
            with process([sys.executable, str(HERE / "worker.py"), f"{folder}/bench.db"], WORKER_CPU):
                yield put

    return start


def celery(redis: str, target: str, pool: str, size: int) -> Callable[[], Any]:
    @contextmanager
    def start() -> Iterator[Callable[[int], list[str]]]:
        environment = {"BENCH_REDIS": redis}
        worker = [str(PEER / "celery"), "-A", "peer", "worker", "-P", pool, "-c", str(size), "-l", "WARNING"]
        worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        driver = [str(PEER / "python"), str(HERE / "peer_jobs.py"), f"http://127.0.0.1:{target}"]
        with (
            process(driver, OTHER_CPU, environment=environment, talk=True) as (talking, _),
            process(worker, WORKER_CPU, None, environment),
        ):

            def put(count: int) -> list[str]:
                talking.stdin.write(f"{count}\n")
                talking.stdin.flush()
                ids: list[str] = json.loads(talking.stdout.readline())
                return ids

            yield put

    return start


@contextmanager
def process(
    command: list[str],
    cpu: str,
    ready: str | None = "",
    environment: dict[str, str] | None = None,
    *,
    talk: bool = False,
) -> Iterator[tuple[Any, str]]:
    """A process on one CPU, once a line of it holds `ready` (None: not waited for)."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers/core/python")))
    full = {**os.environ, "PYTHONPATH": path, **(environment or {})}
    running = subprocess.Popen(
        ["taskset", "-c", cpu, *command],
        cwd=HERE,
        env=full,
        stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
        stdout=subprocess.PIPE if ready is not None else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    line = ""
    try:
        if ready is not None:
            line = next(line for line in iter(running.stdout.readline, "") if ready in line)  # type: ignore[union-attr]
        yield running, line.strip()
    finally:
        running.terminate()
        running.wait(20)


# --- the receiver's memory --------------------------------------------------------------------------------------------


def _ask(port: int, path: str = "/", method: str = "GET") -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
        return bytes(answer.read())


def forget(port: int) -> None:
    _ask(port, method="DELETE")


def seen(port: int) -> dict[str, float]:
    found: dict[str, float] = json.loads(_ask(port, "/seen"))
    return found


def wait(port: int, count: int) -> int:
    ends = time.time() + LIMIT
    while (came := int(_ask(port))) < count and time.time() < ends:
        time.sleep(0.05)
    return came


if __name__ == "__main__":
    main()
