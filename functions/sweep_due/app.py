"""The door of the sweep: once a minute, alarms for what is due."""

from typing import Any

from leadwire import ports
from leadwire.webhooks.sweep import sweep

ports.prepare()


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    return {"alarms": sweep(ports.current())}
