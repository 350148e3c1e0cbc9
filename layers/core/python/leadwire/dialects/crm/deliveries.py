"""Webhook deliveries in the crm dialect: the whole tenant's log, resend, recover, replay what is missing, dry run.

Ours: LeadHub publishes no such routes. They show the deliveries of every dialect's webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import Moment
from leadwire.edge.types import Body, Dialect, QueryString, Reply, Request, Route
from leadwire.errors import Conflict, FieldError, InvalidInput, NotFound
from leadwire.webhooks import log, recovery
from leadwire.webhooks.log import Found, Logged, Wanted
from leadwire.webhooks.model import Delivery, Face, State
from leadwire.webhooks.recovery import Again, Verdict

from . import delivery_shapes, errors
from .delivery_shapes import FIRST_BYTES, Cursor, Deliveries, DeliveryRecord, Judgements, Redone, WholeDelivery
from .parts import One, Ulid

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{1,64}$")]


class DeliveryList(QueryString):
    """`GET /api/v1/webhook-deliveries`, newest first."""

    webhook_id: Id | None = None
    status: State | None = None
    event: Annotated[str, StringConstraints(max_length=64)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Annotated[Cursor | None, Field(description="`next_cursor` of the page before")] = None
    per_page: Annotated[int, Field(ge=1, le=100)] = 15


BOUNDS = ("since", "cursor")
"""Of which a call has one."""


class Recover(Body):
    """`POST …/recover` and `…/replay-missing`: `count_only` first; `cursor` goes on where a call ended."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": [one], "properties": {one: {"type": "string"}}} for one in BOUNDS]}
    )

    webhook_id: Id
    since: Annotated[Moment | None, Field(description="Within the last 90 days")] = None
    cursor: Annotated[
        Ulid | None, Field(description="`next_cursor` of the call before; `since` does not count then")
    ] = None
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
    return log.page(ctx, wanted, asked.per_page, asked.cursor or "")


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
    return recovery.since(body.since.ms, ctx.now_ms())


def show_page(_tenant: Tenant, found: Found) -> Reply[Deliveries]:
    return Reply(
        200,
        {
            "data": [delivery_shapes.shape(one, FIRST_BYTES) for one in found.logged],
            "meta": {"next_cursor": found.next},
        },
    )


def show(_tenant: Tenant, logged: Logged) -> Reply[One[WholeDelivery]]:
    """With all of each answer that was kept."""
    return Reply(200, {"data": {**delivery_shapes.shape(logged, None), "body": logged.delivery.body}})


def show_resent(_tenant: Tenant, delivery: Delivery) -> Reply[One[DeliveryRecord]]:
    return Reply(202, {"data": delivery_shapes.shape(Logged(delivery, []), None)})


def show_again(_tenant: Tenant, again: Again) -> Reply[One[Redone]]:
    return Reply(200, {"data": {"deliveries": again.deliveries, "next_cursor": again.next}})


def show_verdicts(_tenant: Tenant, verdicts: Sequence[Verdict]) -> Reply[Judgements]:
    return Reply(200, {"data": [delivery_shapes.judgement(one) for one in verdicts]})


BASE = "/api/v1/webhook-deliveries"
ITEM = BASE + "/{id}"
READ, WRITE = "read:webhooks", "write:webhooks"
SHOWN, REDONE, JUDGED = {200: One[WholeDelivery]}, {200: One[Redone]}, {200: Judgements}
UNSENDABLE = (
    Conflict("The webhook of this delivery is deleted or disabled"),
    Conflict("The delivery is being attempted at this moment"),
)
NO_WEBHOOK, NO_EVENT = (NotFound("webhook"),), (NotFound("event"),)


def dialect(*faces: Face) -> Dialect:
    """The routes, for the webhooks of these faces: other dialects' too, which no dialect imports."""
    by_name = {face.name: face for face in faces}
    replaying, trying = partial(replay_missing, by_name), partial(dry_run, by_name)
    return Dialect(
        name="crm",
        routes=(
            Route(
                "GET", BASE, READ, every, show_page, query=DeliveryList,
                summary="List webhook deliveries", answers={200: Deliveries},
            ),
            Route("GET", ITEM, READ, get, show, summary="Get a webhook delivery", answers=SHOWN),
            Route(
                "POST", ITEM + "/resend", WRITE, resend, show_resent,
                summary="Send a delivery again", answers={202: One[DeliveryRecord]}, refuses=UNSENDABLE,
            ),
            Route(
                "POST", BASE + "/recover", WRITE, recover, show_again, body=Recover,
                summary="Send again what was given up", answers=REDONE, refuses=NO_WEBHOOK,
            ),
            Route(
                "POST", BASE + "/replay-missing", WRITE, replaying, show_again, body=Recover,
                summary="Send what was never sent", answers=REDONE, refuses=NO_WEBHOOK,
            ),
            Route(
                "POST", BASE + "/dry-run", READ, trying, show_verdicts, body=DryRun,
                summary="Say what would become of an event", answers=JUDGED, refuses=NO_EVENT,
            ),
        ),
        render_error=errors.render,
        error_shape=errors.Failure,
    )  # fmt: skip
