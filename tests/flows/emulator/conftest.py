"""One emulator for the whole lane: started, built for, deployed to and stopped once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from leadwire import tenants
from leadwire.aws import ports
from leadwire.context import Ctx
from leadwire.ports import Ports
from local import cloud, stack
from tests import published
from tests.unit.webhooks.conftest import receiver

__all__ = ["receiver"]

HOME = cloud.ROOT / ".leadwire" / "test-cloud"
PATIENCE = 180.0


@dataclass(frozen=True)
class Cloud:
    """The deployed stack, as its customers and its operators see it."""

    state: Mapping[str, Any]

    def call(self, dialect: str, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """`headers` with _ for -. The key is the demo tenant's."""
        key = self.state["keys"][dialect]
        sent = {"x-api-key": key} if dialect == "public" else {"authorization": f"Bearer {key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = requests.request(method, self.state["url"] + path, json=body, headers=sent, timeout=PATIENCE)
        published.check_http(method, path, sent, (answer.status_code, answer.headers, answer.text))
        return answer

    def ports(self) -> Ports:
        return ports(stack.settings(self.state))

    def operate(self) -> Ctx:
        return tenants.operate(self.ports(), tenants.by_slug(self.ports(), self.state["tenant"]), "tests")

    def client(self, service: str) -> Any:
        return stack.client(service, self.state["endpoint"])

    def waiting(self, queue: str) -> int:
        """Messages in a queue, by its logical id, also those in flight and delayed."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.state["resources"][queue], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


def eventually(condition: Callable[[], Any]) -> Any:
    """The first truthy answer. The emulator runs on its own clock, so there is nothing better than to look again."""
    end = time.monotonic() + PATIENCE
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} seconds"
        time.sleep(0.1)
    return answer


@pytest.fixture(scope="session")
def emulated(pytestconfig: pytest.Config) -> Iterator[Cloud]:
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    try:
        with capture.global_and_fixture_disabled():
            state = cloud.up(0, HOME)
        yield Cloud(state)
    finally:
        cloud.down(HOME)
