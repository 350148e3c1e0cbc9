"""The door of the relay: records of the table's stream in, entries of the bus out."""

from typing import Any

from leadwire import ports
from leadwire.relay import relay

ports.prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return relay(ports.current(), event["Records"])
