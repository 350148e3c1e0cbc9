"""Lambda's asynchronous invocations: one queue per function, retries a minute and two minutes later, then the failure.

Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation" and
"Capturing records of asynchronous invocations".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from leadwire.ports import Message
from leadwire.store.database import Database

from .clock import milliseconds
from .description import Function, Queue
from .queues import Queues, Received
from .runtime import FunctionFailed

PREFIX = "invoke:"
PAUSE = 60
"""Seconds before the first retry; the second waits twice that."""
MARGIN = 60
"""Seconds that an invocation stays hidden beyond the timeout of its function."""


def queue_of(function: str) -> str:
    return PREFIX + function


def queues_of(functions: Mapping[str, Function]) -> dict[str, Queue]:
    """The queues in which invocations wait, one for each function."""
    queues = (
        Queue(queue_of(function.name), int(function.timeout) + MARGIN, retention=function.max_age * 2)
        for function in functions.values()
    )
    return {queue.name: queue for queue in queues}


def step(
    database: Database,
    queues: Queues,
    function: Function,
    invoke: Callable[[str, Any], Any],
    clock: Callable[[], float],
) -> bool:
    """Run one waiting invocation of the function, if any is due. Says whether there was one."""
    found = queues.receive(queue_of(function.name), 1)
    if not found:
        return False
    (message,) = found
    late = milliseconds(clock) - message.sent > function.max_age * 1000
    if late:
        _give_up(database, queues, function, message, "EventAgeExceeded", {}, clock)
        return True
    try:
        invoke(function.name, json.loads(message.body))
    except FunctionFailed as failure:
        if message.received > function.retries:
            _give_up(database, queues, function, message, "RetriesExhausted", failure.payload, clock)
        else:
            queues.let_go([message], milliseconds(clock) + PAUSE * message.received * 1000)
    else:
        queues.delete([message])
    return True


def _give_up(
    database: Database,
    queues: Queues,
    function: Function,
    message: Received,
    condition: str,
    failure: Mapping[str, Any],
    clock: Callable[[], float],
) -> None:
    record = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": failure.get("requestId", ""),
            "functionArn": f"{function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": message.received,
        },
        "requestPayload": json.loads(message.body),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": dict(failure),
    }
    with database.write() as connection:
        if function.on_failure:
            queues.insert(connection, function.on_failure, [Message(json.dumps(record), group="")])
        queues.delete([message])
    queues.notify(function.on_failure)
