"""Events from the table's stream to the bus, in their order.

A record that fails is reported with its sequence number; the stream then starts again at the first one reported, so
what follows it is sent twice rather than lost or overtaken. (Consumers know an event by its id.) An event always fits:
an item holds at most 400 KB, an entry of the bus 1 MiB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import events, telemetry
from .ports import BusEntry, Ports
from .store.expressions import unmarshal_item


def relay(ports: Ports, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Answers as Lambda wants it of a stream: `{"batchItemFailures": [{"itemIdentifier": <sequence number>}]}`."""
    entries = []
    for record in records:
        try:
            entries.append(_entry(record))
        except (KeyError, ValueError, TypeError) as error:
            telemetry.fault("event.unreadable", error, sequence=_sequence(record))
            break
    refused = ports.bus.put(entries) if entries else []
    readable, all_ = len(entries), len(records)
    telemetry.say("events.relayed", records=all_, unreadable=readable < all_, refused=len(refused))
    telemetry.count({"EventsRelayed": readable - len(refused), "EventsRefused": len(refused)})
    failed = min([*refused, readable])
    return {"batchItemFailures": [{"itemIdentifier": _sequence(records[failed])}] if failed < all_ else []}


def _entry(record: Mapping[str, Any]) -> BusEntry:
    event = events.from_item(unmarshal_item(record["dynamodb"]["NewImage"]))
    return BusEntry(event.type, events.to_detail(event))


def _sequence(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
