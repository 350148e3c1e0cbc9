"""API Gateway's HTTP API with payload format 2.0: routes, events, answers, and the gateway's own refusals.

The server and the tests come through the same `Gateway.handle`. Behaviour that AWS does not document was taken from
published captures: `rawPath` is decoded, and a body is text only under the media types in `TEXT`.

Source: Amazon API Gateway Developer Guide, "Working with routes for HTTP APIs", "Lambda proxy integrations", "Quotas".
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from .description import ACCOUNT, Route
from .routes import Router
from .runtime import FunctionFailed

LARGEST_REQUEST = 10 * 1024 * 1024
LARGEST_ANSWER = 6 * 1024 * 1024
TEXT = ("text/", "application/json", "application/xml", "application/javascript")
API_ID = "local"
HOST = "localhost"


@dataclass(frozen=True, slots=True)
class Response:
    """Header names are in lower case; `cookies` are the values of Set-Cookie."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Sequence[str] = ()

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query as sent; header names are in lower case, repeated ones joined with commas."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    source_ip: str = "127.0.0.1"


class Malformed(Exception):
    """The function's answer is not one that the gateway understands."""


class Gateway:
    """`timer` is seconds; it measures what an integration took, which is too long only after the fact."""

    def __init__(
        self,
        routes: Sequence[Route],
        invoke: Callable[[str, Any], Any],
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        self._router = Router(routes)
        self._invoke = invoke
        self._clock = clock
        self._timer = timer

    def handle(self, request: Request) -> Response:
        raw_path, _, query = request.target.partition("?")
        path = unquote(raw_path)
        found = self._router.match(request.method, path)
        if found is None:
            return _refusal(404, "Not Found")
        route, parameters = found
        if len(request.body) > LARGEST_REQUEST:
            return _refusal(413, "Request Entity Too Large")
        event = _event(request, route, path, query, parameters, self._clock())
        started = self._timer()
        try:
            response = answer(self._invoke(route.function, event))
        except (FunctionFailed, Malformed):
            response = _refusal(500, "Internal Server Error")
        return _refusal(503, "Service Unavailable") if self._timer() - started > route.timeout else response


def answer(result: Any) -> Response:
    """The function's result as a response. Raises Malformed."""
    if not isinstance(result, Mapping) or "statusCode" not in result:
        body = result if isinstance(result, str) else _dumped(result)
        return _limited(Response(200, {"content-type": "application/json"}, body.encode()))
    status, headers, body = result["statusCode"], result.get("headers") or {}, result.get("body") or ""
    if not str(status).isdigit() or not isinstance(headers, Mapping) or not isinstance(body, str):
        raise Malformed(f"statusCode {status!r} with a body of type {type(body).__name__}")
    lowered = {str(name).lower(): _header(value) for name, value in headers.items()}
    lowered.setdefault("content-type", "text/plain;charset=utf-8")
    content = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    return _limited(Response(int(status), lowered, content, tuple(result.get("cookies") or ())))


def _event(
    request: Request, route: Route, path: str, query: str, parameters: Mapping[str, str], now: float
) -> dict[str, Any]:
    headers = dict(request.headers)
    cookies = headers.pop("cookie", "")
    headers.setdefault("host", HOST)
    if request.body:
        headers.setdefault("content-length", str(len(request.body)))
    request_id = str(uuid.uuid4())
    headers["x-amzn-trace-id"] = f"Root=1-{int(now):08x}-{request_id.replace('-', '')[:24]}"
    headers["x-forwarded-for"] = request.source_ip
    headers["x-forwarded-port"] = "80"
    headers["x-forwarded-proto"] = "http"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _context(request, route, path, headers, request_id, now),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = dict(parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return event


def _context(
    request: Request, route: Route, path: str, headers: Mapping[str, str], request_id: str, now: float
) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": headers["host"],
        "domainPrefix": headers["host"].split(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }


def _body(content: bytes, media_type: str) -> tuple[str, bool]:
    """The body as the event has it, and whether it is base64: it is, unless the media type says that it is text."""
    if media_type.lower().startswith(TEXT):
        try:
            return content.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(content).decode(), True


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _header(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise Malformed(f"a header's value of type {type(value).__name__}")


def _dumped(result: Any) -> str:
    try:
        return json.dumps(result)
    except (TypeError, ValueError) as wrong:
        raise Malformed(str(wrong)) from wrong


def _limited(response: Response) -> Response:
    if len(response.body) > LARGEST_ANSWER:
        raise Malformed(f"a body of {len(response.body)} bytes")
    return response


def _refusal(status: int, message: str) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps({"message": message}).encode())
