"""The door of the jobs: what bulk requests left to be done, a chunk at a time."""

from typing import Any

from leadwire import ports
from leadwire.leads import deletions

ports.prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return deletions.run_messages(ports.current(), event["Records"])
