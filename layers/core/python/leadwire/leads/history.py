"""The conversation of a lead: its messages, and what was found out by them (its qualification).

A message is an item beside its lead. The last `SHOWN` are what lists, reads and webhooks show. They go after their lead
(erasure.py): by then nobody can add one, because a message is written with its lead as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from typing import Any, Literal

from leadwire import events, keys
from leadwire.context import Ctx
from leadwire.store.types import Item, Put, Query, TransactWrite

from . import model, service
from .model import Lead, Stored

SHOWN = 20
SHOWN_BYTES = 96 * 1024
"""If the messages that are shown take more, the oldest are left out: a webhook's body holds them and the lead."""
LIMIT = 4000
"""Characters of a message."""
COMPLETED = "COMPLETED"

type Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or another file that came with a message; `type` is its media type."""

    type: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `at` is epoch milliseconds; `id` is the ULID of its event."""

    id: str
    at: int
    direction: Direction
    name: str
    text: str
    media: tuple[Medium, ...] = ()


# --- messages ---------------------------------------------------------------------------------------------------------


def add(ctx: Ctx, number: int | None, draft: Message) -> Message:
    """Store a message with its event; its id and time are set here. Raises NotFound."""
    lead = service.get(ctx, number)
    last = ctx.table.query(_query(ctx, lead.number, limit=1)).items
    message = draft

    def along(lead: Lead) -> list[TransactWrite]:
        """The message's id follows the last event of the lead as it is written, also when the attempt is repeated."""
        nonlocal message
        message = replace(draft, id=ctx.ulid(max([lead.event, *map(_id, last)])), at=ctx.now_ms())
        type_ = events.MESSAGE_REPLIED if message.direction == "inbound" else events.MESSAGE_SENT
        told = events.of_lead(ctx, type_, message.id, model.snapshot(lead), {}, {"message": asdict(message)})
        return [Put(_item(ctx, lead.number, message)), events.put(replace(told, at=message.at))]

    service.beside(ctx.answering(lambda _: message), lead, along)
    return message


def recent(ctx: Ctx, leads: Sequence[Lead]) -> dict[int, list[Message]]:
    """Number to the last messages of that lead and of those that became part of it, the oldest first: at most `SHOWN`,
    and `SHOWN_BYTES`. One query each, side by side.
    """
    owners = [(lead.number, number) for lead in leads for number in (lead.number, *lead.merged)]
    pages = ctx.table.query_pages([_query(ctx, number, limit=SHOWN) for _, number in owners])
    found: dict[int, list[Message]] = {lead.number: [] for lead in leads}
    for (owner, _), page in zip(owners, pages, strict=True):
        found[owner] += map(_of_item, page.items)
    return {owner: _last(messages) for owner, messages in found.items()}


def _last(messages: Iterable[Message]) -> list[Message]:
    newest = sorted(messages, key=lambda message: message.id, reverse=True)[:SHOWN]
    sizes = accumulate(len(json.dumps(asdict(message), ensure_ascii=False).encode()) for message in newest)
    fitting = sum(size <= SHOWN_BYTES for size in sizes)
    return newest[:fitting][::-1]


def _query(ctx: Ctx, number: int, *, limit: int) -> Query:
    """The last messages, the newest first."""
    key = keys.message(ctx.tenant.id, number, "")
    return Query(key.pk, prefix=key.sk, consistent=True, limit=limit, forward=False)


# --- qualification ----------------------------------------------------------------------------------------------------


class Overfull(ValueError):
    """What was found out would be more than an open map may hold. Its message is for the caller."""


def qualify(ctx: Ctx, number: int | None, found: Mapping[str, Any]) -> Stored:
    """Add what was found out: status, data, summary, common, reason; maps are merged by key.

    The change that completes the conversation is told by an event of its own too. Raises NotFound, Overfull.
    """
    completing = False

    def wanted(lead: Lead) -> Lead:
        nonlocal completing
        before = lead.qualification
        maps = {name: {**before.get(name, {}), **found[name]} for name in ("data", "common") if name in found}
        problem = model.open_map_problem(maps.get("data", {}))
        if problem:
            raise Overfull(problem)
        after = {**before, **found, **maps}
        completing = after.get("status") == COMPLETED != before.get("status")
        return replace(lead, qualification=after)

    def along(lead: Lead) -> list[TransactWrite]:
        if not completing:
            return []
        shown = model.snapshot(lead)
        return [events.put(events.of_lead(ctx, events.CONVERSATION_COMPLETED, ctx.ulid(lead.event), shown, {}))]

    return service.change(ctx, number, wanted, along=along)


# --- items ------------------------------------------------------------------------------------------------------------


def _item(ctx: Ctx, number: int, message: Message) -> Item:
    key = keys.message(ctx.tenant.id, number, message.id)
    values = {name: getattr(message, name) for name in ("at", "direction", "name", "text")}
    media = json.dumps([asdict(medium) for medium in message.media], ensure_ascii=False)
    return {"pk": key.pk, "sk": key.sk, **values, "media": media}


def _of_item(item: Item) -> Message:
    values = {name: item[name] for name in ("at", "direction", "name", "text")}
    media = tuple(Medium(**medium) for medium in json.loads(item["media"]))
    return Message(id=_id(item), **values, media=media)


def _id(item: Item) -> str:
    return str(item["sk"]).rpartition("#")[2]
