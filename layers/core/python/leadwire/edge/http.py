"""The way in for every dialect: one Lambda event in, one answer out, and nothing past the door that is not in order.

    route ─▶ key ─▶ admission (one update: who, how often) ─▶ scope ─▶ size ─▶ query, body ─▶ claim ─▶ verb ─▶ answer

Payload format 2.0: docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import apikeys, ports, telemetry
from leadwire.admission import Admission, admit
from leadwire.context import Actor, Ctx, open_ctx
from leadwire.errors import Broken, Forbidden, LeadwireError, RateLimited, TooLarge, Unauthorized, Unready
from leadwire.json_text import json_text
from leadwire.ports import Ports
from leadwire.store.table import Meter, Table
from leadwire.store.types import Throttled, TransactionConflict, Unavailable

from . import idempotency, strict
from .types import Dialect, Reply, Request, Route

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

type Event = Mapping[str, Any]
type Handler = Callable[[Event, Any], dict[str, Any]]


def door(*dialects: Dialect) -> Handler:
    """The handler of a function that serves these dialects. Where two claim a route, the key's family decides (D13)."""
    ports.prepare()
    table = {(dialect.name, route.key): route for dialect in dialects for route in dialect.routes}

    def handler(event: Event, _context: Any) -> dict[str, Any]:
        call = Call(event, ports.current(), _dialect(dialects, table, event))
        reply = _answer(call, table[call.dialect.name, event["routeKey"]])
        _account(call, reply.status)
        return _response(call, reply)

    return handler


@dataclass(slots=True)
class Call:
    """One request on its way through the edge, and what is known of it so far."""

    event: Event
    ports: Ports
    dialect: Dialect
    meter: Meter = field(default_factory=Meter)
    admission: Admission | None = None
    error: str = ""
    replayed: bool = False

    @property
    def request_id(self) -> str:
        return str(self.event["requestContext"]["requestId"])

    def header(self, name: str) -> str:
        return str(self.event.get("headers", {}).get(name, ""))

    def raw_body(self) -> bytes:
        body = self.event.get("body") or ""
        return base64.b64decode(body) if self.event.get("isBase64Encoded") else body.encode()

    def summary(self, status: int) -> dict[str, Any]:
        """The wide log line: whose, what, how it went, what it cost. No header, no body, no value of a path."""
        admission, consumed = self.admission, self.meter.consumed
        return {
            "request_id": self.request_id,
            "route": self.event["routeKey"],
            "dialect": self.dialect.name,
            "status": status,
            "error": self.error or None,
            "tenant": admission.tenant.id if admission else None,
            "key_id": admission.key_id if admission else None,
            "replayed": self.replayed,
            "wru": consumed.wru,
            "rru": consumed.rru,
            "trips": self.meter.trips,
        }


def _dialect(dialects: Sequence[Dialect], table: Mapping[tuple[str, str], Route], event: Event) -> Dialect:
    claimants = [dialect for dialect in dialects if (dialect.name, event["routeKey"]) in table]
    for dialect in claimants[1:]:
        if _token(dialect, event).startswith(apikeys.FAMILIES[dialect.name].prefix):
            return dialect
    return claimants[0]


def _answer(call: Call, route: Route) -> Reply:
    try:
        return _serve(call, route)
    except LeadwireError as error:
        return _refusal(call, error)
    except (Throttled, TransactionConflict, Unavailable) as error:
        telemetry.fault("store", error, request_id=call.request_id)
        return _refusal(call, Unready("The store is busy; try again"))
    except Exception as error:  # noqa: BLE001  # a bug of ours: logged with its place, counted, alarmed as a 5xx
        telemetry.fault("request.crashed", error, request_id=call.request_id, route=route.key)
        return _refusal(call, Broken("Something went wrong on our side"))


def _account(call: Call, status: int) -> None:
    summary = call.summary(status)
    telemetry.say("request", **summary)
    counts = {"Requests": 1, "WriteUnits": summary["wru"], "ReadUnits": summary["rru"]}
    refused = {call.error: 1} if call.error else {}
    telemetry.count({**counts, **refused}, dimensions={"dialect": call.dialect.name})


def _refusal(call: Call, error: LeadwireError) -> Reply:
    call.error = error.code
    tenant = call.admission.tenant if call.admission else None
    reply = call.dialect.render_error(tenant, error, call.request_id)
    if isinstance(error, RateLimited):
        return replace(reply, headers={**reply.headers, "Retry-After": str(error.retry_after)})
    return reply


def _serve(call: Call, route: Route) -> Reply:
    call.admission = admission = _admit(call)
    if admission.retry_after:
        raise RateLimited(admission.retry_after)
    if not admission.may(route.scope):
        raise Forbidden(f"The API key lacks the scope {route.scope}")
    raw = call.raw_body()
    if len(raw) > route.body_limit:
        raise TooLarge(f"The body is larger than {route.body_limit // 1024} KiB")
    request = _request(call, route, raw, admission)
    actor = Actor("api_key", admission.key_id)
    ctx = open_ctx(call.ports, admission.tenant, actor, call.request_id, call.meter)
    key = call.event.get("headers", {}).get(idempotency.HEADER) if route.method in UNSAFE else None
    if key is None:
        return route.render(ctx.tenant, route.call(ctx, request))
    claim = idempotency.claim(ctx, key, _fingerprint(call, raw), _renderer(ctx, route), seals=route.seals)
    return _once(call, route, ctx, request, claim)


def _once(call: Call, route: Route, ctx: Ctx, request: Request, claim: idempotency.Claim | Reply) -> Reply:
    if isinstance(claim, Reply):
        call.replayed = True
        return claim
    ctx = replace(ctx, answer=claim)
    try:
        result = route.call(ctx, request)
    except (LeadwireError, Throttled, TransactionConflict):
        claim.release(ctx)  # nothing was written; after Unavailable nobody knows, and the claim runs out by itself
        raise
    return claim.finish(ctx, result)


def _admit(call: Call) -> Admission:
    token = _token(call.dialect, call.event)
    if not token:
        raise Unauthorized("No API key was sent", missing=True)
    if apikeys.family_of(token) != call.dialect.name:
        raise Unauthorized("The API key is invalid, revoked or expired")
    table = Table(call.ports.engine, "", call.meter)
    return admit(table, token, int(call.ports.clock()))


def _token(dialect: Dialect, event: Event) -> str:
    value = str(event.get("headers", {}).get(dialect.key_header, "")).strip()
    if dialect.key_header != "authorization":
        return value
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _request(call: Call, route: Route, raw: bytes, admission: Admission) -> Request:
    may_lack = route.method == "DELETE" or (route.body is not None and route.body.optional)
    bodied = None if may_lack and not raw else route.body
    query = urllib.parse.parse_qs(call.event.get("rawQueryString", ""), keep_blank_values=True)
    return Request(
        path=call.event.get("pathParameters") or {},
        query=strict.parse_query(route.query, query),
        body=strict.parse_body(bodied, raw, call.header("content-type"), admission.tenant) if bodied else None,
        url=f"{call.header('x-forwarded-proto') or 'https'}://{call.header('host')}{call.event['rawPath']}",
        scopes=admission.scopes,
    )


def _renderer(ctx: Ctx, route: Route) -> Callable[[Any], Reply]:
    return lambda result: route.render(ctx.tenant, result)


def _fingerprint(call: Call, raw: bytes) -> str:
    event = call.event
    return idempotency.fingerprint(
        event["requestContext"]["http"]["method"], event["rawPath"], event.get("rawQueryString", ""), raw
    )


def _response(call: Call, reply: Reply) -> dict[str, Any]:
    headers = {"content-type": "application/json", "X-Request-Id": call.request_id, **_limits(call), **reply.headers}
    if call.ports.settings.debug_capacity:
        consumed = call.meter.consumed
        headers["X-Leadwire-Capacity"] = f"wru={consumed.wru:g} rru={consumed.rru:g} trips={call.meter.trips}"
    if reply.body is None:
        return {"statusCode": reply.status, "headers": headers}
    body = json_text(reply.body)
    return {"statusCode": reply.status, "headers": headers, "body": body}


def _limits(call: Call) -> Mapping[str, str]:
    admission = call.admission
    if admission is None:
        return {}
    common = {
        "X-RateLimit-Limit": str(admission.limit),
        "X-RateLimit-Remaining": str(admission.limit - admission.used),
        "X-RateLimit-Reset": str(admission.reset),
    }
    return {**common, **(call.dialect.limit_headers(admission) if call.dialect.limit_headers else {})}
