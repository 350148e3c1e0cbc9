"""The door of the indexer: changed leads of the table's stream into the index."""

from typing import Any

from leadwire import ports
from leadwire.leads import indexer

ports.prepare()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return indexer.index_records(ports.current(), event["Records"])
