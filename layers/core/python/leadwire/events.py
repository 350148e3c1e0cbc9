"""The catalogue of domain events, and the item that each becomes.

Events of leads are for everyone; `webhook.*` are for operators, about what becomes of deliveries (webhooks/notices.py).

An event is written in the transaction of the fact it tells (never "committed, then sent"). Its item is at once the
outbox (the table's stream hands it to `relay_events`), the lead's timeline, the audit log and the change feed. One ULID
is its id in the journal, on the bus, in the webhook header and in the attempt log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import ids, keys
from .context import Ctx, iso
from .json_text import json_text
from .store.types import PRESENT, Item, Key, Put, Update

LEAD_CREATED = "lead.created"
LEAD_UPDATED = "lead.updated"
LEAD_DELETED = "lead.deleted"
MESSAGE_REPLIED = "message.replied"
MESSAGE_SENT = "message.sent"
CONVERSATION_COMPLETED = "conversation.completed"
LEAD_MERGED = "lead.merged"
LEAD_UNMERGED = "lead.unmerged"
FORM_SUBMITTED = "form.submitted"
TASK_CREATED = "task.created"
USERS_NOTIFIED = "users.notified"
WEBHOOK_FAILING = "webhook.failing"
WEBHOOK_EXHAUSTED = "webhook.exhausted"
WEBHOOK_RECOVERED = "webhook.recovered"
WEBHOOK_DISABLED = "webhook.disabled"

CATALOGUE: dict[str, str] = {
    LEAD_CREATED: "A lead was made, by whichever dialect.",
    LEAD_UPDATED: "Fields, tags or lists of a lead changed.",
    LEAD_DELETED: "A lead is gone; the snapshot is its last.",
    LEAD_MERGED: "A lead became part of another one, whose number `about.into` has; the snapshot is its last.",
    LEAD_UNMERGED: "A lead that was part of another one is itself again.",
    MESSAGE_REPLIED: "A lead has written; `about` has the message.",
    MESSAGE_SENT: "A lead was written to; `about` has the message.",
    CONVERSATION_COMPLETED: "The qualification of a lead is complete; told beside the change that made it so.",
    FORM_SUBMITTED: "A form was sent; `about` has the form, the submission and its fields, `lead` who it became.",
    TASK_CREATED: "An automation set somebody a task; `about` has the text, when it is due, and whose the lead is.",
    USERS_NOTIFIED: "An automation has something to say to users; `about` has who they are and the message.",
    WEBHOOK_FAILING: "A delivery failed for the fourth time, and will be tried again.",
    WEBHOOK_EXHAUSTED: "A delivery failed for the last time; it can be recovered.",
    WEBHOOK_RECOVERED: "A delivery that was reported as failing or exhausted has succeeded.",
    WEBHOOK_DISABLED: "An endpoint was disabled, at its receiver's wish or because it kept failing.",
}


OF_VERSIONS = frozenset({LEAD_CREATED, LEAD_UPDATED, LEAD_DELETED, LEAD_MERGED, LEAD_UNMERGED})
"""Each of these made a new version of its lead; the others tell of something beside it."""
PREFIX = "EVT#"
"""Begins the sort keys of events."""
STAYS = ("number", "version", "created_at", "updated_at", "status")
"""What stays of a snapshot after its lead was erased (leads/erasure.py)."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a lead. `lead` is the snapshot after it; `changes` maps field to [before, after].

    Stored and on the bus it has each value once: what a field has become is left out where the snapshot says it.

    Of a webhook: `number` and `version` are 0, `lead` is empty, and `webhook` says what happened.
    """

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
    webhook: Mapping[str, Any] = field(default_factory=dict)
    """Of `webhook.*` only: the endpoint's `id`, and what is to be told. Nothing personal."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What happened to the lead, where it is more than a change of its fields: a submission …"""

    @property
    def erased(self) -> bool:
        """Whether it says only that it happened: its lead was deleted, and is not to be known any more."""
        return bool(self.lead.get("erased"))


def of_lead(
    ctx: Ctx,
    type_: str,
    ulid: str,
    lead: Mapping[str, Any],
    changes: Mapping[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Event:
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
        about=about or {},
    )


def of_webhook(tenant: str, type_: str, ulid: str, at: int, cause: str, told: Mapping[str, Any]) -> Event:
    """`cause` is the event whose delivery it is about, if any; `told` has the endpoint's `id`."""
    actor = "system:webhooks"
    return Event(ulid, type_, tenant, 0, 0, at, actor, "", lead={}, changes={}, cause=cause, webhook=told)


def put(event: Event) -> Put:
    """The write that belongs into the fact's transaction."""
    about = event.webhook.get("id")
    key = (
        keys.webhook_event(event.tenant, about, event.id) if about else keys.event(event.tenant, event.number, event.id)
    )
    journal = keys.journal(event.tenant, iso(ids.ulid_ms(event.id))[:10])
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
        "lead": json_text(event.lead),
        "changes": json_text(_brief(event)),
    }
    if event.cause:
        item |= {"cause": event.cause, "hops": event.hops}
    if event.webhook:
        item["webhook"] = json_text(event.webhook)
    if event.about:
        item["about"] = json_text(event.about)
    return Put(item)


def from_item(item: Mapping[str, Any]) -> Event:
    lead = json.loads(item["lead"])
    return Event(
        id=str(item["sk"]).removeprefix(PREFIX),
        type=item["type"],
        tenant=item["tenant"],
        number=int(item["number"]),
        version=int(item["version"]),
        at=int(item["at"]),
        actor=item["actor"],
        request_id=item["request_id"],
        lead=lead,
        changes=_full(json.loads(item["changes"]), lead),
        cause=item.get("cause", ""),
        hops=int(item.get("hops", 0)),
        webhook=json.loads(item.get("webhook", "{}")),
        about=json.loads(item.get("about", "{}")),
    )


def emptied(item: Item) -> Update:
    """The write that leaves of an event what it is, when, by whom and about which numbers."""
    lead, about = json.loads(item["lead"]), json.loads(item.get("about", "{}"))
    snapshot = {name: lead[name] for name in STAYS} | {"erased": True}
    numbers = {name: value for name, value in about.items() if isinstance(value, int)}
    left: Item = {"lead": json_text(snapshot), "changes": "{}", "about": json_text(numbers)}
    return Update(Key(item["pk"], item["sk"]), set=left, condition=PRESENT)


def to_detail(event: Event) -> str:
    """The event as the `detail` of a bus entry."""
    return json_text({name: getattr(event, name) for name in Event.__slots__} | {"changes": _brief(event)})


def from_detail(detail: Mapping[str, Any]) -> Event:
    return Event(**{**detail, "changes": _full(detail["changes"], detail["lead"])})


def _brief(event: Event) -> dict[str, list[Any]]:
    """Changes without what the snapshot says: so the largest event is two leads, and not three."""
    said = {name for name, (_, after) in event.changes.items() if name in event.lead and event.lead[name] == after}
    return {name: [pair[0]] if name in said else list(pair) for name, pair in event.changes.items()}


def _full(changes: Mapping[str, list[Any]], lead: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: pair if len(pair) > 1 else [*pair, lead[name]] for name, pair in changes.items()}
