"""Lambda in this process: a function's folder becomes a module, its handler is called with an event and a context.

Each invocation runs with the ports of its function in force, whose settings are the function's environment in the
template. What the handler raises is a FunctionFailed; what passes by it as a BaseException is this process dying.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from leadwire.ports import Ports, using

from .description import Function

_log = logging.getLogger("leadwire.local")
_loading = threading.Lock()
"""Held while a module is loaded, so that nobody calls one that has not come to its end."""


class FunctionFailed(Exception):
    """The function raised, could not be imported, or took longer than its timeout."""

    def __init__(self, kind: str, message: str, request_id: str, trace: list[str]) -> None:
        super().__init__(f"{kind}: {message}")
        self.payload = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id: str
    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    deadline: float
    timer: Callable[[], float]
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.timer()) * 1000))


class Runtime:
    """`ports` makes the ports of a function; `timer` is seconds, for timeouts, and need not be the clock of the world.

    A handler is not stopped at its timeout: it runs to its end, and counts as failed then.
    """

    def __init__(
        self, functions: Mapping[str, Function], ports: Callable[[Function], Ports], timer: Callable[[], float]
    ) -> None:
        self._functions = functions
        self._ports = ports
        self._timer = timer
        self._handlers: dict[str, Callable[[Any, Context], Any]] = {}

    def invoke(self, name: str, event: Any) -> Any:
        """The handler's answer. Raises FunctionFailed."""
        function, request_id, started = self._functions[name], str(uuid.uuid4()), self._timer()
        context = Context(
            request_id,
            name,
            function.memory,
            function.arn,
            started + function.timeout,
            self._timer,
            log_group_name=name,
        )
        try:
            with using(self._ports(function)):
                handler = self._handlers.get(name) or self._load(function)
                answer = handler(event, context)
        except Exception as error:
            _log.exception("%s failed", name)
            trace = traceback.format_tb(error.__traceback__)
            raise FunctionFailed(type(error).__name__, str(error), request_id, trace) from error
        if self._timer() - started > function.timeout:
            _log.error("%s timed out after %.2f seconds", name, function.timeout)
            message = f"{request_id} Task timed out after {function.timeout:.2f} seconds"
            raise FunctionFailed("Sandbox.Timedout", message, request_id, [])
        return answer

    def _load(self, function: Function) -> Callable[[Any, Context], Any]:
        """A module that another world of this process has loaded from the same file is shared: a warm environment."""
        file_name, handler_name = function.handler.rsplit(".", 1)
        path = (function.folder / f"{file_name}.py").resolve()
        with _loading:
            module = _module(f"functions.{function.folder.name}.{file_name}", path)
        handler: Callable[[Any, Context], Any] = getattr(module, handler_name)
        self._handlers[function.name] = handler
        return handler


def _module(name: str, path: Path) -> ModuleType:
    module = sys.modules.get(name)
    if module is not None and module.__file__ == str(path):
        return module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def partial_failures(answer: Any, identifiers: list[str]) -> set[str]:
    """The identifiers that a handler with ReportBatchItemFailures reports.

    All of them, if the answer is malformed or names an item that was not in the batch: AWS then retries everything.
    """
    if answer is None or answer == {}:
        return set()
    try:
        failures = {entry["itemIdentifier"] for entry in answer["batchItemFailures"] or ()}
    except (TypeError, KeyError):
        return set(identifiers)
    known = set(identifiers)
    return failures & known if not failures - known else known
