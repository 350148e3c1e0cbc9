"""Numbers of leads: given out once each, nearly dense, and in order of creation but for leads of the same moment.

A tenant has one counter. While it is quiet, the transaction that stores a lead moves it too; otherwise the number is
drawn by an update of its own. One item takes about 1,000 updates a second, so a tenant with shards, when its counter is
hot, draws from one of several blocks: a run of numbers drawn at once and given out by an item of its own.

    quiet            counter + 1, in the lead's transaction
    busy             counter + 1, by itself
    hot, shards      block + 1, of a shard by chance ◀── counter + n when the block is used up or `LIFE_MS` old

What is left of an old block is never given out: a late lead with an early number would be out of order (bounds.py).
Blocks grow while they are used up early and shrink when something is left, so that few numbers are lost.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import (
    ABSENT,
    Attr,
    Compare,
    ConditionFailed,
    Item,
    Key,
    Missing,
    Update,
    all_of,
    any_of,
    equals,
)

QUIET_MS = 50
"""A counter that moved within this time is contended: transactions on one hot item refuse each other."""
HOT_MS = 5
"""A counter that moved within this time gives out hundreds a second: shards help it."""
LIFE_MS = 500
"""For so long a block is good: well below bounds.SKEW."""
CLAIM_MS = 1000
"""After this time the request that set out to draw a block is taken for dead."""
SMALLEST, LARGEST = 2, 1024
"""Sizes of a block."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The last number that was drawn, and when (epoch milliseconds)."""

    value: int
    at: int


def key(ctx: Ctx) -> Key:
    return keys.counter(ctx.tenant.id, "lead")


def of_item(item: Mapping[str, Any] | None) -> Counter:
    return Counter(item["value"], item["at"]) if item else Counter(0, 0)


def is_quiet(ctx: Ctx, seen: Counter) -> bool:
    return ctx.now_ms() - seen.at >= QUIET_MS


def following(ctx: Ctx, seen: Counter) -> Update:
    """The write that draws the number after `seen`, for the lead's own transaction. Refused if it is drawn already."""
    unmoved = equals("value", seen.value) if seen.value else ABSENT
    return Update(key(ctx), set={"value": seen.value + 1, "at": ctx.now_ms()}, condition=unmoved)


def take(ctx: Ctx, seen: Counter) -> int:
    """One number; `seen` is the counter as it was last read. One round trip, and more for who draws a new block."""
    hot = ctx.now_ms() - seen.at < HOT_MS
    return _from_block(ctx) if hot and ctx.tenant.shards > 1 else draw(ctx, 1)


def draw(ctx: Ctx, count: int) -> int:
    """Draw so many numbers at once, as imports do. Returns the last of them."""
    drawn = ctx.table.update(Update(key(ctx), add={"value": count}, set={"at": ctx.now_ms()}))
    return int(drawn["value"])


def give_back(ctx: Ctx, last: int, count: int = 1) -> None:
    """Give back what was not used: dense numbers keep bitmaps small. A gap below a later number stays: harmless."""
    with contextlib.suppress(ConditionFailed):
        ctx.table.write(Update(key(ctx), set={"value": last - count}, condition=equals("value", last)))


# --- blocks -----------------------------------------------------------------------------------------------------------


def _from_block(ctx: Ctx) -> int:
    block = keys.counter(ctx.tenant.id, f"lead#{random.randrange(ctx.tenant.shards)}")
    good = all_of(Compare("next", "<=", Attr("last")), Compare("drawn_at", ">", ctx.now_ms() - LIFE_MS))
    try:
        return int(ctx.table.update(Update(block, add={"next": 1}, condition=good))["next"]) - 1
    except ConditionFailed as refused:
        return _from_new_block(ctx, block, refused.item)


def _from_new_block(ctx: Ctx, block: Key, old: Item | None) -> int:
    """Only one request draws the new block; those that lose to it draw for themselves, lest numbers be lost."""
    now = ctx.now_ms()
    same = equals("next", old["next"]) if old and "next" in old else Missing("next")
    free = any_of(Missing("claimed_at"), Compare("claimed_at", "<", now - CLAIM_MS))
    try:
        ctx.table.write(Update(block, set={"claimed_at": now}, condition=all_of(same, free)))
    except ConditionFailed:
        return draw(ctx, 1)
    size = _size(old, now)
    last = draw(ctx, size)
    first = last - size + 1
    filled = {"next": first + 1, "last": last, "size": size, "drawn_at": now}
    ctx.table.write(Update(block, set=filled, remove=("claimed_at",)))
    return first


def _size(old: Item | None, now: int) -> int:
    """How many numbers the shard is likely to give out within `LIFE_MS`, by how the block before did."""
    if not old or "next" not in old or now - old["drawn_at"] > 2 * LIFE_MS:
        return SMALLEST
    if old["next"] <= old["last"]:
        return max(SMALLEST, int(old["size"]) // 2)
    early = now - old["drawn_at"] < LIFE_MS // 2
    return min(LARGEST, int(old["size"]) * 2) if early else int(old["size"])
