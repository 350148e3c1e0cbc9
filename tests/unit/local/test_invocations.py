"""Asynchronous invocations: two retries, a minute and two minutes apart, then the failure goes to its queue."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadwire.ports import Message
from leadwire.store.database import Database
from local import invocations
from local.clock import Clock
from local.description import Function, Queue
from local.queues import Queues
from local.runtime import FunctionFailed

FUNCTION = Function("Tick", Path(), "app.handler", 10, 128, {}, retries=2, max_age=3600, on_failure="failed")


class Lab:
    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.database = database
        specs = {"failed": Queue("failed"), **invocations.queues_of({"Tick": FUNCTION})}
        self.queues = Queues(database, specs, self.clock)
        self.events: list[object] = []
        self.fails = 0
        self.queues.send("invoke:Tick", [Message('{"a": 1}', "")])

    def step(self) -> bool:
        return invocations.step(self.database, self.queues, FUNCTION, self.invoke, self.clock)

    def invoke(self, name: str, event: object) -> None:
        self.events.append(event)
        if len(self.events) <= self.fails:
            raise FunctionFailed("ValueError", "no", "r1", [])

    def wait(self, seconds: float) -> None:
        self.clock.move(self.clock() + seconds)


@pytest.fixture
def lab(open_database: Callable[..., Database]) -> Lab:
    return Lab(open_database())


def test_an_invocation_that_succeeds_happens_once(lab: Lab) -> None:
    assert [lab.step(), lab.step()] == [True, False]
    lab.wait(10_000)
    assert lab.step() is False
    assert lab.events == [{"a": 1}]


def test_a_failure_is_retried_after_one_and_then_two_minutes(lab: Lab) -> None:
    lab.fails = 2
    lab.step()
    lab.wait(59)
    assert lab.step() is False
    lab.wait(1)
    assert lab.step() is True
    lab.wait(119)
    assert lab.step() is False
    lab.wait(1)
    assert lab.step() is True
    assert lab.queues.waiting("failed") == []
    assert lab.queues.due("invoke:Tick") is None


def test_after_its_retries_the_failure_goes_to_its_queue(lab: Lab) -> None:
    lab.fails = 3
    for _ in range(3):
        lab.step()
        lab.wait(120)
    record = json.loads(lab.queues.waiting("failed")[0].body)
    assert record["requestPayload"] == {"a": 1}
    assert record["requestContext"] == {
        "requestId": "r1",
        "functionArn": "arn:aws:lambda:mars-west-1:000000000000:function:Tick:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["responsePayload"]["errorMessage"] == "no"
    assert lab.step() is False


def test_an_invocation_that_waited_too_long_is_given_up_without_being_run(lab: Lab) -> None:
    lab.wait(3601)
    assert lab.step() is True
    assert lab.events == []
    assert json.loads(lab.queues.waiting("failed")[0].body)["requestContext"]["condition"] == "EventAgeExceeded"
