"""The workers' doors, opened with the sample events that `make invoke` uses."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire.ports import Bus, BusEntry, Message, Ports, Queue, using

SAMPLES = Path(__file__).parents[2] / "events"
WORKERS = (
    "relay_events", "fan_out_webhooks", "deliver_webhooks", "sweep_due", "index_leads", "tidy_index", "run_jobs",
    "run_automations",
)  # fmt: skip
CASES = [path for worker in WORKERS for path in sorted((SAMPLES / worker).glob("*.json"))]


class Open(Queue, Bus):
    """Takes everything."""

    def __init__(self) -> None:
        self.entries: list[BusEntry] = []

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        return []

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        self.entries += entries
        return []


def opened(worker: str, sample: Path, ports: Ports) -> Any:
    handler = importlib.import_module(f"functions.{worker}.app").handler
    with using(ports):
        return handler(json.loads(sample.read_text()), None)


@pytest.mark.parametrize("sample", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_sample_is_taken_without_a_failure(sample: Path, ports: Ports) -> None:
    port = Open()
    answer = opened(sample.parent.name, sample, replace(ports, queue=port, bus=port))
    assert answer in ({"batchItemFailures": []}, {"alarms": 0})


def test_every_worker_has_a_sample() -> None:
    assert {path.parent.name for path in CASES} == set(WORKERS)


def test_what_the_relay_puts_on_the_bus_is_what_the_sample_of_the_fan_out_shows(ports: Ports) -> None:
    port = Open()
    opened("relay_events", SAMPLES / "relay_events" / "lead_created.json", replace(ports, bus=port))
    [record] = json.loads((SAMPLES / "fan_out_webhooks" / "lead_created.json").read_text())["Records"]
    assert json.loads(port.entries[0].detail) == json.loads(record["body"])["detail"]
