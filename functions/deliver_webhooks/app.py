"""The door of the delivery: alarms in, signed requests to customers out."""

import random
from typing import Any

from leadwire import ports
from leadwire.webhooks.batch import deliver_batch

ports.prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return deliver_batch(ports.current(), event["Records"], random.Random())
