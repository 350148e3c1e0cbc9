"""Webhook deliveries in the crm dialect: the whole tenant's log, resend, recover, replay what is missing, dry run.

Ours: LeadHub publishes no such routes. They show the deliveries of every dialect's webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import Moment
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.webhooks import log, recovery
from leadwire.webhooks.log import Found, Logged, Wanted
from leadwire.webhooks.model import Delivery, Face, State
from leadwire.webhooks.recovery import Again, Verdict

from . import errors

FIRST_BYTES = 500

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{1,64}$")]
Ulid = Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]


class DeliveryList(QueryString):
    """`GET /api/v1/webhook-deliveries`, newest first."""

    webhook_id: Id | None = None
    status: State | None = None
    event: Annotated[str, StringConstraints(max_length=64)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Annotated[str, StringConstraints(max_length=100)] = ""
    per_page: Annotated[int, Field(ge=1, le=100)] = 15


class Recover(Body):
    """`POST …/recover` and `…/replay-missing`: `count_only` first; `cursor` goes on where a call ended."""

    webhook_id: Id
    since: Annotated[str, StringConstraints(max_length=64)] | None = None
    cursor: Ulid | None = None
    count_only: bool = False


class DryRun(Body):
    """`POST …/dry-run`: what would become of this event, and why."""

    event_id: Ulid


def every(ctx: Ctx, request: Request) -> Found:
    asked: DeliveryList = request.query
    wanted = Wanted(
        webhook=asked.webhook_id,
        state=asked.status,
        type=asked.event,
        since=asked.since.ms if asked.since else None,
        until=asked.until.ms if asked.until else None,
    )
    return log.page(ctx, wanted, asked.per_page, asked.cursor)


def get(ctx: Ctx, request: Request) -> Logged:
    return log.find(ctx, request.path["id"])


def resend(ctx: Ctx, request: Request) -> Delivery:
    return recovery.resend(ctx, request.path["id"])


def recover(ctx: Ctx, request: Request) -> Again:
    body: Recover = request.body
    return recovery.recover(ctx, body.webhook_id, _low(ctx, body), count=body.count_only)


def replay_missing(faces: Mapping[str, Face], ctx: Ctx, request: Request) -> Again:
    body: Recover = request.body
    return recovery.replay_missing(ctx, faces, body.webhook_id, _low(ctx, body), count=body.count_only)


def dry_run(faces: Mapping[str, Face], ctx: Ctx, request: Request) -> list[Verdict]:
    return recovery.dry_run(ctx, faces, request.body.event_id)


def _low(ctx: Ctx, body: Recover) -> str:
    if body.cursor:
        return body.cursor
    if body.since is None:
        raise InvalidInput(FieldError("since", "is required", "missing"))
    try:
        moment = Moment.read(body.since)
    except ValueError as error:
        raise InvalidInput(FieldError("since", str(error), "value_error", body.since)) from None
    return recovery.since(moment.ms, ctx.now_ms())


# --- shapes -----------------------------------------------------------------------------------------------------------


def show_page(_tenant: Tenant, found: Found) -> Reply:
    return Reply(200, {"data": [shape(one, FIRST_BYTES) for one in found.logged], "meta": {"next_cursor": found.next}})


def show(_tenant: Tenant, logged: Logged) -> Reply:
    """With all of each answer that was kept."""
    return Reply(200, {"data": {**shape(logged, None), "body": logged.delivery.body}})


def show_resent(_tenant: Tenant, delivery: Delivery) -> Reply:
    return Reply(202, {"data": shape(Logged(delivery, []), None)})


def show_again(_tenant: Tenant, again: Again) -> Reply:
    return Reply(200, {"data": {"deliveries": again.deliveries, "next_cursor": again.next}})


def show_verdicts(_tenant: Tenant, verdicts: Sequence[Verdict]) -> Reply:
    return Reply(200, {"data": [_verdict(one) for one in verdicts]})


def shape(logged: Logged, most: int | None) -> dict[str, Any]:
    delivery = logged.delivery
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook,
        "message_id": delivery.message_id,
        "event": delivery.type,
        "event_id": delivery.event,
        "sequence": delivery.sequence,
        "status": delivery.state,
        "next_attempt_at": _time(delivery.next_at) if delivery.state == "pending" else None,
        "created_at": _time(delivery.created_at),
        "attempts": [
            {
                "attempt": number,
                "at": _time(attempt["at"]),
                "status": attempt["status"] or None,
                "ms": attempt["ms"],
                "response": attempt["body"][:most] or None,
                "error": attempt["error"] or None,
                "next_attempt_at": _time(attempt["next_at"]),
            }
            for number, attempt in enumerate(logged.attempts, start=1)
        ],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "webhook_id": verdict.webhook.id,
        "events": list(verdict.words),
        "would_be_sent": not verdict.because,
        "because": list(verdict.because),
        "deliveries": [{"id": one.id, "status": one.state} for one in verdict.deliveries],
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else iso(ms, "milliseconds", "+00:00")


BASE = "/api/v1/webhook-deliveries"


def dialect(*faces: Face) -> Dialect:
    """The routes, for the webhooks of these faces: other dialects' too, which no dialect imports."""
    by_name = {face.name: face for face in faces}
    replaying, trying = partial(replay_missing, by_name), partial(dry_run, by_name)
    return Dialect(
        name="crm",
        routes=(
            Route("GET", BASE, "read:webhooks", every, show_page, query=DeliveryList),
            Route("GET", BASE + "/{id}", "read:webhooks", get, show),
            Route("POST", BASE + "/{id}/resend", "write:webhooks", resend, show_resent),
            Route("POST", BASE + "/recover", "write:webhooks", recover, show_again, body=Recover),
            Route("POST", BASE + "/replay-missing", "write:webhooks", replaying, show_again, body=Recover),
            Route("POST", BASE + "/dry-run", "read:webhooks", trying, show_verdicts, body=DryRun),
        ),
        render_error=errors.render,
    )
