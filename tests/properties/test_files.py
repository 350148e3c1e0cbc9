"""What one tenant exports another one imports, and exports again: the same rows, whatever the text in them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from leadwire import lists, pipelines, tenants, users
from leadwire.context import Ctx
from leadwire.leads import service
from leadwire.leads.model import STATUSES, Lead
from leadwire.ports import Ports
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine
from tests import factories

RELAXED = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
GIVEN = {"id", "created_at", "updated_at"}
"""Columns that Leadwire fills itself."""
AWKWARD = st.sampled_from(
    ["=1+1", "+cmd", "-x", "@a", "'", "'=x", ";", ",", '"', '""', "😀", "é\u0301", "a;b, c", "\u2028", "1"]
)
SIGNS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
lines = (st.lists(AWKWARD | SIGNS, max_size=3).map(" ".join)).map(lambda text: " ".join(text.split()))
"""As fields of one line are stored: no control characters, single blanks."""
filled = lines.filter(bool)
notes = st.lists(AWKWARD | SIGNS | st.sampled_from(["\n", "\r\n", "\r", "\t", " ", "\x00"]), max_size=5).map("".join)
values = st.text(max_size=5) | st.integers() | st.booleans() | st.none() | st.lists(st.integers(), max_size=2)
emails = st.sampled_from(["", "ann@example.com", "Bob@example.com", "o'hara+x@example.com", "josé@example.com"])
phones = st.sampled_from(["", "+14155552671", "+4930123456"])
leads = st.builds(
    Lead,
    first_name=filled,
    last_name=lines,
    email=emails,
    phone=phones,
    company=lines,
    job_title=lines,
    source=filled,
    status=st.sampled_from(STATUSES),
    score=st.integers(-(10**9), 10**9),
    starred=st.booleans(),
    notes=notes,
    tags=st.lists(filled, max_size=3, unique=True).map(tuple),
    lists=st.sets(st.integers(0, 2)).map(tuple),
    stage_id=st.sampled_from([None, 1, 4]),
    assigned_user_id=st.sampled_from([None, 1]),
    address=st.dictionaries(st.sampled_from(["address1", "city", "zip"]), filled, max_size=2),
    custom=st.dictionaries(lines | notes, values, max_size=3),
)


def tenant(ports: Ports, slug: str) -> Ctx:
    ctx = tenants.operate(ports, tenants.create(ports, slug, slug), "tests")
    users.create(ctx, "Sue", "sue@example.com")
    return ctx


def born(ctx: Ctx, drafts: list[Lead], names: list[str]) -> None:
    ids = [lists.create(ctx, name).id for name in names]
    [board] = pipelines.every(ctx)
    for draft in drafts:
        pipeline = board.pipeline.id if draft.stage_id else None
        own = {"pipeline_id": pipeline, "lists": tuple(ids[place] for place in draft.lists)}
        service.create(ctx, replace(draft, **own))


def run(data: Path, *words: str) -> Any:
    result = CliRunner().invoke(app, ["--data", str(data), *words])
    assert result.exit_code == 0, result.output
    return result


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        found = [json.loads(line) for line in path.read_text(newline="\n").split("\n") if line]
    else:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    return [{name: value for name, value in row.items() if name not in GIVEN} for row in found]


@RELAXED
@given(
    st.lists(leads, max_size=6),
    st.lists(filled, min_size=3, max_size=3, unique_by=str.casefold),
    st.sampled_from(["csv", "jsonl"]),
)
def test_an_export_that_is_imported_elsewhere_is_exported_as_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, drafts: list[Lead], names: list[str], kind: str
) -> None:
    data = tmp_path_factory.mktemp("trip")
    engine = SqliteEngine(Database(data / "leadwire.db"))
    ports = factories.ports(engine, factories.Clock())
    born(tenant(ports, "one"), drafts, names)
    tenant(ports, "two")
    engine.close()
    first, second = data / f"one.{kind}", data / f"two.{kind}"
    run(data, "export", str(first), "--tenant", "one")
    run(data, "import", str(first), "--tenant", "two", "--duplicates", "keep")
    run(data, "export", str(second), "--tenant", "two")
    assert rows(first) == rows(second)
