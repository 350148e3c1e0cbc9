"""SQS on SQLite: visibility, delay, receive counts, redrive, and fair order between the groups of a queue.

Messages are rows of the same file as the table, so sending one is durable when the call returns, and several changes
can be one transaction. A consumer that dies leaves its messages hidden until their visibility ends, as on AWS, or until
`recover` is called by the next process.

Source: Amazon SQS Developer Guide, "Visibility timeout", "Dead-letter queues", "Fair queues", "Quotas".
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from leadwire.ports import Message
from leadwire.store.database import Database

from .clock import milliseconds
from .description import Queue

LARGEST_MESSAGE = 1_048_576
LONGEST_DELAY = 900
SCHEMA = (
    """CREATE TABLE IF NOT EXISTS queue_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, grp TEXT NOT NULL, body TEXT NOT NULL,
    sent INTEGER NOT NULL, visible INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0, first INTEGER,
    held INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX IF NOT EXISTS queue_messages_due ON queue_messages (queue, visible)",
    "CREATE INDEX IF NOT EXISTS queue_messages_fair ON queue_messages (queue, grp, visible, id)",
)
"""Times are epoch milliseconds; `held` is 1 while a consumer of this process works on the message."""
_COLUMNS = "id, grp, body, sent, received, coalesce(first, 0)"


class InvalidMessage(Exception):
    """SQS refuses the call: the message is empty or too large, its delay is out of range, or there is no such queue."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a consumer has it; `received` counts receptions, times are epoch milliseconds."""

    id: int
    group: str
    body: str
    sent: int
    received: int
    first: int


class Queues:
    """All queues of a stack. `wake` maps a queue to what shall be called when a message was sent to it."""

    def __init__(self, database: Database, specs: Mapping[str, Queue], clock: Callable[[], float]) -> None:
        self.wake: dict[str, Callable[[], None]] = {}
        self._database = database
        self._specs = specs
        self._clock = clock
        self._served: dict[str, str] = {}
        self._refusals = 0
        with database.write() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    @property
    def names(self) -> list[str]:
        return [*self._specs]

    def send(self, queue: str, messages: Sequence[Message]) -> list[Message]:
        """Returns the messages that were refused (see `refuse`); the others are stored. Raises InvalidMessage."""
        refused = list(messages[: self._refusals])
        self._refusals -= len(refused)
        with self._database.write() as connection:
            self.insert(connection, queue, messages[len(refused) :])
        self.notify(queue)
        return refused

    def insert(self, connection: sqlite3.Connection, queue: str, messages: Sequence[Message]) -> None:
        """Send within the caller's transaction; call `notify` after it."""
        spec, now = self._spec(queue), milliseconds(self._clock)
        rows = [
            (queue, message.group, _checked(message).body, now, now + (message.delay or spec.delay) * 1000)
            for message in messages
        ]
        connection.executemany(
            "INSERT INTO queue_messages (queue, grp, body, sent, visible) VALUES (?, ?, ?, ?, ?)", rows
        )

    def notify(self, queue: str) -> None:
        if wake := self.wake.get(queue):
            wake()

    def refuse(self, count: int) -> None:
        """For tests: refuse the next `count` messages, as SQS does under internal errors."""
        self._refusals = count

    def receive(self, queue: str, limit: int) -> list[Received]:
        """At most `limit` visible messages, hidden from now on for the visibility of the queue.

        Groups take turns, each gives its oldest first. What was received too often goes to the dead letters instead.
        """
        spec, now = self._spec(queue), milliseconds(self._clock)
        due = self.due(queue)
        if due is None or due > now:
            return []
        with self._database.write() as connection:
            chosen = self._choose(connection, queue, now, limit)
            if spec.dead_letters:
                _redrive(connection, spec, chosen, now)
            found = connection.execute(
                f"UPDATE queue_messages SET received = received + 1, visible = ?, first = coalesce(first, ?), held = 1"  # noqa: S608  # only marks
                f" WHERE queue = ? AND id IN ({_marks(chosen)}) RETURNING {_COLUMNS}",
                (now + spec.visibility * 1000, now, queue, *chosen),
            ).fetchall()
        if spec.dead_letters:
            self.notify(spec.dead_letters)
        order = {id_: place for place, id_ in enumerate(chosen)}
        return sorted((Received(*row) for row in found), key=lambda message: order[message.id])

    def delete(self, messages: Sequence[Received]) -> None:
        """A message that was received again since then stays."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM queue_messages WHERE id = ? AND received = ?",
                [(message.id, message.received) for message in messages],
            )

    def let_go(self, messages: Sequence[Received], visible: int | None = None) -> None:
        """The consumer has failed: the messages stay hidden until their time, or until `visible` (milliseconds)."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE queue_messages SET held = 0, visible = coalesce(?, visible) WHERE id = ? AND received = ?",
                [(visible, message.id, message.received) for message in messages],
            )

    def recover(self) -> None:
        """At the start of a process: what its predecessor was working on is visible again. Receptions still count."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE queue_messages SET held = 0, visible = min(visible, ?) WHERE held = 1",
                (milliseconds(self._clock),),
            )

    def due(self, queue: str) -> int | None:
        """When the next message of the queue is, or was, visible; None if the queue is empty."""
        with self._database.read() as connection:
            row = connection.execute("SELECT min(visible) FROM queue_messages WHERE queue = ?", (queue,)).fetchone()
        due: int | None = row[0]
        return due

    def ready(self, queue: str, limit: int) -> int:
        """How many messages of the queue are visible now, counted up to `limit`."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT 1 FROM queue_messages WHERE queue = ? AND visible <= ? LIMIT ?",
                (queue, milliseconds(self._clock), limit),
            ).fetchall()
        return len(rows)

    def waiting(self, queue: str, limit: int = 1000) -> list[Received]:
        """Messages of the queue, visible or not, oldest first; receives none."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM queue_messages WHERE queue = ? ORDER BY id LIMIT ?",  # noqa: S608  # constant
                (queue, limit),
            ).fetchall()
        return [Received(*row) for row in rows]

    def forget(self) -> None:
        """Delete what is older than its queue keeps messages."""
        now = milliseconds(self._clock)
        with self._database.write() as connection:
            for spec in self._specs.values():
                connection.execute(
                    "DELETE FROM queue_messages WHERE queue = ? AND sent < ?", (spec.name, now - spec.retention * 1000)
                )

    def _spec(self, queue: str) -> Queue:
        if queue not in self._specs:
            raise InvalidMessage(f"there is no queue {queue}")
        return self._specs[queue]

    def _choose(self, connection: sqlite3.Connection, queue: str, now: int, limit: int) -> list[int]:
        """Ids of due messages, dealt round-robin to their groups from the one after the last that was served."""
        hands: list[tuple[str, list[int]]] = []
        for group in _groups(connection, queue, self._served.get(queue, "")):
            rows = connection.execute(
                "SELECT id FROM queue_messages WHERE queue = ? AND grp = ? AND visible <= ?"
                " ORDER BY visible, id LIMIT ?",
                (queue, group, now, limit),
            ).fetchall()
            if rows:
                hands.append((group, [row[0] for row in rows]))
            if len(hands) == limit:
                break
        if hands:
            self._served[queue] = hands[-1][0]
        rounds = chain.from_iterable(zip_longest(*(ids for _, ids in hands)))
        return [id_ for id_ in rounds if id_ is not None][:limit]


def _groups(connection: sqlite3.Connection, queue: str, after: str) -> Iterator[str]:
    """The groups with messages in the queue, each once, in circular order from the one that follows `after`."""
    for low, high in ((after, None), ("", after)):
        group, first = low, high is not None
        while True:
            compare = ">=" if first else ">"
            row = connection.execute(
                f"SELECT min(grp) FROM queue_messages WHERE queue = ? AND grp {compare} ?",  # noqa: S608  # constant
                (queue, group),
            ).fetchone()
            first = False
            if row[0] is None or (high is not None and row[0] > high):
                break
            group = row[0]
            yield group


def _redrive(connection: sqlite3.Connection, spec: Queue, ids: Sequence[int], now: int) -> None:
    connection.executemany(
        "UPDATE queue_messages SET queue = ?, visible = ?, held = 0 WHERE received >= ? AND id = ?",
        [(spec.dead_letters, now, spec.max_receives, id_) for id_ in ids],
    )


def _marks(ids: Sequence[int]) -> str:
    return ",".join("?" * len(ids))


def _checked(message: Message) -> Message:
    if not message.body or len(message.body.encode()) > LARGEST_MESSAGE:
        raise InvalidMessage(f"a message has 1 to {LARGEST_MESSAGE} bytes, not {len(message.body.encode())}")
    if not 0 <= message.delay <= LONGEST_DELAY or not isinstance(message.delay, int):
        raise InvalidMessage(f"a delay has 0 to {LONGEST_DELAY} whole seconds, not {message.delay}")
    return message
