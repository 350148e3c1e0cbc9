from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadwire import events, ids
from leadwire.events import Event
from leadwire.ports import Bus, BusEntry, Ports
from leadwire.relay import relay


class Kept(Bus):
    """A bus that keeps its entries and refuses the positions it is told."""

    def __init__(self, *refused: int) -> None:
        self.refused = list(refused)
        self.entries: list[BusEntry] = []

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        self.entries += entries
        return self.refused


def happened(ctx: Any, count: int) -> list[Event]:
    lead = {"number": 1, "version": 1, "updated_at": ctx.now_ms(), "first_name": "Zoë"}
    return [events.of_lead(ctx, events.LEAD_CREATED, ids.ulid(ctx.now_ms()), lead, {}) for _ in range(count)]


def records(of: Sequence[Event]) -> list[dict[str, Any]]:
    """As DynamoDB's stream shows the items of these events."""
    images = [events.put(event).item for event in of]
    return [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(100 + at), "NewImage": attributes(image)}}
        for at, image in enumerate(images)
    ]


def attributes(item: Any) -> dict[str, dict[str, str]]:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()}


def on(ports: Ports, bus: Bus) -> Ports:
    return replace(ports, bus=bus)


def test_events_reach_the_bus_whole_and_in_order(ports: Ports, ctx: Any) -> None:
    bus, told = Kept(), happened(ctx, 3)
    assert relay(on(ports, bus), records(told)) == {"batchItemFailures": []}
    assert [events.from_detail(json.loads(entry.detail)) for entry in bus.entries] == told
    assert {entry.detail_type for entry in bus.entries} == {"lead.created"}


@pytest.mark.parametrize(("refused", "first"), [((0,), "100"), ((2,), "102"), ((2, 1), "101"), ((0, 1, 2), "100")])
def test_the_stream_starts_again_at_the_first_event_that_the_bus_refused(
    refused: tuple[int, ...], first: str, ports: Ports, ctx: Any
) -> None:
    answer = relay(on(ports, Kept(*refused)), records(happened(ctx, 3)))
    assert answer == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_a_record_that_is_no_event_stops_the_batch_but_not_what_came_before(ports: Ports, ctx: Any) -> None:
    bus, batch = Kept(), records(happened(ctx, 3))
    del batch[1]["dynamodb"]["NewImage"]["type"]
    assert relay(on(ports, bus), batch) == {"batchItemFailures": [{"itemIdentifier": "101"}]}
    assert len(bus.entries) == 1


def test_an_event_with_a_cause_keeps_it(ports: Ports, ctx: Any) -> None:
    bus = Kept()
    [caused] = happened(replace(ctx, cause="01ABC", hops=2), 1)
    relay(on(ports, bus), records([caused]))
    assert events.from_detail(json.loads(bus.entries[0].detail)) == caused
