"""`leadwire index verify` finds what is wrong, `rebuild` mends it; both say so to people and to machines."""

from __future__ import annotations

import json

import pytest

from leadwire import keys, tenants
from leadwire.context import Ctx
from leadwire.leads import bitmap, index, service
from leadwire.leads.index import FACET, TOKEN, Spot
from leadwire.ports import Ports
from leadwire.store.types import Delete, Put, Query
from tests import factories

from .conftest import Run


@pytest.fixture
def ctx(ports: Ports) -> Ctx:
    """A tenant with leads, all of them indexed and none pending."""
    ctx = tenants.operate(ports, tenants.create(ports, "acme", "Acme"), "tests")
    leads = [service.create(ctx, factories.draft(number)).lead for number in range(1, 21)]
    index.refresh(ctx, index.members(leads))
    for lead in leads:
        ctx.table.write(Delete(keys.pending_lead(ctx.tenant.id, lead.number, 1)))
    return ctx


def set_by_hand(ctx: Ctx, number: int) -> None:
    key = Spot(FACET, "status=lost", 0).key(ctx.tenant.id)
    ctx.table.write(Put({"pk": key.pk, "sk": key.sk, "bits": bitmap.encode(1 << number), "version": 1}))
    index.register(ctx, [Spot(FACET, "status=lost", 0)])


def test_a_right_index_is_called_right(run: Run, ctx: Ctx) -> None:
    result = run("index", "verify", "acme")
    assert (result.exit_code, result.stdout) == (0, "The index is right.\n")


def test_verify_shows_what_is_wrong_and_fails(run: Run, ctx: Ctx) -> None:
    set_by_hand(ctx, 2)
    result = run("index", "verify", "acme")
    assert result.exit_code == 1
    assert "status=lost" in result.stdout
    result = run("index", "verify", "acme", "--json")
    wrong = {"kind": "facet", "term": "status=lost", "chunk": 0, "missing": [], "stale": [2], "named": True}
    assert (result.exit_code, json.loads(result.stdout)) == (1, [wrong])


def test_rebuild_mends_it_and_says_what_it_was(run: Run, ctx: Ctx) -> None:
    set_by_hand(ctx, 2)
    result = run("index", "rebuild", "acme", "--json")
    assert (result.exit_code, [row["stale"] for row in json.loads(result.stdout)]) == (0, [[2]])
    assert run("index", "verify", "acme").exit_code == 0
    assert run("index", "rebuild", "acme").stdout == "The index was right.\n"


def test_a_long_answer_is_cut_for_people_only(run: Run, ctx: Ctx) -> None:
    for prefix in (name for kind, name in index.names(ctx) if kind == TOKEN):
        for item in list(ctx.table.query_all(Query(keys.token_partition(ctx.tenant.id, prefix)))):
            ctx.table.write(Delete(keys.Key(item["pk"], item["sk"])))
    people, machines = run("index", "verify", "acme"), run("index", "verify", "acme", "--json")
    assert people.stdout.splitlines()[-1].startswith("… and ")
    assert len(json.loads(machines.stdout)) > 20


def test_an_unknown_tenant_is_refused(run: Run) -> None:
    result = run("index", "verify", "nobody")
    assert result.exit_code == 1
    assert "leadwire tenant list" in result.stderr
