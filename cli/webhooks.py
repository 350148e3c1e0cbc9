"""`leadwire webhook …`"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from leadwire import keys
from leadwire.context import Ctx, iso
from leadwire.store.types import Key, Query
from leadwire.webhooks import attempts, endpoints, store
from leadwire.webhooks.model import Delivery, Webhook

from . import recovery, show
from .session import OfTenant, connected, tenant_ctx
from .show import AsJson

app = typer.Typer(help="Webhooks: follow their deliveries, and send them again.", no_args_is_help=True)
for command in (recovery.resend, recovery.recover, recovery.ping):
    app.command()(command)

PAUSE = 1.0
"""Seconds between two looks."""
NEWEST = 500
"""Deliveries of a webhook that are looked at: older ones have used up their retries, or the webhook is very busy."""
FIRST_BYTES = 80
OVER = frozenset({"delivered", "exhausted", "closed"})


@app.command()
def tail(
    context: typer.Context,
    tenant: OfTenant,
    *,
    once: Annotated[bool, typer.Option("--once", help="Show the attempts there are, and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Follow the attempts to deliver, as they are made, until Ctrl-C."""
    with connected(context) as ports:
        log = AttemptLog(tenant_ctx(ports, tenant))
        while True:
            for attempt in log.new():
                show.say(json.dumps(attempt) if as_json else _sentence(attempt))
            if once:
                return
            time.sleep(PAUSE)


@dataclass(slots=True)
class AttemptLog:
    """The attempts of a tenant's deliveries that have not been read yet."""

    ctx: Ctx
    seen: dict[Key, int] = field(default_factory=dict)
    """How many attempts of a delivery have been read."""
    over: set[Key] = field(default_factory=set)
    """Deliveries of which there is nothing more to come."""

    def new(self) -> list[dict[str, Any]]:
        """In the order in which they were made."""
        tenant = self.ctx.tenant.id
        webhooks = {webhook.id: webhook for webhook in endpoints.every(self.ctx.table, tenant)}
        open_ = [key for webhook in webhooks for key in self._deliveries(webhook) if key not in self.over]
        found = {key: store.delivery_of(item) for key, item in self.ctx.table.batch_get(open_).items()}
        fresh = {key: one for key, one in found.items() if one.attempts > self.seen.get(key, 0)}
        logs = attempts.of_deliveries(self.ctx.table, list(fresh.values()))
        rows = [
            row
            for (key, delivery), lines in zip(fresh.items(), logs, strict=True)
            for row in self._new(key, delivery, lines, webhooks[delivery.webhook])
        ]
        self.over |= {key for key, delivery in found.items() if delivery.state in OVER}
        return sorted(rows, key=lambda row: (row["at"], row["attempt"]))

    def _deliveries(self, webhook: str) -> list[Key]:
        partition = keys.endpoint_log(self.ctx.tenant.id, webhook)
        page = self.ctx.table.query(Query(partition, index="g1", forward=False, limit=NEWEST))
        return [Key(row["pk"], row["sk"]) for row in page.items]

    def _new(
        self, key: Key, delivery: Delivery, lines: Sequence[Mapping[str, Any]], webhook: Webhook
    ) -> Iterator[dict[str, Any]]:
        known, self.seen[key] = self.seen.get(key, 0), delivery.attempts
        for number, line in enumerate(lines, start=1):
            if number > known:
                yield _row(delivery, number, line, webhook)


def _row(delivery: Delivery, number: int, attempt: Mapping[str, Any], webhook: Webhook) -> dict[str, Any]:
    last = number == delivery.attempts
    return {
        "at": iso(attempt["at"], "milliseconds"),
        "type": delivery.type,
        "webhook": webhook.id,
        "url": webhook.url,
        "event": delivery.event,
        "delivery": delivery.id,
        "attempt": number,
        "status": attempt["status"] or None,
        "ms": attempt["ms"],
        "response": attempt["body"][:FIRST_BYTES] or None,
        "error": attempt["error"] or None,
        "state": delivery.state if last else "pending",
        "next_at": iso(attempt["next_at"], "milliseconds") if attempt["next_at"] else None,
    }


def _sentence(attempt: dict[str, Any]) -> str:
    answer = attempt["status"] or attempt["error"]
    then = f"next try {attempt['next_at']}" if attempt["next_at"] else attempt["state"]
    number = f"attempt {attempt['attempt']}"
    said = f"  {attempt['response']!r}" if attempt["response"] else ""
    line = f"{attempt['at']}  {attempt['type']}  {attempt['webhook']}  {number}: {answer}, {attempt['ms']} ms, {then}"
    return line + said
