"""Files for anybody, without a key: the published documents and the page that shows them."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .http import Event, Handler

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}
HEADERS = {
    # Asked again each time, answered with 304 while nothing has changed: a deployment shows at once.
    "cache-control": "public, no-cache",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # The page runs, and asks for, nothing but what comes from here. Swagger UI draws its arrows with data URLs.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    packed: bytes
    etag: str


def door(files: Mapping[str, Path]) -> Handler:
    """The handler of a function that serves these files, by path. They are text, and do not change while it runs."""

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        request_id = {"X-Request-Id": str(event["requestContext"]["requestId"])}
        path = files.get(event["rawPath"])
        if path is None:
            headers = {"content-type": "application/json", **request_id}
            return {"statusCode": 404, "headers": headers, "body": json.dumps({"message": "Not Found"})}
        return _answer(event.get("headers", {}), path, request_id)

    return handler


def _answer(asked: Mapping[str, str], path: Path, headers: Mapping[str, str]) -> dict[str, Any]:
    file = _read(path)
    headers = {**HEADERS, **headers, "etag": file.etag}
    if file.etag in asked.get("if-none-match", ""):
        return {"statusCode": 304, "headers": headers}
    headers = {**headers, "content-type": TYPES[path.suffix]}
    if "gzip" not in asked.get("accept-encoding", ""):
        return {"statusCode": 200, "headers": headers, "body": file.content.decode()}
    body = base64.b64encode(file.packed).decode()
    return {
        "statusCode": 200,
        "headers": {**headers, "content-encoding": "gzip"},
        "body": body,
        "isBase64Encoded": True,
    }


@functools.cache
def _read(path: Path) -> File:
    content = path.read_bytes()
    # Weak, because the packed and the plain file share it.
    return File(content, gzip.compress(content, mtime=0), f'W/"{hashlib.sha256(content).hexdigest()[:16]}"')
