"""An engine that fails on demand: throttles, leaves rows of batches unprocessed, is unavailable, or dies."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .engine import Engine
from .types import Consumed, Delete, Item, Key, Page, Put, Query, Throttled, TransactWrite, Unavailable, Write


class FaultyEngine(Engine):
    """Passes every request on to `engine`, unless it was told to fail it. `calls` counts the requests since the start.

    Requests are numbered from 1. Faults stay in force until they have happened or `heal` is called.
    """

    def __init__(self, engine: Engine, *, seed: int = 0) -> None:
        self.engine = engine
        self.calls = 0
        self._random = random.Random(seed)
        self.heal()

    def heal(self) -> None:
        """Forget every fault that was ordered."""
        self._throttles = 0
        self._share = 0.0
        self._unprocessed: list[int] = []
        self._before: dict[int, BaseException] = {}
        self._after: dict[int, BaseException] = {}

    def throttle_next(self, count: int) -> None:
        """Refuse the next `count` requests with Throttled."""
        self._throttles = count

    def throttle_share(self, share: float) -> None:
        """Refuse each request with Throttled with this probability (0 to 1); the seed decides which."""
        self._share = share

    def leave_unprocessed(self, *counts: int) -> None:
        """Leave the last so many rows of the next batch unprocessed, so many of the one after it, and so on."""
        self._unprocessed = list(counts)

    def fail_before(self, number: int, fault: BaseException | None = None) -> None:
        """Raise `fault` (Unavailable by default) instead of request `number`: nothing has happened."""
        self._before[number] = fault or Unavailable("a fault was ordered before the request")

    def fail_after(self, number: int, fault: BaseException | None = None) -> None:
        """Raise `fault` (Unavailable by default) in place of the answer to request `number`: it has happened."""
        self._after[number] = fault or Unavailable("a fault was ordered after the request")

    # --- the engine ---------------------------------------------------------------------------------------------------

    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]:
        return self._pass(lambda: self.engine.get(key, consistent=consistent))

    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        def request() -> tuple[list[Item], list[Key], Consumed]:
            now, later = self._split(keys)
            items, unprocessed, consumed = (
                self.engine.batch_get(now, consistent=consistent) if now else ([], [], Consumed())
            )
            return items, [*unprocessed, *later], consumed

        return self._pass(request)

    def query(self, query: Query) -> tuple[Page, Consumed]:
        return self._pass(lambda: self.engine.query(query))

    def write(self, op: Write) -> tuple[Item | None, Consumed]:
        return self._pass(lambda: self.engine.write(op))

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        return self._pass(lambda: self.engine.transact(ops))

    def batch_write(self, ops: Sequence[Put | Delete]) -> tuple[list[Put | Delete], Consumed]:
        def request() -> tuple[list[Put | Delete], Consumed]:
            now, later = self._split(ops)
            unprocessed, consumed = self.engine.batch_write(now) if now else ([], Consumed())
            return [*unprocessed, *later], consumed

        return self._pass(request)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _pass[T](self, request: Callable[[], T]) -> T:
        self.calls += 1
        if (fault := self._before.pop(self.calls, None)) is not None:
            raise fault
        if self._throttles or (self._share and self._random.random() < self._share):
            self._throttles = max(0, self._throttles - 1)
            raise Throttled("a throttle was ordered")
        answer = request()
        if (fault := self._after.pop(self.calls, None)) is not None:
            raise fault
        return answer

    def _split[T](self, rows: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
        """The rows to process, and those to leave."""
        kept = max(0, len(rows) - (self._unprocessed.pop(0) if self._unprocessed else 0))
        return rows[:kept], rows[kept:]
