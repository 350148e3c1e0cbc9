"""Numbered records: each kind counts its own, values are one record's only, and no change is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import pipelines, records, stages, tags, users
from leadwire.context import Ctx
from leadwire.errors import Conflict, InvalidInput
from leadwire.leads import service
from leadwire.pipelines import PIPELINES, Stage
from leadwire.users import USERS
from tests import factories
from tests.factories import Clock, draft

MANY = 8


def at_once(engine_file: Path, verb: Callable[[Ctx, int], object]) -> list[Any]:
    """What `MANY` threads got, each with a Ctx on the same file."""
    clock = Clock()
    with factories.engine(engine_file, clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        barrier = threading.Barrier(MANY)

        def one(number: int) -> object:
            barrier.wait()
            try:
                return verb(factories.ctx(ports, ctx.tenant), number)
            except InvalidInput as refused:
                return refused

        with ThreadPoolExecutor(MANY) as pool:
            results = list(pool.map(one, range(MANY)))
        return [*results, ctx.table.batch_get([]), pipelines.every(ctx), tags.every(ctx), records.every(ctx, USERS)]


def test_numbers_are_dense_also_when_many_come_at_once(tmp_path: Path) -> None:
    *_, made = at_once(tmp_path / "t", lambda ctx, n: users.create(ctx, f"U{n}", f"u{n}@example.com"))
    assert [user.id for user in made] == list(range(1, MANY + 1))


def test_one_of_many_gets_an_address(tmp_path: Path) -> None:
    *results, _, _, _, made = at_once(tmp_path / "t", lambda ctx, n: users.create(ctx, f"U{n}", "u@example.com"))
    assert len(made) == 1
    assert sum(isinstance(result, InvalidInput) for result in results) == MANY - 1


def test_positions_of_stages_have_no_gaps_when_many_come_at_once(tmp_path: Path) -> None:
    def add(ctx: Ctx, n: int) -> Stage:
        return stages.add(ctx, 1, Stage(pipeline_id=0, name=f"S{n}", position=n % 3 + 1))

    *_, boards, _, _ = at_once(tmp_path / "t", add)
    assert [stage.position for stage in boards[0].stages] == list(range(1, 5 + MANY + 1))
    assert len({stage.id for stage in boards[0].stages}) == 5 + MANY


def test_one_pipeline_is_the_default_when_many_become_it_at_once(tmp_path: Path) -> None:
    *_, boards, _, _ = at_once(
        tmp_path / "t", lambda ctx, n: pipelines.create(ctx, f"P{n}", is_default=True, stages=[])
    )
    assert sum(board.pipeline.is_default for board in boards) == 1
    assert len(boards) == 1 + MANY


def test_a_tag_that_many_leads_bring_at_once_is_one_tag(tmp_path: Path) -> None:
    *_, made, _ = at_once(tmp_path / "t", lambda ctx, n: service.create(ctx, draft(n + 1, tags=("new", f"t{n}"))))
    assert sorted(tag.name for tag in made) == sorted(["new", *(f"t{n}" for n in range(MANY))])
    assert [tag.id for tag in made] == list(range(1, MANY + 2))


def test_a_change_that_changes_nothing_writes_nothing(ctx: Ctx) -> None:
    user = users.create(ctx, "Mia", "mia@example.com")
    before = factories.items(ctx.ports.engine)
    assert users.update(ctx, user.id, {"name": "Mia"}) == user
    assert factories.items(ctx.ports.engine) == before


def test_every_change_is_a_version(ctx: Ctx) -> None:
    user = users.create(ctx, "Mia", "mia@example.com")
    changed = users.update(ctx, user.id, {"role": "admin"})
    assert changed == replace(user, role="admin", version=2, updated_at=changed.updated_at)


def test_a_deleted_users_address_is_free_and_the_assignment_stays(ctx: Ctx) -> None:
    user = users.create(ctx, "Mia", "mia@example.com")
    lead = service.create(ctx, draft(assigned_user_id=user.id)).lead
    users.delete(ctx, user.id)
    assert users.create(ctx, "Mia", "mia@example.com").id == user.id + 1
    assert service.get(ctx, lead.number).assigned_user_id == user.id


def test_the_default_pipeline_cannot_be_deleted_or_demoted(ctx: Ctx) -> None:
    for verb in (lambda: pipelines.remove(ctx, 1), lambda: pipelines.update(ctx, 1, {"is_default": False})):
        with pytest.raises(Conflict):
            verb()
    assert records.find(ctx, PIPELINES, 1).is_default
