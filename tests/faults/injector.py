"""Stops a worker before or after any of its calls to the world: table, queue, bus, KMS, a customer's server.

    world ── Injector ──▶ engine, queue, bus, vault, sender

Calls are numbered from 1 since `arm`. A stop is a BaseException, so nothing in the workers can catch it: the invocation
is gone, as on Lambda when an environment dies, and what it had done so far stays done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest

from leadwire.ports import Bus, BusEntry, Message, Queue, Vault
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.webhooks import sender
from local.world import World

type Moment = Literal["before", "after"]


class Stopped(BaseException):
    """The worker died here."""


class Injector:
    """`calls` names what was called since it was armed, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.stopped_at = ""
        self._at: tuple[int, Moment] | None = None
        self._armed = False
        self._lock = threading.Lock()

    def arm(self, number: int, moment: Moment) -> None:
        self.calls, self._at, self._armed = [], (number, moment), True

    def disarm(self) -> None:
        self._armed = False

    def call[T](self, name: str, request: Callable[[], T]) -> T:
        with self._lock:
            if not self._armed:
                return request()
            self.calls.append(name)
            mine = len(self.calls)
            stops = [moment for moment in ("before", "after") if self._at == (mine, moment)]
            self.stopped_at = name if stops else self.stopped_at
        if stops == ["before"]:
            raise Stopped(name)
        answer = request()
        if stops == ["after"]:
            raise Stopped(name)
        return answer


class InjectedEngine(FaultyEngine):
    def __init__(self, engine: Engine, injector: Injector) -> None:
        super().__init__(engine)
        self._injector = injector

    def _pass[T](self, request: Callable[[], T]) -> T:
        return self._injector.call("table", lambda: FaultyEngine._pass(self, request))


class InjectedQueue(Queue):
    """`refuse`: every so many-th message is refused."""

    def __init__(self, queue: Queue, injector: Injector) -> None:
        self._queue, self._injector = queue, injector
        self.refuse = 0
        self._count = 0

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        refused = [message for message in messages if self._refuses()]
        taken = [message for message in messages if message not in refused]
        return refused + self._injector.call("queue", lambda: self._queue.send(url, taken))

    def _refuses(self) -> bool:
        self._count += 1
        return bool(self.refuse) and self._count % self.refuse == 0


class InjectedBus(Bus):
    def __init__(self, bus: Any, injector: Injector) -> None:
        self._bus, self._injector = bus, injector

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        return self._injector.call("bus", lambda: self._bus.put(entries))

    def refuse(self, count: int) -> None:
        self._bus.refuse(count)


class InjectedVault(Vault):
    def __init__(self, vault: Vault, injector: Injector) -> None:
        self._vault, self._injector = vault, injector

    def seal(self, secret: str, context: str) -> bytes:
        return self._injector.call("kms", lambda: self._vault.seal(secret, context))

    def open(self, sealed: bytes, context: str) -> str:
        return self._injector.call("kms", lambda: self._vault.open(sealed, context))


def inject(world: World, monkeypatch: pytest.MonkeyPatch) -> Injector:
    """From now on every call of this world's functions passes an injector; its parts can be told to refuse."""
    injector, real = Injector(), sender.send

    def send(*args: Any, **kwargs: Any) -> Any:
        return injector.call("http", lambda: real(*args, **kwargs))

    world.engine = InjectedEngine(world.engine, injector)
    world.bus = InjectedBus(world.bus, injector)  # type: ignore[assignment]  # the port is all that functions see
    world.vault = InjectedVault(world.vault, injector)  # type: ignore[assignment]
    monkeypatch.setattr(world, "_queue", InjectedQueue(world._queue, injector))
    monkeypatch.setattr(sender, "send", send)
    return injector
