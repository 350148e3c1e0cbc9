"""`leadwire export`: every lead once, in order of creation, in a file that is complete or not there."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from leadwire import lists, pipelines, tenants, users
from leadwire.context import Ctx
from leadwire.leads import service
from leadwire.leads.files import outgoing
from leadwire.leads.model import Lead
from leadwire.ports import Ports
from tests import factories

from .conftest import Run


@pytest.fixture
def ctx(ports: Ports) -> Ctx:
    return tenants.operate(ports, tenants.create(ports, "acme", "Acme"), "tests")


def ann(ctx: Ctx) -> Lead:
    fair, user = lists.create(ctx, "Spring; fair"), users.create(ctx, "Sue", "sue@example.com")
    [board] = pipelines.every(ctx)
    draft = Lead(
        first_name="Ann",
        last_name="Lee",
        email="ann@example.com",
        phone="+14155552671",
        notes='=1+1\n"quoted", 😀',
        score=-5,
        starred=True,
        tags=("a, b", "vip"),
        lists=(fair.id,),
        pipeline_id=board.pipeline.id,
        stage_id=board.stages[1].id,
        assigned_user_id=user.id,
        address={"city": "Bonn"},
        custom={"size": 5, "none": None, "text": "x"},
    )
    return service.create(ctx, draft).lead


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_column_for_each_field_and_each_custom_field(run: Run, ctx: Ctx) -> None:
    ann(ctx)
    service.create(ctx, Lead(email="bob@example.com", custom={"other": "y"}))
    first, second = table(run("export", "--tenant", "acme").stdout)
    own = {name: value for name, value in first.items() if value}
    assert own.pop("created_at") == own.pop("updated_at")
    assert own == {
        "id": "1",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.com",
        "phone": "+14155552671",
        "status": "new",
        "score": "-5",
        "starred": "true",
        "notes": '\'=1+1\n"quoted", 😀',
        "tags": '"a, b"; vip',
        "lists": '"Spring; fair"',
        "pipeline": "Sales",
        "stage": "Contacted",
        "assigned_to": "sue@example.com",
        "city": "Bonn",
        "custom.size": "5",
        "custom.text": "x",
    }
    assert (second["email"], second["custom.other"], second["custom.size"]) == ("bob@example.com", "y", "")


def test_json_lines_have_what_is_there_with_its_types(run: Run, ctx: Ctx) -> None:
    ann(ctx)
    [found] = map(json.loads, run("export", "--tenant", "acme", "--format", "jsonl").stdout.splitlines())
    assert found["custom"] == {"size": 5, "none": None, "text": "x"}
    assert (found["tags"], found["lists"], found["score"]) == (["a, b", "vip"], ["Spring; fair"], -5)
    assert found["notes"] == '=1+1\n"quoted", 😀'
    assert "company" not in found


def test_leads_of_a_list_a_tag_or_a_status_are_chosen(run: Run, ctx: Ctx) -> None:
    first = ann(ctx)
    service.create(ctx, Lead(email="bob@example.com", status="lost", tags=("vip",)))
    for words, emails in [
        (["--list", "spring; FAIR"], ["ann@example.com"]),
        (["--list", first.lists[0]], ["ann@example.com"]),
        (["--tag", "vip"], ["ann@example.com", "bob@example.com"]),
        (["--tag", "vip", "--status", "Lost"], ["bob@example.com"]),
    ]:
        assert [row["email"] for row in table(run("export", "--tenant", "acme", *words).stdout)] == emails
    assert run("export", "--tenant", "acme", "--list", "none").exit_code == 1
    assert run("export", "--tenant", "acme", "--status", "none").exit_code == 2


def test_hundreds_of_leads_come_once_each_in_order_of_creation(run: Run, ctx: Ctx) -> None:
    for number in range(1, 251):
        service.create(ctx, factories.draft(number))
    service.delete(ctx, 100)
    ids = [int(row["id"]) for row in table(run("export", "--tenant", "acme").stdout)]
    assert ids == [number for number in range(1, 251) if number != 100]


def test_a_file_appears_when_it_is_complete(
    run: Run, ctx: Ctx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann(ctx)
    path = tmp_path / "leads.jsonl"
    path.write_text("old")

    def fail(*_: object) -> None:
        assert (tmp_path / "leads.jsonl.part").exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outgoing.store, "find_many", fail)
        assert run("export", str(path), "--tenant", "acme").exit_code != 0
    assert (path.read_text(), [one.name for one in tmp_path.glob("*.part")]) == ("old", [])
    result = run("export", str(path), "--tenant", "acme")
    assert (result.exit_code, result.stdout) == (0, f"1 lead in {path}\n")
    assert json.loads(path.read_text())["email"] == "ann@example.com"


def test_a_place_that_cannot_be_written_to_is_a_wrong_command(run: Run, ctx: Ctx, tmp_path: Path) -> None:
    result = run("export", str(tmp_path / "none" / "leads.csv"), "--tenant", "acme")
    assert (result.exit_code, "No such file or directory" in result.stderr) == (2, True)
    folder = run("export", str(tmp_path), "--tenant", "acme")
    assert (folder.exit_code, folder.stderr) == (2, f"{tmp_path}: Is a directory.\n")


def test_an_empty_tenant_is_a_header(run: Run, ctx: Ctx) -> None:
    assert table(run("export", "--tenant", "acme").stdout) == []
    assert run("export", "--tenant", "acme").stdout.startswith("id,first_name,")
