"""The catalogue of domain events, and the item that each becomes.

An event is written in the transaction of the fact it tells (never "committed, then sent"). Its item is at once the
outbox (the table's stream hands it to `relay_events`), the lead's timeline, the audit log and the change feed. One ULID
is its id in the journal, on the bus, in the webhook header and in the attempt log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import keys
from .context import Ctx, iso
from .store.types import Item, Put

LEAD_CREATED = "lead.created"
LEAD_UPDATED = "lead.updated"
LEAD_DELETED = "lead.deleted"

CATALOGUE: dict[str, str] = {
    LEAD_CREATED: "A lead was made, by whichever dialect.",
    LEAD_UPDATED: "Fields, tags or lists of a lead changed.",
    LEAD_DELETED: "A lead is gone; the snapshot is its last.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a lead. `lead` is the snapshot after it; `changes` maps field to [before, after]."""

    id: str
    type: str
    tenant: str
    number: int
    version: int
    at: int
    """Epoch milliseconds."""
    actor: str
    """`type:id` of the actor."""
    request_id: str
    lead: Mapping[str, Any]
    changes: Mapping[str, Any]
    cause: str = ""
    hops: int = 0


def of_lead(ctx: Ctx, type_: str, ulid: str, lead: Mapping[str, Any], changes: Mapping[str, Any]) -> Event:
    return Event(
        id=ulid,
        type=type_,
        tenant=ctx.tenant.id,
        number=lead["number"],
        version=lead["version"],
        at=lead["updated_at"],
        actor=f"{ctx.actor.type}:{ctx.actor.id}",
        request_id=ctx.request_id,
        lead=lead,
        changes=changes,
        cause=ctx.cause,
        hops=ctx.hops,
    )


def put(event: Event) -> Put:
    """The write that belongs into the fact's transaction."""
    key = keys.event(event.tenant, event.number, event.id)
    journal = keys.journal(event.tenant, iso(event.at)[:10])
    item: Item = {
        "pk": key.pk,
        "sk": key.sk,
        **keys.indexed(g1=(journal, event.id)),
        "tenant": event.tenant,
        "type": event.type,
        "number": event.number,
        "version": event.version,
        "at": event.at,
        "actor": event.actor,
        "request_id": event.request_id,
        "lead": _compact(event.lead),
        "changes": _compact(event.changes),
    }
    if event.cause:
        item |= {"cause": event.cause, "hops": event.hops}
    return Put(item)


def from_item(item: Mapping[str, Any]) -> Event:
    return Event(
        id=str(item["sk"]).removeprefix("EVT#"),
        type=item["type"],
        tenant=item["tenant"],
        number=int(item["number"]),
        version=int(item["version"]),
        at=int(item["at"]),
        actor=item["actor"],
        request_id=item["request_id"],
        lead=json.loads(item["lead"]),
        changes=json.loads(item["changes"]),
        cause=item.get("cause", ""),
        hops=int(item.get("hops", 0)),
    )


def to_detail(event: Event) -> str:
    """The event as the `detail` of a bus entry."""
    return _compact({name: getattr(event, name) for name in Event.__slots__})


def from_detail(detail: Mapping[str, Any]) -> Event:
    return Event(**detail)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
