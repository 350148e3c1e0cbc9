"""`leadwire import`: what becomes of a file, what is said about it, and its undoing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from leadwire import lists, pipelines, tenants, users
from leadwire.context import Ctx
from leadwire.leads.files import intake, log
from leadwire.ports import Ports
from leadwire.store.types import Put
from leadwire.webhooks import endpoints
from leadwire.webhooks.model import Webhook
from tests import factories

from .conftest import Run

CRM = """First Name,Last Name,E-mail,Mobile,Lead Source,Tags,Comments,Rating
Ann,Lee,ann@example.com,(415) 555-2671,web,"vip, hot","line 1
line 2",5
Bob,Ray,bob@example.com,+4930123456,,,,

Ann,Lee,ANN@example.com,,,late,more,
Cid,Poe,not an address,12,,,,
Dan,Poe
"""
RATING = ("--map", "Rating=custom.rating")

type Import = Callable[..., Result]


@pytest.fixture
def ctx(ports: Ports) -> Ctx:
    return tenants.operate(ports, tenants.create(ports, "acme", "Acme"), "tests")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str, name: str = "leads.csv") -> Path:
        path = tmp_path / name
        path.write_text(content, newline="")
        return path

    return write


@pytest.fixture
def import_(run: Run, ctx: Ctx) -> Import:
    def command(*words: object) -> Result:
        return run("import", *map(str, words), "--tenant", "acme")

    return command


@pytest.fixture
def imported(import_: Import) -> Callable[..., Any]:
    """The command's answer under --json, whatever was refused."""

    def command(*words: object) -> Any:
        result = import_(*words, "--json")
        assert result.exit_code in (0, 1), result.stderr
        return json.loads(result.stdout)

    return command


def leads(ctx: Ctx) -> list[Any]:
    return factories.leads(ctx.ports.engine)


def counts(found: Any) -> tuple[int, ...]:
    return tuple(found[name] for name in ("rows", "created", "merged", "skipped", "refused"))


def test_rows_become_leads_or_are_merged_and_the_rest_is_in_the_file_of_errors(
    import_: Import, ctx: Ctx, file: Any, tmp_path: Path
) -> None:
    result = import_(file(CRM), *RATING, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, counts(found)) == (1, (5, 2, 1, 0, 2))
    assert found["errors"] == str(tmp_path / "leads.errors.csv")
    ann, bob = leads(ctx)
    assert (ann["first_name"], ann["phone"], ann["tags"]) == ("Ann", "+14155552671", ["vip", "hot", "late"])
    assert ann["notes"].startswith("line 1\nline 2\n[")
    assert (ann["custom"], ann["source"], bob["source"]) == ('{"rating":"5"}', "web", "import")


def test_the_file_of_errors_has_row_field_and_reason_in_front_of_the_row_as_it_was(
    import_: Import, file: Any, tmp_path: Path
) -> None:
    import_(file(CRM), *RATING)
    lines = (tmp_path / "leads.errors.csv").read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("import_row,import_field,import_error,First Name,Last Name,E-mail,Mobile,")
    assert lines[1].startswith('6,email; phone,"email must be a valid email address; phone must be')
    assert lines[1].endswith(",Cid,Poe,not an address,12,,,,")
    assert lines[2] == '7,,"has 2 cells, and the header 8",Dan,Poe'


def test_the_file_of_errors_can_be_corrected_and_imported_with_the_same_options(
    import_: Import, imported: Any, ctx: Ctx, file: Any, tmp_path: Path
) -> None:
    import_(file(CRM), *RATING)
    errors = tmp_path / "leads.errors.csv"
    text = errors.read_text("utf-8-sig").replace("not an address,12", "cid@example.com,+14155552672")
    errors.write_text(text.replace("Dan,Poe", "Dan,Poe,dan@example.com,,,,,"))
    assert counts(imported(errors, *RATING)) == (2, 2, 0, 0, 0)
    assert [lead["email"] for lead in leads(ctx)][2:] == ["cid@example.com", "dan@example.com"]


def test_json_lines_keep_their_types_and_their_errors_are_lines_again(
    imported: Any, ctx: Ctx, file: Any, tmp_path: Path
) -> None:
    lines = [
        '{"name": "Ann Lee", "email": "ann@example.com", "zip": 94107, "custom": {"n": 1, "deep": [true]}}',
        '{"name": "Bob", "phone": "12"}',
        '{"name": ',
    ]
    found = imported(file("\n".join(lines), "leads.jsonl"))
    assert counts(found) == (3, 1, 0, 0, 2)
    [ann] = leads(ctx)
    assert (json.loads(ann["custom"]), json.loads(ann["address"])) == ({"n": 1, "deep": [True]}, {"zip": "94107"})
    errors = [json.loads(line) for line in (tmp_path / "leads.errors.jsonl").read_text().splitlines()]
    assert [(error["import_row"], error.get("name"), error.get("import_line")) for error in errors] == [
        (2, "Bob", None),
        (3, None, '{"name":'),
    ]


def test_what_is_not_clear_about_the_file_is_a_wrong_command(import_: Import, ctx: Ctx, file: Any) -> None:
    result = import_(file(CRM))
    assert (result.exit_code, result.stdout) == (2, "")
    assert '--map "Rating=custom.rating"' in result.stderr
    assert import_(file("x").with_name("none.csv")).exit_code == 2
    assert import_(file("Email\n\xff\n"), "--encoding", "ascii").exit_code == 2
    good = file("Email\na@b.co\n")
    assert import_(good, "--status", "nonsense").exit_code == 2
    assert "--tag must not be empty" in import_(good, "--tag", "").stderr
    assert "--list" in import_(good, "--list", "x" * 300).stderr
    assert "is the file itself" in import_(good, "--errors", good).stderr
    assert import_(good.parent).exit_code == 2
    assert leads(ctx) == []


# --- dry runs ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(
    import_: Import, ctx: Ctx, file: Any, tmp_path: Path
) -> None:
    path, before = file(CRM), factories.items(ctx.ports.engine)
    result = import_(path, *RATING, "--list", "Fair", "--dry-run", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, counts(found)) == (1, (5, 2, 1, 0, 2))
    assert found["columns"]["Mobile"] == "phone"
    assert (found["new_lists"], found["new_tags"]) == (["Fair"], ["hot", "late", "vip"])
    assert [(row["row"], row["becomes"]) for row in found["sample"]] == [(2, "created"), (3, "created"), (5, "merged")]
    assert [error["row"] for error in found["errors"]] == [6, 7]
    assert factories.items(ctx.ports.engine) == before
    assert not (tmp_path / "leads.errors.csv").exists()


def test_a_dry_run_says_how_many_webhooks_will_be_told(import_: Import, ctx: Ctx, file: Any) -> None:
    path = file("Email\na@example.com\n")
    assert "webhooks" not in import_(path, "--dry-run").stdout
    for name, enabled in (("a", True), ("b", True), ("c", False)):
        hook = Webhook(id=name, face="public_v2", event_types=frozenset({"x"}), url="", enabled=enabled)
        ctx.table.write(Put(endpoints.item(ctx.tenant.id, hook)))
    assert "told of what they listen to: 2" in import_(path, "--dry-run").stdout


def test_a_dry_run_shows_people_the_columns_a_sample_and_the_problems(import_: Import, file: Any) -> None:
    said = import_(file(CRM), "--map", "Rating=-", "--dry-run").stdout
    assert "ann@example.com" in said
    assert "+14155552671" in said
    assert "must be a valid email address" in said
    assert "(ignored)" in said
    assert said.endswith("Nothing was written.\n")


# --- options ----------------------------------------------------------------------------------------------------------


def test_list_tags_status_and_source_are_for_all_rows(imported: Any, ctx: Ctx, file: Any) -> None:
    path = file("Email,Status,Source\na@example.com,,\nb@example.com,Won,web\n")
    imported(
        path, "--list", "Spring fair", "--tag", "fair", "--tag", "2026", "--status", "contacted", "--source", "fair"
    )
    [fair] = lists.every(ctx)
    assert fair.name == "Spring fair"
    a, b = leads(ctx)
    assert [lead["lists"] for lead in (a, b)] == [[fair.id], [fair.id]]
    assert (a["status"], a["source"], a["tags"]) == ("contacted", "fair", ["fair", "2026"])
    assert (b["status"], b["source"]) == ("converted", "web")


def test_a_list_that_is_there_is_found_by_name_or_id(imported: Any, ctx: Ctx, file: Any) -> None:
    fair = lists.create(ctx, "Fair")
    imported(file("Email,Lists\na@example.com,fair\n"))
    imported(file("Email\nb@example.com\n"), "--list", fair.id)
    assert [lead["lists"] for lead in leads(ctx)] == [[fair.id], [fair.id]]


def test_duplicates_are_skipped_or_kept_if_that_is_said(imported: Any, ctx: Ctx, file: Any) -> None:
    path = file("Email\na@example.com\nA@example.com\n")
    assert counts(imported(path, "--duplicates", "skip")) == (2, 1, 0, 1, 0)
    assert counts(imported(path, "--duplicates", "keep")) == (2, 2, 0, 0, 0)
    assert [lead.get("possible_duplicate_of") for lead in leads(ctx)] == [None, 1, 1]


def test_stages_and_users_are_named_as_people_name_them(imported: Any, ctx: Ctx, file: Any) -> None:
    user = users.create(ctx, "Sue", "sue@example.com")
    [board] = pipelines.every(ctx)
    rows = "a@example.com,Sales,qualified,SUE@example.com\nb@example.com,,Won,\nc@example.com,Sales,Nowhere,\n"
    found = imported(file(f"Email,Pipeline,Stage,Assigned to\n{rows}d@example.com,,,nobody@example.com\n"))
    assert counts(found) == (4, 2, 0, 0, 2)
    a, b = leads(ctx)
    assert (a["stage_id"], a["assigned_user_id"], a["status"]) == (board.stages[2].id, user.id, "new")
    assert (b["pipeline_id"], b["stage_id"], b["status"]) == (board.pipeline.id, board.stages[3].id, "converted")
    [nowhere, nobody] = log.refusals(ctx, log.every(ctx)[0])
    assert (nowhere.field, "New, Contacted, Qualified" in nowhere.message) == ("stage", True)
    assert nobody.field == "assigned_to"


def test_cells_that_were_protected_from_spreadsheets_are_read_as_they_were(imported: Any, ctx: Ctx, file: Any) -> None:
    imported(file("Email,Company,Phone\na@example.com,'=1+1,'+14155552671\n"))
    assert (leads(ctx)[0]["company"], leads(ctx)[0]["phone"]) == ("=1+1", "+14155552671")


# --- again, and back --------------------------------------------------------------------------------------------------


def test_the_same_command_again_does_nothing_and_says_so(import_: Import, imported: Any, ctx: Ctx, file: Any) -> None:
    path = file(CRM)
    first = imported(path, *RATING)
    before = factories.without_counters(factories.items(ctx.ports.engine))
    result = import_(path, *RATING)
    assert "This file was imported before; nothing was done." in result.stdout
    assert imported(path, *RATING)["import"] == first["import"]
    assert factories.without_counters(factories.items(ctx.ports.engine)) == before


def test_the_same_file_with_other_options_is_another_import(imported: Any, file: Any) -> None:
    path = file("Email,X\na@example.com,1\n")
    ids = [imported(path, "--map", f"X={field}")["import"] for field in ("-", "custom.x", "notes")]
    assert len(set(ids)) == 3


def test_an_import_that_was_cut_off_goes_on(
    import_: Import, ctx: Ctx, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file("Email\n" + "".join(f"a{number}@example.com\n" for number in range(60)))
    stored = intake._store

    def interrupted(ctx: Ctx, one: Any, *rest: Any) -> Any:
        if one.position > 20:
            raise KeyboardInterrupt
        return stored(ctx, one, *rest)

    monkeypatch.setattr(intake, "_store", interrupted)
    result = import_(path)
    assert result.exit_code != 0
    assert "The same command resumes here." in result.stderr
    monkeypatch.undo()
    result = import_(path)
    assert (result.exit_code, "Resuming after row 39" in result.stderr) == (0, True)
    assert [lead["email"] for lead in leads(ctx)] == [f"a{number}@example.com" for number in range(60)]


def test_an_import_is_undone_and_can_be_done_again(import_: Import, imported: Any, ctx: Ctx, file: Any) -> None:
    path = file("Email,X\na@example.com,1\nb@example.com,2\n")
    first = imported(path, "--map", "X=custom.x")["import"]
    undone = imported("--undo", first)
    assert undone.pop("write_units") > 0
    assert undone == {
        "import": first,
        "removed": 2,
        "gone_before": 0,
        "left_as_changed_since": [],
        "left_as_merged_into": [],
    }
    assert leads(ctx) == []
    assert import_("--undo", first).exit_code == 1
    again = imported(path, "--map", "X=custom.x")
    assert (counts(again), again["import"] != first) == ((2, 2, 0, 0, 0), True)
    states = {row["import"]: row["state"] for row in imported()}
    assert states == {first: "undone", again["import"]: "done"}


def test_events_name_the_import_as_their_request(imported: Any, ctx: Ctx, file: Any) -> None:
    found = imported(file("Email\na@example.com\n"))
    [event] = factories.events(ctx.ports.engine)
    assert (event["type"], event["request_id"], event["actor"]) == ("lead.created", found["import"], "system:cli")


def test_without_a_file_the_imports_are_listed(import_: Import, imported: Any, file: Any) -> None:
    assert "leadwire import FILE" in import_().stdout
    imported(file("Email\na@example.com\n"))
    assert "leads.csv" in import_().stdout


def test_an_unknown_import_or_tenant_is_refused(run: Run, import_: Import, file: Any) -> None:
    result = import_("--undo", "imp_0000000000000000")
    assert (result.exit_code, "shows the ids of a tenant's imports" in result.stderr) == (1, True)
    assert run("import", str(file("Email\na@b.co\n")), "--tenant", "nobody").exit_code == 1


@pytest.mark.parametrize("option", [("--tag", ""), ("--tag", "t" * 101), ("--list", "l\x00"), ("--source", "s" * 2000)])
def test_an_option_that_no_lead_may_have_is_a_wrong_command_and_begins_nothing(
    import_: Import, ctx: Ctx, file: Any, option: tuple[str, str]
) -> None:
    result = import_(file(CRM), *RATING, *option)
    assert (result.exit_code, option[0] in result.stderr) == (2, True)
    assert log.every(ctx) == []


def test_an_import_is_undone_once(import_: Import, imported: Any, file: Any) -> None:
    id_ = imported(file("Email\nann@example.com\n"))["import"]
    assert import_("--undo", id_).exit_code == 0
    again = import_("--undo", id_)
    assert (again.exit_code, again.stderr) == (1, "The import was undone already.\n")


def test_names_are_shown_as_they_are(import_: Import, file: Any) -> None:
    shown = import_(file("Name,Tags\n:tada: [red]Ann[/red],:x:\n"), "--dry-run").stdout
    assert ":tada: [red]Ann[/red]" in shown
    assert ":x:" in shown
