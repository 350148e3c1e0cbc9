"""What a dialect sends: the `webhooks` of its document, from its faces (leadwire/dialects/*/faces.py)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadwire import dialects
from leadwire.settings import Settings
from leadwire.webhooks.model import Face

from .refusals import JSON
from .schemas import Types

SETTINGS = Settings("", "", "", "")
SIGNED = {
    "webhook-id": "The same on every attempt of a delivery",
    "webhook-timestamp": "Epoch seconds of this attempt",
    "webhook-signature": "One signature for each valid secret, as in Standard Webhooks 1.0.0",
}
ABOUT = "An answer 2xx takes it, 410 disables the webhook, and anything else is tried again."


@dataclass(frozen=True, slots=True)
class Sent:
    """A face's word for an event, and the type of its body."""

    face: Face
    word: str
    shape: Any


def declared(name: str) -> list[Sent]:
    module = importlib.import_module(f"{dialects.__name__}.{name}.faces")
    return [Sent(face, word, shape) for face in module.FACES for word, shape in module.PAYLOADS[face.name].items()]


def section(sent: list[Sent], types: Types, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{one.face.name}.{one.word}": {"post": _operation(one, schemas[types.add(one.shape, "serialization")])}
        for one in sent
    }


def _operation(one: Sent, schema: Any) -> dict[str, Any]:
    return {
        "operationId": f"{one.face.name}_{one.word.replace('.', '_').lower()}",
        "summary": one.word,
        "description": ABOUT,
        "security": [],
        "parameters": list(_headers(one)),
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken"}, "410": {"description": "Never again"}},
    }


def _headers(one: Sent) -> Iterator[dict[str, Any]]:
    for name, description in SIGNED.items():
        yield {"name": name, "in": "header", "description": description, "required": True, "schema": {"type": "string"}}
    if one.face.signature:
        schema = {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"}
        yield {"name": one.face.signature, "in": "header", "required": True, "schema": schema}
    for name in one.face.headers(one.word, SETTINGS):
        yield {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
