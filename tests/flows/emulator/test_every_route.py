"""Every route of the deployed stack, once and with success: its function is built, found, and may do what it does."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from leadwire import tenants
from leadwire.context import iso
from leadwire.leads import deletions
from tests import every_route, factories
from tests.every_route import Answer
from tests.flows.business import authorization
from tests.flows.emulator.conftest import PATIENCE, Cloud, eventually
from tests.unit.webhooks.conftest import Receiver

pytestmark = pytest.mark.emulator

HOUR = 3_600_000


def test_every_route_does_what_it_is_for(emulated: Cloud, receiver: Receiver) -> None:
    ports = emulated.ports()
    ctx = tenants.operate(ports, tenants.create(ports, "routes", "Routes"), "tests")
    tokens, job = factories.keys_of_families(ctx), deletions.delete_named(ctx, []).id
    names = {"tenant": "routes", "receiver": receiver.url, "job": job, "an_hour_ago": iso(ctx.now_ms() - HOUR)}

    def send(dialect: str, method: str, path: str, body: Any) -> Answer:
        headers = authorization(dialect, tokens[dialect]) if dialect else {}
        url = emulated.state["url"] + path
        answer = requests.request(method, url, json=body, headers=headers, timeout=PATIENCE)
        is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
        return answer.status_code, answer.json() if is_json and answer.content else None

    assert every_route.run(send, eventually, names) == []
