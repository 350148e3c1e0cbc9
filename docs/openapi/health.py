"""The health check (leadwire/dialects/crm/health.py): it needs no key, and is no dialect's route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadwire.dialects.crm.health import Health

from .refusals import JSON
from .schemas import Types

DIALECT, PATH = "crm", "/api/v1/health"


def added(paths: Mapping[str, Any], components: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document's paths and schemas with the health check."""
    types = Types()
    place = types.add(Health, "serialization")
    schemas, own = types.schemas()
    answer = {
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {JSON: {"schema": schemas[place]}},
    }
    operation = {
        "operationId": "crm_health_handler",
        "summary": "Check that the service answers",
        "tags": ["Health"],
        "security": [],
        "responses": {
            "200": {"description": "It does", **answer},
            "503": {"description": "The table does not answer", **answer},
        },
    }
    return {**paths, PATH: {"get": operation}}, {**components, **own}
