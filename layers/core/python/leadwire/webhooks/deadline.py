"""The end of an exchange, whatever the thread that makes it is waiting for. One thread watches all of them.

Timeouts of sockets count from the last byte, so a receiver that sends one byte now and then would hold us for ever.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Deadline:
    """Shuts the watched sockets down when the time is up.

    The watch is on a duplicate of the descriptor: TLS takes the original away.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.ends = time.monotonic() + seconds
        self._watched: list[socket.socket] = []
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _watchdog().add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._over = True
            for watched in self._watched:
                watched.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> None:
        with self._lock:
            self._watched.append(connection.dup())

    def left(self) -> float:
        return self.ends - time.monotonic()

    def expire(self) -> None:
        """For the watchdog. Nothing if the exchange is over."""
        with self._lock:
            self.expired = not self._over
            for watched in self._watched:
                try:
                    watched.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # not connected yet: its own timeout ends it


class Watchdog:
    """A thread that is there from the first deadline on, and asleep until the next one ends."""

    def __init__(self) -> None:
        self._ends: list[tuple[float, int, Deadline]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="webhook deadlines", daemon=True).start()

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            heapq.heappush(self._ends, (deadline.ends, next(self._order), deadline))
            if self._ends[0][2] is deadline:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self._next().expire()

    def _next(self) -> Deadline:
        with self._changed:
            while True:
                pause = self._ends[0][0] - time.monotonic() if self._ends else None
                if pause is not None and pause <= 0:
                    return heapq.heappop(self._ends)[2]
                self._changed.wait(pause)


_making = threading.Lock()


@functools.cache
def _made() -> Watchdog:
    return Watchdog()


def _watchdog() -> Watchdog:
    with _making:  # of two first attempts at once, one makes it
        return _made()
