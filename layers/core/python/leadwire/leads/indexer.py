"""From the table's stream to the index: which leads changed, which chunks they touch, and when PENDING may go."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leadwire import keys, telemetry, tenants
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.ports import Message, Ports
from leadwire.store.expressions import unmarshal_item
from leadwire.store.types import Item, StoreError

from . import erasure, index, items, pending
from .index import Spot
from .model import Lead

WORKER = "index_leads"
PER_MESSAGE = 1000
"""Pairs of number and version in one message of the tidy queue: at most 30 KB."""


class QueueRefused(Exception):
    """The queue did not take a message: the batch is tried again, and indexed again, which changes nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the stream: the lead before and after, None where it was not there."""

    tenant: str
    before: Lead | None
    after: Lead | None

    @property
    def indexed(self) -> tuple[int, int]:
        """Number and version of the pending item that this change wrote; a deletion writes a version of its own."""
        if self.after:
            return self.after.number, self.after.version
        return (self.before.number, self.before.version + 1) if self.before else (0, 0)


@dataclass(slots=True)
class Indexed:
    """What a batch came to, for the log line and the metrics."""

    leads: int = 0
    chunks: int = 0
    conflicts: int = 0
    """Chunks that another worker changed first, each time it happened."""


def index_records(ports: Ports, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of the table's stream, all or nothing: what raises is handed over again, whole or halved."""
    indexed = run(ports, [_change(record["dynamodb"]) for record in records])
    telemetry.say("leads.indexed", records=len(records), **asdict(indexed))
    telemetry.count({"LeadsIndexed": indexed.leads, "IndexConflicts": indexed.conflicts})
    return {"batchItemFailures": []}


def tidy_messages(ports: Ports, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of the tidy queue; the messages that failed are named and come again."""
    failed = []
    for record in records:
        try:
            tidy(ports, record["body"])
        except StoreError as error:
            telemetry.fault("index.untidied", error, message_id=record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _change(record: Mapping[str, Any]) -> Change:
    old, new = (unmarshal_item(record[image]) if image in record else None for image in ("OldImage", "NewImage"))
    return of_images(keys.tenant_of(record["Keys"]["pk"]["S"]), old, new)


def of_images(tenant: str, old: Item | None, new: Item | None) -> Change:
    return Change(tenant, items.of_item(old) if old else None, items.of_item(new) if new else None)


def run(ports: Ports, changes: Iterable[Change]) -> Indexed:
    """Index a batch. Raises index.Overtaken, QueueRefused or the store's errors: the batch is then tried again."""
    by_tenant: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_tenant[change.tenant].append(change)
    account = Indexed()
    for tenant, batch in by_tenant.items():
        ctx = _ctx(ports, tenant)
        if ctx is None:
            continue
        touched = touched_by(batch)
        account.conflicts += index.refresh(ctx, touched)
        account.leads += len({change.indexed[0] for change in batch})
        account.chunks += len(touched)
        _send(ctx, ctx.ports.settings.jobs_queue_url, erasure.messages(tenant, _gone(batch)))
        _tidy_later(ctx, [change.indexed for change in batch])
    return account


def touched_by(batch: Iterable[Change]) -> dict[Spot, set[int]]:
    """Every chunk that a lead of the batch was or is in, grouped so that each is touched once."""
    touched: dict[Spot, set[int]] = defaultdict(set)
    for change in batch:
        for lead in (change.before, change.after):
            for spot in index.spots_of(lead):
                touched[spot].add(change.indexed[0])
    return dict(touched)


def tidy(ports: Ports, body: str) -> None:
    """Forget what a message of the tidy queue says was indexed `pending.GRACE` ago."""
    message = json.loads(body)
    ctx = _ctx(ports, message["tenant"])
    if ctx:
        pending.forget(ctx, message["indexed"])


def _ctx(ports: Ports, tenant: str) -> Ctx | None:
    """None for a tenant that is gone: there is nobody to keep an index for."""
    try:
        return tenants.operate(ports, tenants.load(ports, tenant), WORKER)
    except NotFound:
        return None


def _tidy_later(ctx: Ctx, indexed: list[tuple[int, int]]) -> None:
    latest = sorted(dict(sorted(indexed)).items())
    messages = [
        Message(
            json.dumps({"tenant": ctx.tenant.id, "indexed": latest[start : start + PER_MESSAGE]}),
            group=ctx.tenant.id,
            delay=pending.GRACE,
        )
        for start in range(0, len(latest), PER_MESSAGE)
    ]
    _send(ctx, ctx.ports.settings.tidy_queue_url, messages)


def _gone(batch: Iterable[Change]) -> list[Lead]:
    return [change.before for change in batch if change.before and not change.after]


def _send(ctx: Ctx, url: str, messages: Iterable[Message]) -> None:
    some = [*messages]
    refused = ctx.ports.queue.send(url, some) if some else []
    if refused:
        raise QueueRefused(f"a queue refused {len(refused)} messages")
