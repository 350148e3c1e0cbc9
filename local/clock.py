"""The time of the embedded cloud: the machine's, or one that only tests and `World.advance` move."""

from __future__ import annotations

import time
from collections.abc import Callable

START = 1_780_000_000.0
"""Where a movable clock starts: 2026-05-28T20:26:40Z, in epoch seconds."""


class Clock:
    """Call it for epoch seconds. `Clock()` can be moved and stands still otherwise; `Clock.real()` is the machine's."""

    def __init__(self, now: float | None = START) -> None:
        self._now = now

    @classmethod
    def real(cls) -> Clock:
        return cls(None)

    def __call__(self) -> float:
        return time.time() if self._now is None else self._now

    def move(self, to: float) -> None:
        """Set a movable clock to `to`, which is not before now."""
        if self._now is None or to < self._now:
            raise ValueError("only a movable clock moves, and only forwards")
        self._now = to


def milliseconds(clock: Callable[[], float]) -> int:
    return int(clock() * 1000)


def seconds(milliseconds: int) -> float:
    """The first moment at which `milliseconds` of a clock gives this number, whatever floats do."""
    return milliseconds / 1000 + 1e-6
