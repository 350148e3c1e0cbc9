"""Automations on the deployed stack: the rule, the queue, the function with its role, and what they hand on."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.flows.automating import action, condition
from tests.flows.emulator.conftest import Cloud, eventually
from tests.unit.webhooks.conftest import Receiver

pytestmark = pytest.mark.emulator

BASE = "/api/v1/automations"


def automate(emulated: Cloud, trigger: dict[str, Any], *steps: dict[str, Any]) -> int:
    made = emulated.call("crm", "POST", BASE, {"name": "A", "trigger": trigger, "steps": list(steps)})
    assert made.status_code == 201, made.text
    id_: int = made.json()["data"]["id"]
    return id_


def test_an_event_starts_a_run_that_sends_a_webhook_and_starts_another(emulated: Cloud, receiver: Receiver) -> None:
    source = uuid.uuid4().hex
    second = automate(emulated, {"type": "manual"}, action("add_note", text="For {{first_name}}"))
    first = automate(
        emulated, {"type": "lead_created", "config": {"source": source}},
        condition("status_is", status="new"), action("add_tag", tag="fresh"),
        action("send_webhook", url=receiver.url, secret="a secret of ours"),
        action("start_automation", automation_id=second),
    )  # fmt: skip
    made = emulated.call("crm", "POST", "/api/v1/leads", {"first_name": "Ada", "source": source})
    lead = f"/api/v1/leads/{made.json()['data']['id']}"
    eventually(lambda: (emulated.call("crm", "GET", lead).json()["data"]["notes"] or "").endswith("For Ada"))
    for id_, results in ((first, ["true", "done", "done", "done"]), (second, ["done"])):
        (run,) = emulated.call("crm", "GET", f"{BASE}/{id_}/runs").json()["data"]
        assert (run["status"], [step["result"] for step in run["steps"]]) == ("done", results)
    eventually(lambda: receiver.received)
    assert json.loads(receiver.received[0][1])["lead"]["tags"] == ["fresh"]
    for id_ in (first, second):
        assert emulated.call("crm", "DELETE", f"{BASE}/{id_}").ok
