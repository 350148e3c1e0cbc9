"""What the embedded cloud needs to know of a template: typed, frozen, every reference resolved to a logical id.

`template.read` makes a Stack; the gateway, the pumps and the runtime each take their own part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REGION = "mars-west-1"
"""No such region exists, so a name of the embedded cloud is never mistaken for one on AWS."""
ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Function:
    """`retries`, `max_age` (seconds) and `on_failure` (the name of a queue) are for asynchronous invocations."""

    name: str
    folder: Path
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str]
    retries: int = 2
    max_age: int = 21_600
    on_failure: str = ""

    @property
    def arn(self) -> str:
        return arn("lambda", f"function:{self.name}")


@dataclass(frozen=True, slots=True)
class Route:
    """`method` is GET … or ANY, `path` as in the template: /leads/{id}, /files/{proxy+}, or $default."""

    method: str
    path: str
    function: str
    timeout: float = 30.0

    @property
    def key(self) -> str:
        return "$default" if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """The table's stream (`source`, an ARN) to a function. `retries` and `max_age` (seconds) are None where
    AWS says -1: without limit.
    """

    name: str
    source: str
    function: str
    filters: tuple[Mapping[str, Any], ...] = ()
    batch_size: int = 100
    window: int = 0
    retries: int | None = None
    max_age: int | None = None
    bisect: bool = False
    partial: bool = False
    on_failure: str = ""


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """A queue to a function. `window` in seconds; `concurrency` is how many batches may run at once."""

    name: str
    queue: str
    function: str
    batch_size: int = 10
    window: int = 0
    concurrency: int = 5
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Times in seconds; after `max_receives` receptions a message goes to `dead_letters` (a queue), if there is one."""

    name: str
    visibility: int = 30
    delay: int = 0
    retention: int = 345_600
    dead_letters: str = ""
    max_receives: int = 0

    @property
    def url(self) -> str:
        return queue_url(self.name)

    @property
    def arn(self) -> str:
        return arn("sqs", self.name)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a rule sends: `kind` is sqs or lambda, `name` the queue or function, `input` replaces the event if set.

    `group` is the field of the detail that a message's group is taken from.
    """

    kind: str
    name: str
    input: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Events of `bus` that match `pattern`, to targets."""

    name: str
    bus: str
    pattern: Mapping[str, Any]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something due every `every` seconds; `source` is aws.events (a rule) or aws.scheduler."""

    name: str
    every: int
    source: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    functions: Mapping[str, Function] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    streams: tuple[StreamMapping, ...] = ()
    queues: Mapping[str, Queue] = field(default_factory=dict)
    queue_mappings: tuple[QueueMapping, ...] = ()
    buses: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    schedules: tuple[Schedule, ...] = ()


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.localhost/{ACCOUNT}/{name}"
