"""The door of the tidying: pending leads that were indexed are forgotten."""

from typing import Any

from leadwire import ports
from leadwire.leads import indexer

ports.prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return indexer.tidy_messages(ports.current(), event["Records"])
