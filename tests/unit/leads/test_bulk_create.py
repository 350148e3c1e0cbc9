"""Bulk creates: one lead for each row, in one clean run or several broken ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from leadwire import keys, tags, users
from leadwire.context import Ctx
from leadwire.leads import bulk, cascade, store
from leadwire.leads.bulk import Row
from leadwire.ports import Ports
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Consumed, TransactWrite, Unavailable
from tests import factories, invariants
from tests.factories import draft


@dataclass(frozen=True)
class Promised:
    """What a bulk create needs of the answer under an Idempotency-Key."""

    reference: str = "0123456789abcdef"

    def writes(self, _result: object) -> Sequence[TransactWrite]:
        raise AssertionError

    def landed(self) -> None:
        raise AssertionError

    def lost(self) -> Exception:
        raise AssertionError


def rows(count: int, **fields: Any) -> list[Row]:
    return [Row(index, draft(index + 1, **fields)) for index in range(count)]


def test_rows_become_leads_with_numbers_in_their_order(ctx: Ctx) -> None:
    made = bulk.create(ctx, rows(50, tags=("import",))).numbers
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
    made = bulk.create(ctx, rows(25, notes="x" * 60_000, custom={"a": "y" * 30_000})).numbers
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
            made = dict(bulk.create(replace(broken, answer=Promised()), wanted).numbers)
            break
        except Unavailable:
            continue  # died: the request is repeated
    assert sorted(made) == list(range(45))
    assert len(set(made.values())) == 45
    assert len(factories.leads(ports.engine)) == 45
    assert len(factories.events(ports.engine)) == 45
    invariants.check(ports.engine)


class Meanwhile(FaultyEngine):
    """Something happens before the second transaction."""

    def __init__(self, engine: Engine, happens: Callable[[], object]) -> None:
        super().__init__(engine)
        self.transactions, self.happens = 0, happens

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        self.transactions += 1
        if self.transactions == 2:
            self.happens()
        return super().transact(ops)


def test_no_row_comes_into_a_stage_or_to_a_user_that_goes_away_meanwhile(ports: Ports, ctx: Ctx) -> None:
    user = users.create(ctx, "Ann", "ann@example.com").id
    placed = [Row(n, draft(n, pipeline_id=1, stage_id=1 + n % 2, assigned_user_id=user)) for n in range(50)]
    others = [Row(n, draft(n, pipeline_id=1, stage_id=2)) for n in range(50, 60)]

    def meanwhile() -> None:
        cascade.delete_stage(ctx, 1, 1)
        users.delete(ctx, user)

    engine = Meanwhile(ports.engine, meanwhile)
    created = bulk.create(factories.ctx(replace(ports, engine=engine), ctx.tenant), [*placed, *others])
    first = bulk.PER_STEP
    assert sorted(created.numbers) == [*range(first), *range(50, 60)]
    assert {gone.field for gone in created.gone.values()} <= {"pipeline_stage_id", "assigned_user_id"}
    found = store.find_many(ctx, created.numbers.values())
    assert {lead.stage_id for lead in found} == {None, 2}
    assert sum(lead.assigned_user_id == user for lead in found) == first
    invariants.check(ports.engine)


def test_what_is_kept_of_the_steps_goes_away_by_itself(ctx: Ctx) -> None:
    bulk.create(replace(ctx, answer=Promised()), rows(3))
    key = keys.bulk_step(ctx.tenant.id, Promised().reference, 0)
    kept = ctx.table.get(key)
    assert kept
    assert kept["expires_at"] == ctx.now_ms() // 1000 + bulk.KEPT
