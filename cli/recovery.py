"""`leadwire webhook resend|recover|ping`: what is made due here is sent by the workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from leadwire import faces
from leadwire.errors import NotFound
from leadwire.webhooks import endpoints, recovery
from leadwire.webhooks.recovery import Again

from . import show
from .session import OfTenant, connected, tenant_ctx
from .show import AsJson

BY_NAME = {face.name: face for face in faces.ALL}


def resend(
    context: typer.Context,
    delivery: Annotated[str, typer.Argument(help="Id of the delivery.")],
    tenant: OfTenant,
    *,
    as_json: AsJson = False,
) -> None:
    """Send one delivery again, with a full schedule of retries, under the id that its receiver knows."""
    with connected(context, sending=True) as ports:
        due = recovery.resend(tenant_ctx(ports, tenant), delivery)
        show.record({"delivery": due.id, "message_id": due.message_id, "state": due.state}, as_json=as_json)


def recover(
    context: typer.Context,
    webhook: Annotated[str, typer.Argument(help="Id of the webhook.")],
    tenant: OfTenant,
    since: Annotated[str, typer.Option(help="ISO 8601 time of the first event, within the last 90 days.")],
    *,
    count: Annotated[bool, typer.Option("--count", help="Only count.")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="Also events that never reached it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send again what was given up since a time. Count first with --count."""
    with connected(context, sending=True) as ports:
        ctx = tenant_ctx(ports, tenant)
        low = recovery.since(_moment(since), ctx.now_ms())
        found = {"given_up": _all(lambda at: recovery.recover(ctx, webhook, at, count=count), low)}
        if missing:
            found["missing"] = _all(lambda at: recovery.replay_missing(ctx, BY_NAME, webhook, at, count=count), low)
        show.record({"webhook": webhook, **found, "sent": not count}, as_json=as_json)


def ping(
    context: typer.Context,
    webhook: Annotated[str, typer.Argument(help="Id of the webhook.")],
    tenant: OfTenant,
    *,
    as_json: AsJson = False,
) -> None:
    """Send the webhook one signed test message that is not an event."""
    with connected(context, sending=True) as ports:
        ctx = tenant_ctx(ports, tenant)
        found = endpoints.find(ctx.table, ctx.tenant.id, webhook)
        if found is None:
            raise NotFound("webhook")
        sent = recovery.ping(ctx, BY_NAME[found.face], found)
        show.record({"delivery": sent.id, "message_id": sent.message_id}, as_json=as_json)


def _all(step: Callable[[str], Again], low: str | None) -> int:
    """Call after call, each from where the one before it stopped."""
    made = 0
    while low:
        again = step(low)
        made, low = made + again.deliveries, again.next
    return made


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("must be an ISO 8601 date or date-time", param_hint="--since") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
