"""The ports to the world beside the table, and the one place where they are chosen.

A handler calls `current()`. On AWS that builds the real ports once per environment (`aws.py`); the embedded cloud and
the tests put their own in force with `using(...)`.
"""

from __future__ import annotations

import functools
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from .settings import Settings
from .store.engine import Engine


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a queue: `group` is the tenant (SQS fair queues), `delay` in whole seconds, 0 to 900."""

    body: str
    group: str
    delay: int = 0


@dataclass(frozen=True, slots=True)
class BusEntry:
    """An event for the bus. `detail` is JSON text; source is always `leadwire`."""

    detail_type: str
    detail: str


class Queue(ABC):
    @abstractmethod
    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        """Any number of messages, in batches of ten. Returns those that the queue refused."""


class Bus(ABC):
    @abstractmethod
    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        """Any number of entries, in batches of ten. Returns the positions of those that the bus refused."""


class Vault(ABC):
    """Secrets at rest. `context` binds a sealed secret to its place (tenant and webhook): it opens nowhere else."""

    @abstractmethod
    def seal(self, secret: str, context: str) -> bytes: ...

    @abstractmethod
    def open(self, sealed: bytes, context: str) -> str: ...


def hint(secret: str) -> str:
    """What is shown of a secret that was sealed: its last four characters, if that is not half of it."""
    return f"••••{secret[-4:] if len(secret) > 8 else ''}"  # noqa: PLR2004  # twice four


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a handler may touch. `clock` is epoch seconds."""

    settings: Settings
    engine: Engine
    queue: Queue
    bus: Bus
    vault: Vault
    clock: Callable[[], float]


ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"
"""The runtime sets it, before it imports the function."""

_in_force: ContextVar[Ports | None] = ContextVar("leadwire_ports", default=None)


def current() -> Ports:
    """The ports in force. New threads do not inherit `using`: hand them the ports."""
    return _in_force.get() or _on_aws()


@contextmanager
def using(ports: Ports) -> Iterator[Ports]:
    """Put these ports in force for the block."""
    token = _in_force.set(ports)
    try:
        yield ports
    finally:
        _in_force.reset(token)


def prepare() -> None:
    """Make the real ports, and the table's client, while a function of Lambda starts; elsewhere nothing.

    Lambda lends a starting function a whole CPU, whatever it has afterwards: what the first request would wait two
    seconds for takes half of one here.
    """
    if ON_LAMBDA in os.environ:
        _on_aws().engine.open()


@functools.cache
def _on_aws() -> Ports:
    from .aws import ports  # noqa: PLC0415  # boto3 costs 300 ms: only where AWS is really called

    return ports(Settings.read(os.environ))
