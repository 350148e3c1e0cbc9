"""Group commit: attempts that end while others are being written down are written next, together.

The thread that comes first writes, for all that have come meanwhile; the others wait for their own result. Nobody waits
for an attempt that is still under way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import accumulate

from .attempts import Made
from .model import Delivery, Webhook
from .record import Recorded

MOST, MOST_BYTES = 30, 3_500_000
"""Attempts of one transaction: three writes each at most, and the endpoint's; DynamoDB takes 100, and items of 4 MB."""

type Write = Callable[[Webhook, Sequence[Made]], Recorded]
type Waiting = tuple[Made, Future[Delivery | None]]


class Ledger:
    """Of one endpoint, which it knows as it was last seen."""

    def __init__(self, webhook: Webhook, write: Write) -> None:
        self._webhook = webhook
        self._write = write
        self._waiting: list[Waiting] = []
        self._busy = False
        self._lock = threading.Lock()

    def record(self, made: Made) -> Delivery | None:
        """What `write` answers for this attempt. Raises what it raises, to all of the same group."""
        result: Future[Delivery | None] = Future()
        with self._lock:
            self._waiting.append((made, result))
            leads, self._busy = not self._busy, True
        while leads and (group := self._next()):
            self._settle(group)
        return result.result()

    def _next(self) -> list[Waiting]:
        with self._lock:
            most = max(1, sum(size <= MOST_BYTES for size in accumulate(map(_size, self._waiting[:MOST]))))
            group, self._waiting = self._waiting[:most], self._waiting[most:]
            self._busy = bool(group)
        return group

    def _settle(self, group: Sequence[Waiting]) -> None:
        try:
            recorded = self._write(self._webhook, [made for made, _ in group])
        except BaseException as error:  # noqa: BLE001  # handed on to every thread that waits for this group
            for _, result in group:
                result.set_exception(error)
        else:
            self._webhook = recorded.webhook
            for (_, result), one in zip(group, recorded.deliveries, strict=True):
                result.set_result(one)


def _size(waiting: Waiting) -> int:
    """Bytes that an attempt's items may have."""
    made, _ = waiting
    return len(made.delivery.body.encode()) + len(made.outcome.body.encode())
