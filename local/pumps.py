"""Threads that run a world's stations while a server serves: one each, asleep until there is something to do.

A queue's thread takes batches and hands them to a few workers, so that a slow receiver of webhooks does not hold up the
others. A stream's thread lets a moment pass after each wake-up and each batch: what is written meanwhile goes with the
next batch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from .consumers import QueuePump
from .queues import Received
from .world import Station, World

IDLE = 1.0
"""Seconds after which a sleeping thread looks anyway: another process may have written to the file."""
LINGER = 0.02
"""Seconds for which the stream's records gather, at least; at 300 leads a second it makes one batch out of six."""
RESTS = 3
"""A stream's thread rests so many times as long as it worked: in a crowd its batches get larger, and cost less."""
LONGEST_REST = 0.25
MOST_WORKERS = 8
"""Batches of one queue at once; more would only wait for Python's lock."""
PATIENCE = 5.0
"""Seconds that `stop` waits for work under way. What is cut off then is taken up again by the next process."""

_log = logging.getLogger("leadwire.local")


class Pumps:
    """Make one, `start` it, and `stop` it before the world is closed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._wakes: list[threading.Event] = []
        self._threads: list[threading.Thread] = []
        self._pools: list[tuple[ThreadPoolExecutor, threading.Semaphore, int]] = []

    def start(self) -> None:
        world = self._world
        world.queues.recover()
        consumers = {pump.mapping.name: pump for pump in world.consumers}
        streams = {pump.name for pump in world.streams}
        for station in world.stations:
            wake = threading.Event()
            if station.name in consumers:
                pump = consumers[station.name]
                world.queues.wake[pump.mapping.queue] = wake.set
                self._spawn(station, wake, self._dispatcher(pump))
            elif station.name in streams:
                world.database.after_commit.append(wake.set)
                self._spawn(station, wake, station.step, LINGER)
            else:
                world.queues.wake[station.name] = wake.set
                self._spawn(station, wake, station.step)

    def stop(self) -> bool:
        """End the threads. False if one is still at work after PATIENCE; the database must not be closed then."""
        self._stopping.set()
        for wake in self._wakes:
            wake.set()
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        at_rest = not any(thread.is_alive() for thread in self._threads)
        for pool, free, workers in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
            at_rest &= all(free.acquire(timeout=max(0.0, until - time.monotonic())) for _ in range(workers))
        self._world.database.after_commit.clear()
        self._world.queues.wake.clear()
        return at_rest

    def _spawn(self, station: Station, wake: threading.Event, step: Callable[[], bool], linger: float = 0.0) -> None:
        thread = threading.Thread(target=self._run, args=(station, wake, step, linger), name=station.name, daemon=True)
        self._wakes.append(wake)
        self._threads.append(thread)
        thread.start()

    def _run(self, station: Station, wake: threading.Event, step: Callable[[], bool], linger: float) -> None:
        while not self._stopping.is_set():
            wake.clear()
            started = time.monotonic()
            try:
                if step():
                    self._rest(linger, time.monotonic() - started)
                    continue
                due = station.due()
                pause = IDLE if due is None else min(IDLE, max(0.001, due / 1000 - self._world.clock()))
            except Exception:  # noqa: BLE001  # a thread that dies would stop this part of the cloud
                _log.exception("%s stumbled, and goes on in a second", station.name)
                pause = IDLE
            if wake.wait(pause):
                time.sleep(linger)

    def _rest(self, linger: float, worked: float) -> None:
        if linger:
            self._stopping.wait(min(max(linger, RESTS * worked), LONGEST_REST))

    def _dispatcher(self, pump: QueuePump) -> Callable[[], bool]:
        """A step that takes one batch and returns while a worker works on it; it waits while all of them are busy."""
        workers = min(pump.mapping.concurrency, MOST_WORKERS)
        free = threading.Semaphore(workers)
        pool = ThreadPoolExecutor(workers, thread_name_prefix=pump.mapping.name)
        self._pools.append((pool, free, workers))

        def work(batch: Sequence[Received]) -> None:
            try:
                pump.work(batch)
            except Exception:  # noqa: BLE001  # the batch is in the queue still
                _log.exception("%s stumbled over a batch, which is tried again", pump.mapping.name)
            finally:
                free.release()

        def step() -> bool:
            if not free.acquire(timeout=IDLE):
                return True
            batch = pump.take()
            if not batch:
                free.release()
                return False
            pool.submit(work, batch)
            return True

        return step
