"""The whole embedded cloud in one object: what the server serves, the tests drive and the command line opens.

    http ──▶ Gateway ──▶ Runtime ──▶ handler ──▶ Ports ──▶ SqliteEngine ──▶ one SQLite file
                            ▲                      └────▶ queues, bus ────────────┘  │
                            └── StreamPump, QueuePump, invocations, Schedules ◀──────┘

`settle` and `advance` run the pumps on the caller's thread, in a fixed order; `start` gives them threads of their own.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadwire.ports import Message, Ports, Queue
from leadwire.settings import Settings
from leadwire.store.database import MEMORY, Database
from leadwire.store.engine import Engine
from leadwire.store.sqlite import SqliteEngine

from . import invocations, template
from .bus import LocalBus
from .clock import Clock, milliseconds
from .clock import seconds as _seconds
from .consumers import QueuePump
from .description import Function
from .gateway import Gateway, Request, Response
from .housekeeping import Housekeeping
from .parts import last
from .queues import Queues, Received
from .runtime import Runtime
from .schedules import Schedules
from .stream import StreamPump, wanted
from .vault import LocalVault, key_in

if TYPE_CHECKING:
    from .pumps import Pumps

STAGE = "local"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""What these methods write (how often a key was used) need not survive a power cut."""


class NeverAtRest(Exception):
    """The world was still busy after so many steps: something feeds itself."""


@dataclass(frozen=True, slots=True)
class Station:
    """A part that works by itself. `step` says whether it did something, `due` when it will (epoch ms, or None)."""

    name: str
    step: Callable[[], bool]
    due: Callable[[], int | None]


class LocalQueue(Queue):
    """The queue port of every function."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        return self._queues.send(last(url), messages)


class World:
    """`root` holds template.yaml; `data` is the SQLite file; `overrides` are variables set for every function.

    Assign `engine` to put another engine (one with faults, say) before the functions.
    """

    def __init__(
        self,
        root: Path,
        *,
        data: str | Path = MEMORY,
        clock: Clock | None = None,
        overrides: Mapping[str, str] | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock or Clock()
        self.stack = template.read(Path(root) / "template.yaml", {"Stage": STAGE})
        self.database = Database(data)
        self.table = SqliteEngine(self.database, clock=self.clock, wanted=wanted(self.stack.streams))
        self.engine: Engine = self.table
        waiting = invocations.queues_of(self.stack.functions)
        self.queues = Queues(self.database, {**self.stack.queues, **waiting}, self.clock)
        self.bus = LocalBus(self.database, self.queues, self.stack.rules, self.clock)
        self.vault = LocalVault(key_in(None if data == MEMORY else Path(data).with_name("vault.key")))
        self._overrides = dict(overrides or {})
        self._settings = functools.cache(self._read_settings)
        self._queue = LocalQueue(self.queues)
        self._runtime = Runtime(self.stack.functions, self.ports_of, timer)
        self._gateway = Gateway(self.stack.routes, self._runtime.invoke, self.clock, timer)
        self.streams = [
            StreamPump(self.database, self.table, self.queues, mapping, self._runtime.invoke, self.clock)
            for mapping in self.stack.streams
        ]
        self.consumers = [
            QueuePump(self.queues, mapping, self._consume, self.clock) for mapping in self.stack.queue_mappings
        ]
        self._schedules = Schedules(self.database, self.queues, self.stack.schedules, self.clock)
        self._housekeeping = Housekeeping(self.table, self.queues, self.streams, self.clock)
        self._pumps: Pumps | None = None
        self._set_process_environment()

    # --- what callers do ----------------------------------------------------------------------------------------------

    def http(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: object = None) -> Response:
        """One request through the gateway. A body that is neither text nor bytes is sent as JSON."""
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
            lowered.setdefault("content-type", "application/json")
        content = body.encode() if isinstance(body, str) else body or b""
        return self.handle(Request(method, path, lowered, content))

    def handle(self, request: Request) -> Response:
        response = self._gateway.handle(request)
        if request.method not in SAFE:
            self.database.sync()
        return response

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function by its logical id, and have its answer. Raises FunctionFailed."""
        return self._runtime.invoke(function, event)

    def dead_letters(self, queue: str) -> list[Received]:
        """What a queue's dead-letter queue holds, or the queue itself if it has none."""
        return self.queues.waiting(self.stack.queues[queue].dead_letters or queue)

    @property
    def ports(self) -> Ports:
        """The ports of no function in particular: the common part of the template's environment."""
        return self.ports_of(next(iter(self.stack.functions.values())))

    def ports_of(self, function: Function) -> Ports:
        settings = self._settings(function.name)
        return Ports(settings, self.engine, self._queue, self.bus, self.vault, self.clock)

    # --- time ---------------------------------------------------------------------------------------------------------

    def settle(self, limit: int = 10_000) -> None:
        """Run everything that is due, and what follows from it, without moving the clock. Raises NeverAtRest."""
        for _ in range(limit):
            busy = [station.name for station in self.stations if station.step()]
            if not busy:
                return
        raise NeverAtRest(f"after {limit} rounds still busy: {', '.join(busy)}")

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock, stopping to `settle` at each moment on the way at which something is due."""
        target = self.clock() + seconds + 60 * (minutes + 60 * (hours + 24 * days))
        self.settle()
        while (due := self.due()) is not None and _seconds(due) <= target:
            self.clock.move(max(self.clock(), _seconds(due)))
            self.settle()
        self.clock.move(target)
        self.settle()

    def due(self) -> int | None:
        """The next moment at which something is due (epoch milliseconds), after now."""
        now = milliseconds(self.clock)
        times = (station.due() for station in self.stations)
        return min((time for time in times if time is not None and time > now), default=None)

    @functools.cached_property
    def stations(self) -> list[Station]:
        """Everything that works by itself, in the order in which an event passes."""
        streams = [Station(pump.name, pump.step, pump.due) for pump in self.streams]
        consumers = [Station(pump.mapping.name, pump.step, pump.due) for pump in self.consumers]
        targets = [target for rule in self.stack.rules for target in rule.targets]
        targets += [target for schedule in self.stack.schedules for target in schedule.targets]
        names = dict.fromkeys(target.name for target in targets if target.kind == "lambda")
        return [
            *streams,
            *consumers,
            *(self._invoker(self.stack.functions[name]) for name in names),
            Station("schedules", self._schedules.step, self._schedules.due),
            Station("housekeeping", self._housekeeping.step, self._housekeeping.due),
        ]

    # --- the server's ways --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the stations on threads of their own, and take up what the last process was working on."""
        from .pumps import Pumps  # noqa: PLC0415  # it needs World itself, and tests do not need it

        self._pumps = Pumps(self)
        self._pumps.start()

    def stop(self) -> bool:
        """End those threads. False if one is still at work after a while; the world must not be closed then."""
        at_rest = self._pumps is None or self._pumps.stop()
        self._pumps = None
        return at_rest

    def close(self) -> None:
        self.table.close()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _consume(self, function: str, event: Any) -> Any:
        """A webhook may not tell of a lead that a power cut can undo."""
        self.database.sync()
        return self._runtime.invoke(function, event)

    def _invoker(self, function: Function) -> Station:
        queue = invocations.queue_of(function.name)
        step = functools.partial(
            invocations.step, self.database, self.queues, function, self._runtime.invoke, self.clock
        )
        return Station(queue, step, functools.partial(self.queues.due, queue))

    def _read_settings(self, function: str) -> Settings:
        return Settings.read({**self.stack.functions[function].environment, **self._overrides})

    def _set_process_environment(self) -> None:
        """Powertools reads its own variables from the process; on Lambda each function has a process of its own."""
        for function in self.stack.functions.values():
            own = {name: value for name, value in function.environment.items() if name.startswith("POWERTOOLS_")}
            os.environ.update(own)
