"""`GET /api/v1/health`, the one open route (contracts/crm.md): it reads the table, and says the package's version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from leadwire import VERSION, keys, ports, telemetry
from leadwire.context import iso
from leadwire.store.table import unscoped
from leadwire.store.types import StoreError


class Health(TypedDict):
    status: Literal["ok", "unavailable"]
    version: str
    timestamp: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    now, request_id = ports.current(), str(event["requestContext"]["requestId"])
    try:
        unscoped(now.engine).get(keys.health())
    except StoreError as error:
        telemetry.fault("store", error, request_id=request_id)
        return _answer(503, "unavailable", request_id, now.clock())
    return _answer(200, "ok", request_id, now.clock())


def _answer(status: int, word: Literal["ok", "unavailable"], request_id: str, now: float) -> dict[str, Any]:
    body: Health = {"status": word, "version": VERSION, "timestamp": iso(int(now * 1000), zone="+00:00")}
    headers = {"content-type": "application/json", "X-Request-Id": request_id}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, separators=(",", ":"))}
