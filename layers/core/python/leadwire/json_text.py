"""JSON as it is stored and sent: no spaces, and UTF-8 in place of escapes, because the table charges by the byte."""

from __future__ import annotations

import json

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict)


def json_text(value: object) -> str:
    """The value as JSON. Any mapping is an object; what JSON cannot say raises TypeError."""
    return _encoder.encode(value)
