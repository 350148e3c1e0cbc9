"""Items as JSON text, exactly: bytes and string sets are tagged, numbers keep all their digits."""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping

from pydantic_core import from_json

from .types import Item, Value

TAG = "\x00"
"""First character of the only key of a map that stands for something else: JSON can say neither bytes nor set."""
_TAG_IN_JSON = '"\\u0000'
_BYTES, _SET, _MAP = TAG + "B", TAG + "S", TAG + "M"


def encode(item: Mapping[str, Value]) -> str:
    """The item as JSON text. The item must have passed `limits.check_item`."""
    text = _encoder.encode(item)
    if _TAG_IN_JSON in text and any(isinstance(value, (Mapping, list, tuple)) for value in item.values()):
        return _encoder.encode(_escaped(item))
    return text


def decode(text: str) -> Item:
    """The item that was encoded: new objects, with every sequence as a list."""
    item: Item = from_json(text)
    if _TAG_IN_JSON in text:
        return {name: _restored(value) if isinstance(value, (dict, list)) else value for name, value in item.items()}
    return item


def _tagged(value: object) -> object:
    if isinstance(value, bytes):
        return {_BYTES: b2a_base64(value, newline=False).decode()}
    if isinstance(value, frozenset):
        return {_SET: sorted(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_tagged)


def _escaped(value: Value) -> Value:
    """The value with every map that looks like a tag wrapped in one."""
    if isinstance(value, Mapping):
        inner = {name: _escaped(part) for name, part in value.items()}
        return {_MAP: inner} if len(inner) == 1 and next(iter(inner)).startswith(TAG) else inner
    return [_escaped(part) for part in value] if isinstance(value, (list, tuple)) else value


def _restored(value: Value) -> Value:
    if isinstance(value, list):
        return [_restored(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, content),) = value.items()
        if name == _BYTES:
            return a2b_base64(content)
        if name == _SET:
            return frozenset(content)
        if name == _MAP:
            return {inner: _restored(part) for inner, part in content.items()}
    return {name: _restored(part) for name, part in value.items()}
