"""Bulk creates: one lead for each row, in one clean run or several broken ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from leadwire import keys, tags
from leadwire.context import Ctx
from leadwire.leads import bulk, store
from leadwire.leads.bulk import Row
from leadwire.ports import Ports
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Put, TransactWrite, Unavailable
from tests import factories, invariants
from tests.factories import draft


@dataclass(frozen=True)
class Promised:
    """What a bulk create needs of the answer under an Idempotency-Key."""

    reference: str = "0123456789abcdef"

    def write(self, _result: object) -> TransactWrite:
        return Put({"pk": "never", "sk": "never"})

    def landed(self) -> None:
        raise AssertionError

    def lost(self) -> Exception:
        raise AssertionError


def rows(count: int, **fields: Any) -> list[Row]:
    return [Row(index, draft(index + 1, **fields)) for index in range(count)]


def test_rows_become_leads_with_numbers_in_their_order(ctx: Ctx) -> None:
    made = bulk.create(ctx, rows(50, tags=("import",)))
    assert made == {index: index + 1 for index in range(50)}
    assert [tag.name for tag in tags.every(ctx)] == ["import"]
    assert store.find(ctx, 50) is not None
    invariants.check(ctx.ports.engine)


def test_a_row_is_flagged_with_the_lead_or_the_row_before_that_it_looks_like(ctx: Ctx) -> None:
    bulk.create(ctx, rows(2))
    again = [Row(0, draft(1)), Row(1, draft(9)), Row(2, draft(10, email=draft(9).email))]
    bulk.create(ctx, again)
    found = {lead.number: lead.possible_duplicate_of for lead in store.find_many(ctx, range(3, 6))}
    assert found == {3: 1, 4: None, 5: 4}
    invariants.check(ctx.ports.engine)


def test_large_rows_go_in_smaller_steps(ctx: Ctx) -> None:
    made = bulk.create(ctx, rows(25, notes="x" * 60_000, custom={"a": "y" * 30_000}))
    assert sorted(made.values()) == list(range(1, 26))
    invariants.check(ctx.ports.engine)


@pytest.mark.parametrize("seed", range(8))
def test_a_run_that_is_repeated_until_it_ends_makes_each_lead_once(ports: Ports, ctx: Ctx, seed: int) -> None:
    chance = random.Random(seed)
    made: dict[int, int] = {}
    wanted = rows(45, tags=("a", "b"))
    for _ in range(100):
        engine = FaultyEngine(ports.engine)
        (engine.fail_after if chance.random() < 0.5 else engine.fail_before)(chance.randint(1, 14))
        broken = factories.ctx(replace(ports, engine=engine), ctx.tenant)
        try:
            made = bulk.create(replace(broken, answer=Promised()), wanted)
            break
        except Unavailable:
            continue  # died: the request is repeated
    assert sorted(made) == list(range(45))
    assert len(set(made.values())) == 45
    assert len(factories.leads(ports.engine)) == 45
    assert len(factories.events(ports.engine)) == 45
    invariants.check(ports.engine)


def test_what_is_kept_of_the_steps_goes_away_by_itself(ctx: Ctx) -> None:
    bulk.create(replace(ctx, answer=Promised()), rows(3))
    key = keys.bulk_step(ctx.tenant.id, Promised().reference, 0)
    kept = ctx.table.get(key)
    assert kept
    assert kept["expires_at"] == ctx.now_ms() // 1000 + bulk.KEPT
