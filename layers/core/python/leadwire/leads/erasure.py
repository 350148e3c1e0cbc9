"""What is left of a lead that was deleted: that it was. What it was goes, a little later and in bounded steps.

    DELETE  ─▶ lead, its places in the sort orders, its membership in identities      in the request's transaction
    stream  ─▶ index_leads: out of the index ─▶ a message of the jobs queue, that rings after `GRACE`
    message ─▶ run_jobs: messages, submissions, markers of merges go, events are emptied; the rest is another message

Events keep what they are, when, by whom and about which number, so that the feed and the audit log have no gaps and the
feed can be folded. Leads that had become part of the lead go with it. docs/privacy.md says what is kept for how long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from leadwire import events, keys
from leadwire.context import Ctx
from leadwire.ports import Message
from leadwire.store.types import Delete, Item, Page, Put, Query

from .model import Lead

GRACE = 900
"""Seconds from the deletion, the longest that a queue delays: who follows the feed sees all of a lead's events."""
LIMIT = 500
"""Items that one call erases."""
NEAR = 20
"""The last change of a lead is among so many of its latest events, however clocks differ."""
NOTHING = Page([], None)
PER_MESSAGE = 100
"""Deleted leads of one message, each with those that it was made of: at most 80 KB."""


def messages(tenant: str, deleted: Iterable[Lead]) -> Iterator[Message]:
    """What to send to the jobs queue when leads were deleted, or became part of another: `work` finds out which."""
    gone = ((number, lead.number) for lead in deleted for number in (*lead.merged, lead.number))
    for some in batched(gone, PER_MESSAGE, strict=False):
        yield Message(json.dumps({"tenant": tenant, "erase": some}), group=tenant, delay=GRACE)


def work(ctx: Ctx, message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Erase the next items of what a message names. Returns the message that names the rest, None if there is none."""
    waiting, after, room = list(message["erase"]), str(message.get("after", "")), LIMIT
    while waiting and room:
        number, owner = waiting[0]
        page = _items(ctx, number, after, room) if after or _is_gone(ctx, number, owner) else NOTHING
        _erase(ctx, page.items)
        room -= len(page.items)
        after = page.next["sk"] if page.next else ""
        waiting = waiting if after else waiting[1:]
    return {**message, "erase": waiting, "after": after} if waiting else None


def _items(ctx: Ctx, number: int, after: str, limit: int) -> Page:
    """What stands under the lead's number; nobody adds anything to it any more."""
    pk = keys.lead(ctx.tenant.id, number).pk
    start = {"pk": pk, "sk": after} if after else None
    return ctx.table.query(Query(pk, start=start, limit=limit, consistent=True))


def _erase(ctx: Ctx, items: Sequence[Item]) -> None:
    told = [events.emptied(item) for item in items if item["sk"].startswith(events.PREFIX)]
    ctx.table.batch_write([Delete(Put(item).key) for item in items if not item["sk"].startswith(events.PREFIX)])
    ctx.table.write_many(told)


def _is_gone(ctx: Ctx, number: int, owner: int) -> bool:
    """Whether the lead was deleted for good: by itself, or with its owner that it was a part of.

    Its events say so. Nothing follows a deletion, and what was a part then stays one: so once this is true it stays
    true, whatever is merged and unmerged meanwhile.
    """
    if _last(ctx, owner).get("type") != events.LEAD_DELETED:
        return False
    while number != owner:
        last = _last(ctx, number)
        if last.get("type") != events.LEAD_MERGED:
            return False
        number = json.loads(last["about"])["into"]
    return True


def _last(ctx: Ctx, number: int) -> Item:
    """The event of a lead's last version; messages of a machine whose clock is ahead may come after it by their ids."""
    key = keys.event(ctx.tenant.id, number, "")
    found = ctx.table.query(Query(key.pk, prefix=key.sk, forward=False, limit=NEAR, consistent=True)).items
    changes = [item for item in found if item["type"] in events.OF_VERSIONS]
    return max(changes, key=lambda item: int(item["version"]), default={})
