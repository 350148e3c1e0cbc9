"""What every engine of the table answers: `dynamodb.py`, `sqlite.py`, and `faults.py`, which makes another fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from .types import Consumed, Delete, Item, Key, Page, Put, Query, TransactWrite, Write


class Engine(ABC):
    """One table. Each method is one request to DynamoDB: no retries, no paging, partial answers handed on.

    The last value of each answer is the consumed capacity; a refused condition sets `consumed` on the exception.
    """

    def open(self) -> None:  # noqa: B027  # most engines have nothing to do
        """Make ready what the first request would otherwise wait for."""

    def concurrently[Result](self, calls: Sequence[Callable[[], Result]], *, writes: bool) -> list[Result]:
        """Run independent calls and return their results in order: side by side where that saves waiting.

        `writes` says that the calls write; an engine may then commit them together, but each stands for itself.
        """
        del writes
        return [call() for call in calls]

    @abstractmethod
    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]: ...

    @abstractmethod
    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        """At most 100 distinct keys. Items in no order, and the keys that were left unprocessed."""

    @abstractmethod
    def query(self, query: Query) -> tuple[Page, Consumed]: ...

    @abstractmethod
    def write(self, op: Write) -> tuple[Item | None, Consumed]:
        """One put (None), update (the item after it) or delete (the item before it)."""

    @abstractmethod
    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        """All or nothing, at most 100 operations on distinct items, 4 MB."""

    @abstractmethod
    def batch_write(self, ops: Sequence[Put | Delete]) -> tuple[list[Put | Delete], Consumed]:
        """At most 25 operations without conditions on distinct items; those left unprocessed come back."""
