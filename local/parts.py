"""What the readers of resources have in common: parts of the description, refusals, references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .description import Function, Queue, QueueMapping, Route, Rule, Schedule, StreamMapping
from .patterns import check


class Unsupported(Exception):
    """Something in the template that the embedded cloud does not do. `path` leads to it below the resource."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class AsyncInvocation:
    """AWS::Lambda::EventInvokeConfig, to be joined to its function."""

    function: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventBus:
    name: str


type Part = Function | Queue | QueueMapping | Route | Rule | Schedule | StreamMapping | AsyncInvocation | EventBus
type Properties = Mapping[str, Any]


def last(reference: str) -> str:
    """The logical id in an ARN or a URL that `intrinsics` has made."""
    return re.split(r"[:/]", reference)[-1]


def only(properties: Properties, known: str, what: str, *path: str) -> None:
    for name in properties:
        if name not in known.split():
            raise Unsupported(f"{what}: the property {name} is not supported", *path, name)


def check_pattern(name: str, pattern: Mapping[str, Any], property_: str) -> None:
    try:
        check(pattern)
    except ValueError as wrong:
        raise Unsupported(f"{name}: {wrong}", "Properties", property_) from wrong
