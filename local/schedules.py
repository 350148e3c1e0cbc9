"""Rules with a rate: what is due becomes an asynchronous invocation, in the transaction that sets the next time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from leadwire.store.database import Database

from .bus import dispatch, envelope
from .clock import milliseconds
from .description import Schedule
from .queues import Queues

SCHEMA = "CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, next INTEGER NOT NULL)"
"""`next` is epoch milliseconds."""


class Schedules:
    """A schedule first runs one period after it was first seen, and after a pause runs once, however long it was."""

    def __init__(
        self, database: Database, queues: Queues, schedules: Sequence[Schedule], clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._queues = queues
        self._schedules = schedules
        self._clock = clock
        now = milliseconds(clock)
        with database.write() as connection:
            connection.execute(SCHEMA)
            connection.executemany(
                "INSERT INTO schedules VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(schedule.name, now + schedule.every * 1000) for schedule in schedules],
            )
            self._next: dict[str, int] = dict(connection.execute("SELECT name, next FROM schedules"))

    def step(self) -> bool:
        """Run what is due. Says whether anything was."""
        now = milliseconds(self._clock)
        due = [schedule for schedule in self._schedules if self._next[schedule.name] <= now]
        for schedule in due:
            self._run(schedule, now)
        return bool(due)

    def due(self) -> int | None:
        """When the next one is due, in epoch milliseconds."""
        return min((self._next[schedule.name] for schedule in self._schedules), default=None)

    def _run(self, schedule: Schedule, now: int) -> None:
        event = envelope(schedule.source, "Scheduled Event", self._clock()) | {"detail": {}}
        following = self._next[schedule.name] + schedule.every * 1000
        if following <= now:
            following = now + schedule.every * 1000
        with self._database.write() as connection:
            reached = {dispatch(connection, self._queues, target, json.dumps(event)) for target in schedule.targets}
            connection.execute("UPDATE schedules SET next = ? WHERE name = ?", (following, schedule.name))
        self._next[schedule.name] = following
        for queue in reached:
            self._queues.notify(queue)
