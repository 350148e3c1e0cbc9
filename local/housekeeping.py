"""What the cloud does by itself every minute: TTL deletions, old messages, stream records that everybody has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadwire.store.sqlite import SqliteEngine

from .clock import milliseconds
from .queues import Queues
from .stream import StreamPump

PERIOD = 60_000
"""Milliseconds. AWS deletes within days of the TTL; nothing may rely on when."""
EXPIRED_AT_ONCE = 100


class Housekeeping:
    def __init__(
        self, table: SqliteEngine, queues: Queues, streams: Sequence[StreamPump], clock: Callable[[], float]
    ) -> None:
        self._table = table
        self._queues = queues
        self._streams = streams
        self._clock = clock
        self._next = milliseconds(clock) + PERIOD

    def step(self) -> bool:
        now = milliseconds(self._clock)
        if now < self._next:
            return False
        self._next = now + PERIOD
        while self._table.expire(self._clock(), EXPIRED_AT_ONCE) == EXPIRED_AT_ONCE:
            pass
        self._queues.forget()
        if self._streams:
            for pump in self._streams:
                pump.save()
            self._table.trim_stream(min(pump.position.cursor for pump in self._streams) + 1)
        return True

    def due(self) -> int:
        return self._next
