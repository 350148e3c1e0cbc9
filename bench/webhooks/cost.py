"""What a million deliveries cost on AWS: measured capacity and duration, times list prices of us-east-1 (2026-11).

Capacity is counted from item sizes by AWS's rules, on an engine that counts; the duration of an invocation is measured
here against the receiver, so on Lambda's 0.3 vCPU at 512 MB a batch takes longer by its CPU share. SQS: ten deliveries
to a message, ten messages to a send, and one receive and one delete an invocation. Not in it: EventBridge, the stream,
data transfer.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from typing import Any

from bench.webhooks import jobs
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Consumed
from local.records import queue_record

WRU, RRU = 0.625e-6, 0.125e-6
SQS_REQUEST = 0.4e-6
GB_SECOND, INVOCATION = 0.0000133334, 0.2e-6
GB = 0.5
MILLION = 1_000_000
QUEUE = "DeliveriesQueue"


class Counting(FaultyEngine):
    """Adds up what its requests consume."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.consumed = Consumed()
        self._lock = threading.Lock()

    def _pass(self, request: Callable[[], Any]) -> Any:
        answer = super()._pass(request)
        with self._lock:
            self.consumed.add(answer[-1] if isinstance(answer, tuple) else answer)
        return answer


def show(port: int, delay: int, batches: tuple[int, ...], rounds: int = 10) -> None:
    print(f"\nCost of a million deliveries to a receiver of {delay} ms:\n")
    print("| at once | DynamoDB | Lambda | SQS | together | ms an invocation |\n|---|---|---|---|---|---|")
    for batch in batches:
        with ExitStack() as stack:
            units, seconds = _measured(stack, f"http://127.0.0.1:{port}/{delay}", batch, rounds)
        table = (units.wru * WRU + units.rru * RRU) * MILLION
        compute = (seconds * GB * GB_SECOND + INVOCATION) / batch * MILLION
        queue = 3 / batch * SQS_REQUEST * MILLION
        print(
            f"| {batch} | ${table:.2f} ({units.wru:.1f} WRU, {units.rru:.1f} RRU each) | ${compute:.2f} | ${queue:.2f}"
            f" | ${table + compute + queue:.2f} | {seconds * 1000:.0f} |"
        )


def _measured(stack: ExitStack, url: str, batch: int, rounds: int) -> tuple[Consumed, float]:
    """Units of a delivery from its birth to its success, and seconds of an invocation."""
    world = jobs.world_in(stack)
    counting = world.engine = Counting(world.engine)
    put = jobs.of_world(world, url)
    counting.consumed = Consumed()
    seconds = 0.0
    for _ in range(rounds):
        put(batch)
        messages = world.queues.receive(QUEUE, 10)
        event = {"Records": [queue_record(message, QUEUE) for message in messages]}
        started = time.perf_counter()
        with redirect_stdout(io.StringIO()):  # its metrics
            world.invoke("DeliverWebhooks", event)
        seconds += time.perf_counter() - started
        world.queues.delete(messages)
    made, all_ = rounds * batch, counting.consumed
    return Consumed(rru=all_.rru / made, wru=all_.wru / made), seconds / rounds
