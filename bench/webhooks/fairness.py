"""What tenant B feels while tenant A has 100,000 deliveries waiting for a receiver that takes five seconds.

A SIMULATION of the parts that only AWS has, with the durations that our worker was measured to take:

- a fair queue: groups with little in flight are served before one that fills the consumers (SQS fair queues, 2025);
- Lambda's polling: five environments at first, five more each second up to the mapping's maximum, ten messages at once,
  with ten of A's deliveries in each of A's and one in each of B's;
- the lane of slow receivers, as webhooks/delivery.py keeps it: from the first answer on that took a second.

`python -m bench.webhooks.fairness` measures the worker and prints the table.
"""

from __future__ import annotations

import heapq
import io
import random
import time
from collections import deque
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field

from leadwire.webhooks import batch, queue

BACKLOG = 100_000
A_TAKES = 5.0
BATCH, FIRST, PER_SECOND, MAIN = 10, 5, 5, 50
WAVES = BATCH * queue.TOGETHER / batch.CONCURRENCY
"""So often a batch of A's takes A_TAKES."""
RATE, SECONDS = 5.0, 600.0
POLL = 0.02
"""Seconds from a message that is visible to its handler, when an environment is free."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Seconds that a batch takes: to send it somewhere else, and to deliver it to a receiver of 50 ms."""

    change_lane: float
    deliver: float


@dataclass(slots=True)
class Queue:
    """Messages by tenant: arrival times of B's, a count of A's."""

    b: deque[float] = field(default_factory=deque)
    a: int = 0


def simulate(worker: Worker, *, backlog: int, lane: bool, seed: int = 1) -> list[float]:
    """Seconds that each of B's messages waits for its first attempt."""
    rng = random.Random(seed)
    arrivals = _arrivals(rng)
    queue_, waits = Queue(a=backlog // queue.TOGETHER), list[float]()
    free = [0.0] * FIRST + [(n + 1) / PER_SECOND for n in range(MAIN - FIRST)]
    heapq.heapify(free)
    slow_from = A_TAKES if lane else float("inf")
    while arrivals or queue_.b or queue_.a:
        at = heapq.heappop(free)
        if not queue_.a and not queue_.b:
            if not arrivals:
                break
            at = max(at, arrivals[0])
        while arrivals and arrivals[0] <= at:
            queue_.b.append(arrivals.popleft())
        heapq.heappush(free, at + POLL + _batch(queue_, at, worker, slow_from, waits))
        if not arrivals and not queue_.b:
            break
    return waits


def _arrivals(rng: random.Random) -> deque[float]:
    times, at = deque[float](), 0.0
    while (at := at + rng.expovariate(RATE)) < SECONDS:
        times.append(at)
    return times


def _batch(queue_: Queue, at: float, worker: Worker, slow_from: float, waits: list[float]) -> float:
    """Serve B first, fill up with A. Seconds that the environment is busy."""
    mine = [queue_.b.popleft() for _ in range(min(BATCH, len(queue_.b)))]
    waits.extend(at - arrived + POLL for arrived in mine)
    others = min(BATCH - len(mine), queue_.a)
    queue_.a -= others
    busy = [worker.deliver] if mine else []
    if others:
        busy.append(worker.change_lane if at >= slow_from else A_TAKES * WAVES)
    return max(busy, default=0.0)


def p99(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.99)]


def measured() -> Worker:
    """Our worker's own durations for ten messages, A's of ten deliveries and B's of one, on this machine."""
    from bench.webhooks import jobs  # noqa: PLC0415  # the simulation alone needs no world
    from bench.webhooks.run import receiver  # noqa: PLC0415
    from local.records import queue_record  # noqa: PLC0415

    def taken(*, slow: bool) -> float:
        world, at_once = jobs.world_in(stack), queue.TOGETHER if slow else 1
        put = jobs.of_world(world, f"http://127.0.0.1:{port}/{1100 if slow else 50}", at_once)
        put(1)
        _invoke(world, queue_record)
        put(BATCH * at_once)
        return _invoke(world, queue_record)

    with ExitStack() as stack:
        port = stack.enter_context(receiver())
        return Worker(taken(slow=True), taken(slow=False))


def _invoke(world: object, queue_record: object) -> float:
    messages = world.queues.receive("DeliveriesQueue", BATCH)  # type: ignore[attr-defined]
    records = [queue_record(message, "DeliveriesQueue") for message in messages]  # type: ignore[operator]
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()):  # its metrics
        world.invoke("DeliverWebhooks", {"Records": records})  # type: ignore[attr-defined]
    elapsed = time.perf_counter() - started
    world.queues.delete(messages)  # type: ignore[attr-defined]
    return elapsed


def main() -> None:
    worker = measured()
    changes, delivers = worker.change_lane * 1000, worker.deliver * 1000
    print(
        f"measured: {BATCH} messages of {queue.TOGETHER} change lanes in {changes:.0f} ms,"
        f" {BATCH} of one are delivered in {delivers:.0f} ms"
    )
    idle = p99(simulate(worker, backlog=0, lane=True))
    with_lane = p99(simulate(worker, backlog=BACKLOG, lane=True))
    without = p99(simulate(worker, backlog=BACKLOG, lane=False))
    print("\n| tenant B's first attempts, p99 (simulated) | wait | against idle |\n|---|---|---|")
    print(f"| idle system | {idle * 1000:.0f} ms | 1.0x |")
    print(f"| A has {BACKLOG:,} waiting | {with_lane * 1000:.0f} ms | {with_lane / idle:.1f}x |")
    print(f"| the same without the lane of slow receivers | {without * 1000:.0f} ms | {without / idle:.1f}x |")


if __name__ == "__main__":
    main()
