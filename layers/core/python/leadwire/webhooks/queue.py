"""Messages of the deliveries queue: alarm clocks. What they say of a delivery, the delivery itself knows better."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from leadwire import telemetry
from leadwire.ports import Message, Ports

from .model import Delivery

LONGEST_DELAY = 900
"""Seconds that SQS can delay a message; what waits longer waits in the due index."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`attempt` is the number of the attempt that it rings for, 0 for whichever is due. `again`: rang before."""

    tenant: str
    delivery: str
    attempt: int
    again: bool
    slow: bool
    """It came through the lane of slow receivers."""


def alarm(record: Mapping[str, Any]) -> Alarm:
    """From a record as Lambda hands it over."""
    body = json.loads(record["body"])
    received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    return Alarm(body["tenant"], body["delivery"], body["attempt"], received > 1, slow=body.get("slow", False))


def message(tenant: str, delivery: str, attempt: int, wait_ms: int) -> Message:
    """Rings after the wait, never before: delays are whole seconds."""
    body = {"tenant": tenant, "delivery": delivery, "attempt": attempt}
    return Message(json.dumps(body), group=tenant, delay=max(0, -(-wait_ms // 1000)))


def change_lane(ports: Ports, alarm: Alarm) -> None:
    """Ring through the lane of slow receivers instead. An alarm that is refused rings from the due index."""
    body = {"tenant": alarm.tenant, "delivery": alarm.delivery, "attempt": alarm.attempt, "slow": True}
    ports.queue.send(ports.settings.slow_queue_url, [Message(json.dumps(body), group=alarm.tenant)])


def ring(ports: Ports, deliveries: Iterable[Delivery], now: int) -> None:
    """Set the alarms of those whose next attempt is near. One that the queue refuses rings from the due index."""
    messages = [
        message(delivery.tenant, delivery.id, delivery.attempts + 1, delivery.next_at - now)
        for delivery in deliveries
        if delivery.state == "pending" and delivery.next_at - now <= LONGEST_DELAY * 1000
    ]
    refused = ports.queue.send(ports.settings.deliveries_queue_url, messages) if messages else []
    if refused:
        telemetry.say("alarms.refused", messages=len(refused))
