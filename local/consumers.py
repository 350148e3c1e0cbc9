"""A queue to a function: batches, batching window, partial failures. Deleting what succeeded is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .clock import milliseconds
from .description import QueueMapping
from .queues import Queues, Received
from .records import message_id, queue_record
from .runtime import FunctionFailed, partial_failures


class QueuePump:
    """One event source mapping of a queue."""

    def __init__(
        self, queues: Queues, mapping: QueueMapping, invoke: Callable[[str, Any], Any], clock: Callable[[], float]
    ) -> None:
        self.mapping = mapping
        self._queues = queues
        self._invoke = invoke
        self._clock = clock

    def step(self) -> bool:
        """Take a batch and work on it. Says whether there was one."""
        batch = self.take()
        self.work(batch)
        return bool(batch)

    def take(self) -> list[Received]:
        """The next batch, which is hidden from others from now on; empty if none is due."""
        due, now = self.due(), milliseconds(self._clock)
        queue, size = self.mapping.queue, self.mapping.batch_size
        if due is None or (due > now and self._queues.ready(queue, size) < size):
            return []
        return self._queues.receive(queue, size)

    def work(self, batch: Sequence[Received]) -> None:
        """What fails stays hidden until its visibility ends, and is received again then."""
        if not batch:
            return
        names = [message_id(message) for message in batch]
        event = {"Records": [queue_record(message, self.mapping.queue) for message in batch]}
        try:
            answer = self._invoke(self.mapping.function, event)
            failed = partial_failures(answer, names) if self.mapping.partial else set()
        except FunctionFailed:
            failed = set(names)
        done = [message for message, name in zip(batch, names, strict=True) if name not in failed]
        kept = [message for message, name in zip(batch, names, strict=True) if name in failed]
        if done:
            self._queues.delete(done)
        if kept:
            self._queues.let_go(kept)

    def due(self) -> int | None:
        """When the next batch is to be taken, at the latest (epoch milliseconds); None if the queue is empty."""
        first = self._queues.due(self.mapping.queue)
        return None if first is None else first + self.mapping.window * 1000
