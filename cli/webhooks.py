"""`leadwire webhook …`"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from leadwire import keys
from leadwire.context import Ctx, iso
from leadwire.store.types import Item, Key, Query
from leadwire.webhooks import endpoints
from leadwire.webhooks.model import Webhook

from . import recovery, show
from .session import OfTenant, connected, tenant_ctx
from .show import AsJson

app = typer.Typer(help="Webhooks: what became of their deliveries, and making them again.", no_args_is_help=True)
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
        found = self.ctx.table.batch_get(open_)
        attempts = [
            attempt for key, item in found.items() for attempt in self._attempts(key, item, webhooks[item["webhook"]])
        ]
        return sorted(attempts, key=lambda attempt: (attempt["at"], attempt["attempt"]))

    def _deliveries(self, webhook: str) -> list[Key]:
        partition = keys.endpoint_log(self.ctx.tenant.id, webhook)
        page = self.ctx.table.query(Query(partition, index="g1", forward=False, limit=NEWEST))
        return [Key(row["pk"], row["sk"]) for row in page.items]

    def _attempts(self, key: Key, delivery: Item, webhook: Webhook) -> Iterator[dict[str, Any]]:
        first = self.seen.get(key, 0) + 1
        for number in range(first, delivery["attempts"] + 1):
            attempt = self.ctx.table.get(keys.attempt(delivery["tenant"], delivery["id"], number))
            if attempt is not None:
                yield _row(delivery, number, attempt, webhook)
        self.seen[key] = delivery["attempts"]
        if delivery["state"] in OVER:
            self.over.add(key)


def _row(delivery: Item, number: int, attempt: Item, webhook: Webhook) -> dict[str, Any]:
    last = number == delivery["attempts"]
    return {
        "at": iso(attempt["at"], "milliseconds"),
        "type": delivery["type"],
        "webhook": webhook.id,
        "url": webhook.url,
        "event": delivery["event"],
        "delivery": delivery["id"],
        "attempt": number,
        "status": attempt["status"] or None,
        "ms": attempt["ms"],
        "response": attempt["body"][:FIRST_BYTES] or None,
        "error": attempt["error"] or None,
        "state": delivery["state"] if last else "pending",
        "next_at": iso(attempt["next_at"], "milliseconds") if attempt["next_at"] else None,
    }


def _sentence(attempt: dict[str, Any]) -> str:
    answer = attempt["status"] or attempt["error"]
    then = f"next try {attempt['next_at']}" if attempt["next_at"] else attempt["state"]
    number = f"attempt {attempt['attempt']}"
    said = f"  {attempt['response']!r}" if attempt["response"] else ""
    line = f"{attempt['at']}  {attempt['type']}  {attempt['webhook']}  {number}: {answer}, {attempt['ms']} ms, {then}"
    return line + said
