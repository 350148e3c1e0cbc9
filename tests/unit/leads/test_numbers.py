"""Numbers are given out once, nearly densely, and shards take the load off a hot counter."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leadwire import keys
from leadwire.context import Ctx
from leadwire.leads import numbers, service
from leadwire.leads.numbers import Counter
from leadwire.store.types import Item
from tests import factories
from tests.factories import Clock

SHARDS, THREADS = 4, 16


@pytest.fixture
def sharded(tmp_path: Path, clock: Clock) -> Iterator[Ctx]:
    """A tenant with shards, in a file that threads can share."""
    with factories.engine(tmp_path / "table.db", clock) as engine:
        ports = factories.ports(engine, clock)
        yield factories.ctx(ports, factories.tenant(ports, "sharded", shards=SHARDS))


def hot(ctx: Ctx) -> Counter:
    """The counter as a request sees it that is one of thousands a second."""
    return Counter(1, ctx.now_ms())


def blocks(ctx: Ctx) -> list[Item]:
    found = (ctx.table.get(keys.counter(ctx.tenant.id, f"lead#{shard}")) for shard in range(SHARDS))
    return [block for block in found if block]


def drawn(ctx: Ctx) -> int:
    return numbers.of_item(ctx.table.get(numbers.key(ctx))).value


def test_threads_at_a_hot_counter_get_different_numbers_and_leave_no_other_gaps_than_open_blocks(sharded: Ctx) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        taken = list(pool.map(lambda _: numbers.take(sharded, hot(sharded)), range(1000)))
    assert len(set(taken)) == len(taken)
    still_to_come = sum(block["last"] - block["next"] + 1 for block in blocks(sharded))
    assert drawn(sharded) == len(taken) + still_to_come


def test_leads_of_sixteen_threads_have_numbers_of_their_own_that_are_nearly_dense(sharded: Ctx) -> None:
    drafts = [factories.draft(number) for number in range(1, 161)]
    with ThreadPoolExecutor(THREADS) as pool:
        taken = [stored.lead.number for stored in pool.map(lambda draft: service.create(sharded, draft), drafts)]
    assert len(set(taken)) == len(drafts)
    assert max(taken) <= drawn(sharded) <= len(drafts) + SHARDS * 64


def test_a_hot_counter_of_many_shards_is_moved_for_few_of_its_numbers(sharded: Ctx, clock: Clock) -> None:
    for _ in range(2000):
        numbers.take(sharded, hot(sharded))
        clock.advance(0.0005)
    before = sharded.table.meter.consumed.wru
    for _ in range(1000):
        numbers.take(sharded, hot(sharded))
        clock.advance(0.0005)
    assert sharded.table.meter.consumed.wru - before < 1100


def test_what_is_left_of_an_old_block_is_not_given_out_after_later_numbers(sharded: Ctx, clock: Clock) -> None:
    for _ in range(50):
        numbers.take(sharded, hot(sharded))
    last = drawn(sharded)
    clock.advance((numbers.LIFE_MS + 1) / 1000)
    assert all(numbers.take(sharded, hot(sharded)) > last for _ in range(50))


def test_blocks_shrink_when_numbers_are_left_over(sharded: Ctx, clock: Clock) -> None:
    for _ in range(200):
        numbers.take(sharded, hot(sharded))
    for _ in range(400):
        clock.advance(0.3)
        numbers.take(sharded, hot(sharded))
    assert {block["size"] for block in blocks(sharded)} == {numbers.SMALLEST}


def test_a_request_that_died_while_it_drew_a_block_holds_its_shard_up_for_a_second_only(
    sharded: Ctx, clock: Clock
) -> None:
    for shard in range(SHARDS):
        key = keys.counter(sharded.tenant.id, f"lead#{shard}")
        sharded.table.write(numbers.Update(key, set={"claimed_at": sharded.now_ms()}))
    assert [numbers.take(sharded, hot(sharded)) for _ in range(3)] == [1, 2, 3]
    clock.advance(numbers.CLAIM_MS / 1000 + 0.001)
    numbers.take(sharded, hot(sharded))
    assert drawn(sharded) == 3 + numbers.SMALLEST


def test_an_import_draws_its_numbers_in_one_update(ctx: Ctx) -> None:
    assert numbers.draw(ctx, 500) == 500
    assert ctx.table.meter.consumed.wru == 1
    assert service.create(ctx, factories.draft()).lead.number == 501


def test_a_tenant_without_shards_draws_one_by_one_however_hot_its_counter(ctx: Ctx) -> None:
    assert [numbers.take(ctx, hot(ctx)) for _ in range(20)] == list(range(1, 21))
