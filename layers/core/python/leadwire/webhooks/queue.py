"""Messages of the deliveries queue: alarm clocks. What they say of a delivery, the delivery itself knows better.

Deliveries to one endpoint that ring at the same second share a message. So ten messages, the most that a worker is
handed without a batching window, are up to a hundred deliveries under load, and a lone one still rings at once. (With a
window Lambda may wait for 20 seconds where there is little traffic: Developer Guide, "Using Lambda with Amazon SQS".)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any

from leadwire import telemetry
from leadwire.ports import Message, Ports

from .model import Delivery

LONGEST_DELAY = 900
"""Seconds that SQS can delay a message; what waits longer waits in the due index."""
TOGETHER = 10
"""Deliveries in one message."""
RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to ring in so many milliseconds. `attempt` and `webhook` as in Alarm."""

    tenant: str
    delivery: str
    attempt: int
    wait: int
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`attempt` is the number of the attempt that it rings for, 0 for whichever is due. `again`: rang before."""

    tenant: str
    delivery: str
    attempt: int
    again: bool
    slow: bool
    """It came through the lane of slow receivers."""
    message: str
    """The id of the message that it came in."""
    webhook: str
    """Empty if it comes from the due index, which does not know."""


def alarms(record: Mapping[str, Any]) -> list[Alarm]:
    """From a record as Lambda hands it over."""
    body = json.loads(record["body"])
    received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    if RELEASE in body:
        return []
    tenant, attempt, slow, webhook = body["tenant"], body["attempt"], body.get("slow", False), body.get("webhook", "")
    return [Alarm(tenant, one, attempt, received > 1, slow, record["messageId"], webhook) for one in body["deliveries"]]


def to_release(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """Tenant and endpoint, if the record says that more of what was held is to be released (held.py)."""
    body = json.loads(record["body"])
    return (body["tenant"], body[RELEASE]) if RELEASE in body else None


def release(ports: Ports, tenant: str, webhook: str) -> bool:
    """Have a worker release more of what was held, when the index knows what was just released. False if refused."""
    message = Message(json.dumps({"tenant": tenant, RELEASE: webhook}), group=tenant, delay=1)
    return not ports.queue.send(ports.settings.deliveries_queue_url, [message])


def send(ports: Ports, due: Iterable[Due]) -> list[Due]:
    """Set these alarms, which ring after the wait, never before: delays are whole seconds. Those that were refused."""
    return _send(ports, ports.settings.deliveries_queue_url, due, {})


def change_lane(ports: Ports, alarms: Iterable[Alarm]) -> list[Due]:
    """Ring through the lane of slow receivers instead. Those that were refused."""
    due = [Due(alarm.tenant, alarm.delivery, alarm.attempt, 0, alarm.webhook) for alarm in alarms]
    return _send(ports, ports.settings.slow_queue_url, due, {"slow": True}) if due else []


def ring(ports: Ports, deliveries: Iterable[Delivery], now: int) -> list[Delivery]:
    """Set the alarms of those whose next attempt is near. Those that were refused: they ring from the due index if they
    have a place in it.
    """
    near = {
        Due(one.tenant, one.id, one.attempts + 1, one.next_at - now, one.webhook): one
        for one in deliveries
        if one.state == "pending" and one.next_at - now <= LONGEST_DELAY * 1000
    }
    return [near[due] for due in send(ports, near)] if near else []


def _send(ports: Ports, url: str, due: Iterable[Due], more: Mapping[str, bool]) -> list[Due]:
    together: dict[tuple[str, str, int, int], list[Due]] = {}
    for one in due:
        together.setdefault((one.tenant, one.webhook, one.attempt, max(0, -(-one.wait // 1000))), []).append(one)
    packed: dict[Message, tuple[Due, ...]] = {}
    for (tenant, webhook, attempt, delay), all_ in together.items():
        known = {"tenant": tenant, "attempt": attempt, **({"webhook": webhook} if webhook else {}), **more}
        for some in batched(all_, TOGETHER, strict=False):
            body = {**known, "deliveries": [one.delivery for one in some]}
            packed[Message(json.dumps(body), group=tenant, delay=delay)] = some
    refused = ports.queue.send(url, list(packed))
    if refused:
        telemetry.say("alarms.refused", messages=len(refused))
    return [one for message in refused for one in packed[message]]
