"""`leadwire webhook resend|recover|ping` beside an embedded server, which works on what they put into its queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from leadwire.context import iso
from local.clock import Clock
from local.world import World
from tests.flows import business
from tests.flows.business import Business
from tests.unit.webhooks.conftest import Receiver, receiver

__all__ = ["receiver"]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Business]:
    """A business on a file, served by a world that runs when the test says so."""
    overrides = {"LEADWIRE_PRIVATE_TARGETS": "true", "LEADWIRE_SCHEDULE_SCALE": "0"}
    world = World(ROOT, data=tmp_path / "leadwire.db", clock=Clock.real(), overrides=overrides)
    yield business.found(world, "acme")
    world.close()


@pytest.fixture
def command(acme: Business, tmp_path: Path) -> Any:
    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, ["--data", str(tmp_path), "webhook", *words, "--tenant", "acme", "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def test_a_delivery_that_was_given_up_is_counted_recovered_and_resent(
    acme: Business, receiver: Receiver, command: Any
) -> None:
    receiver.answer = (500, {}, b"down")
    body = {"name": "x", "url": receiver.url, "eventTypes": ["LEAD_CREATED"], "maxRetries": 0}
    webhook = acme.call("chatbot", "POST", "/api/v1/chatbots/default/webhooks", body).json()["webhook"]["id"]
    acme.create("crm")
    acme.world.settle()
    receiver.answer = (204, {}, b"")
    today = acme.ctx.now_ms() - 3_600_000
    since = ["--since", iso(today)]
    assert command("recover", webhook, *since, "--count", "--missing") == {
        "webhook": webhook,
        "given_up": 1,
        "missing": 0,
        "sent": False,
    }
    assert len(receiver.received) == 1
    assert command("recover", webhook, *since)["given_up"] == 1
    acme.world.settle()
    assert len(receiver.received) == 2
    [log] = acme.call("crm", "GET", "/api/v1/webhook-deliveries").json()["data"]
    assert command("resend", log["id"])["message_id"] == log["message_id"]
    acme.world.settle()
    assert len(receiver.received) == 3


def test_a_webhook_is_pinged(acme: Business, receiver: Receiver, command: Any) -> None:
    webhook = acme.webhook(receiver.url)["id"]
    command("ping", webhook)
    acme.world.settle()
    [(_, body)] = receiver.received
    assert json.loads(body)["type"] == "ping"


def test_what_is_not_there_is_told_with_what_helps(acme: Business, tmp_path: Path) -> None:
    for words in (["ping", "0-0"], ["resend", "0" * 32], ["recover", "0-0", "--since", "2999-01-01"]):
        result = CliRunner().invoke(app, ["--data", str(tmp_path), "webhook", *words, "--tenant", "acme"])
        assert result.exit_code == 1
        assert "leadwire webhook tail" in result.stderr or "90 days" in result.stderr
