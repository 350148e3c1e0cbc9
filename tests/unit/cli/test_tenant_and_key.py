"""`leadwire tenant …` and `leadwire key …` on the embedded database."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import get_args

import pytest
from typer.testing import CliRunner

from cli import keys
from cli.main import app
from leadwire import admission, apikeys, tenants
from leadwire.errors import Conflict, Unauthorized
from leadwire.store.table import unscoped


@pytest.fixture
def demo(run_json):
    return run_json("tenant", "create", "demo", "--name", "Demo Ltd", "--region", "de")


def admit(ports, token):
    return admission.admit(unscoped(ports.engine), token, int(time.time()))


def test_a_new_tenant_is_listed_under_its_three_ids(run_json, demo):
    assert run_json("tenant", "list") == [demo]
    assert (demo["slug"], demo["name"], demo["region"]) == ("demo", "Demo Ltd", "DE")
    assert demo["workspace_id"] == f"ws_{demo['id']}"
    assert demo["account_id"].replace("-", "").startswith(demo["id"][:12])


def test_a_tenant_without_a_name_is_called_by_its_slug(run_json):
    assert run_json("tenant", "create", "acme")["name"] == "acme"


def test_tables_for_people_hold_whole_rows(run, demo):
    result = run("tenant", "list")
    assert demo["account_id"] in result.stdout
    assert "Demo Ltd" in result.stdout


def test_without_a_tenant_the_list_says_how_to_make_one(run):
    assert "leadwire tenant create" in run("tenant", "list").stdout


def test_a_taken_slug_is_refused_with_a_sentence_and_exit_code_1(run, demo):
    result = run("tenant", "create", "demo")
    assert result.exit_code == 1
    assert result.stderr == "The slug demo is taken.\n"
    assert result.stdout == ""


def test_a_slug_that_is_not_one_is_refused(run):
    result = run("tenant", "create", "Not_a_slug")
    assert result.exit_code == 1
    assert "inner hyphens" in result.stderr


@pytest.mark.parametrize("dialect", get_args(keys.Dialect))
def test_a_new_key_opens_its_dialect_for_its_tenant(run_json, ports, demo, dialect):
    key = run_json("key", "create", "--tenant", "demo", "--dialect", dialect)
    admission = admit(ports, key["token"])
    assert (admission.key_id, admission.family, admission.tenant.id) == (key["id"], dialect, demo["id"])
    assert admission.limit == apikeys.FAMILIES[dialect].limit


def test_the_dialects_of_keys_are_those_that_there_are():
    assert set(get_args(keys.Dialect)) == set(apikeys.FAMILIES)


def test_scopes_limit_and_expiry_are_the_keys_own(run_json, ports, demo):
    words = ["--tenant", "demo", "--dialect", "crm", "--scopes", "read:leads, leads:write", "--limit", "1"]
    key = run_json("key", "create", *words, "--expires", "2199-12-31", "--name", "import")
    assert key["scopes"] == ["read:leads", "write:leads"]
    assert key["expires"] == "2200-01-01T00:00:00Z"
    assert key["name"] == "import"
    first, second = admit(ports, key["token"]), admit(ports, key["token"])
    assert not first.may("delete:leads")
    assert (first.retry_after, second.retry_after > 0) == (0, True)


def test_the_last_day_of_all_is_an_expiry(run_json, ports, demo):
    key = run_json("key", "create", "--tenant", "demo", "--dialect", "crm", "--expires", "9999-12-31")
    assert key["expires"] is None
    assert admit(ports, key["token"]).key_id == key["id"]


@pytest.mark.parametrize(
    "words", [("tenant", "set", "demo"), ("tenant", "create", "acme"), ("key", "create", "--tenant", "demo")]
)
@pytest.mark.parametrize("name", [" ", "a\x07b", "x" * 256])
def test_a_name_that_is_none_is_a_wrong_command(run, demo, words, name):
    more = ("--dialect", "crm") if words[0] == "key" else ()
    result = run(*words, *more, "--name", name)
    assert (result.exit_code, "a line of 1 to 255" in result.stderr) == (2, True)


def test_more_calls_than_anybody_makes_are_no_limit(run, demo):
    assert run("key", "create", "--tenant", "demo", "--dialect", "crm", "--limit", "1" + "0" * 40).exit_code == 2


@pytest.mark.parametrize("day", ["2020-01-31", "tomorrow", "2027-02-30"])
def test_an_expiry_that_is_over_or_no_day_is_a_wrong_command(run, demo, day):
    result = run("key", "create", "--tenant", "demo", "--dialect", "crm", "--expires", day)
    assert result.exit_code == 2
    assert "--expires" in result.stderr


def test_an_unknown_scope_is_refused_with_the_scopes_there_are(run, demo):
    result = run("key", "create", "--tenant", "demo", "--dialect", "crm", "--scopes", "everything")
    assert result.exit_code == 1
    assert "read:leads" in result.stderr


def test_the_token_is_shown_once_and_never_listed(run, run_json, demo):
    shown = run("key", "create", "--tenant", "demo", "--dialect", "lists").stdout
    token = next(word for word in shown.split() if word.startswith("tc_live_"))
    assert "cannot be shown again" in shown
    listed = run("key", "list", "--tenant", "demo").stdout
    assert token not in listed
    assert run_json("key", "list", "--tenant", "demo")[0]["ends_in"] == token[-4:]


def test_a_revoked_key_is_refused_at_its_next_call_and_still_listed(run, run_json, ports, demo):
    key = run_json("key", "create", "--tenant", "demo", "--dialect", "crm")
    admit(ports, key["token"])
    assert run("key", "revoke", key["id"], "--tenant", "demo").exit_code == 0
    with pytest.raises(Unauthorized):
        admit(ports, key["token"])
    assert run_json("key", "list", "--tenant", "demo")[0]["enabled"] is False


def test_an_unknown_tenant_or_key_is_refused_with_the_command_that_lists_them(run, demo):
    unknown_tenant = run("key", "list", "--tenant", "nobody")
    assert (unknown_tenant.exit_code, "leadwire tenant list" in unknown_tenant.stderr) == (1, True)
    unknown_key = run("key", "revoke", "key_x", "--tenant", "demo")
    assert (unknown_key.exit_code, "leadwire key list" in unknown_key.stderr) == (1, True)


def test_a_key_of_another_tenant_is_not_found(run, run_json, ports, demo):
    run_json("tenant", "create", "other")
    key = run_json("key", "create", "--tenant", "demo", "--dialect", "crm")
    assert run("key", "revoke", key["id"], "--tenant", "other").exit_code == 1
    assert admit(ports, key["token"]).key_id == key["id"]


def test_without_a_database_the_command_says_how_to_get_one_and_makes_none(tmp_path):
    result = CliRunner().invoke(app, ["--data", str(tmp_path), "tenant", "list"])
    assert result.exit_code == 2
    assert "make run" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_version_is_a_wrong_command_that_says_the_way_out(run, data):
    with closing(sqlite3.connect(data / "leadwire.db")) as file:
        file.execute("PRAGMA user_version = 7")
    result = run("tenant", "list")
    assert result.exit_code == 2
    assert "was made by another version of Leadwire (format 7, not 1): move" in result.stderr


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def tokens(run_json, demo):
    return [
        run_json("key", "create", "--tenant", "demo", "--dialect", name)["token"] for name in get_args(keys.Dialect)
    ]


def test_a_tenant_is_shown_with_its_settings_and_keys(run_json, tokens):
    shown = run_json("tenant", "show", "demo")
    assert (shown["region"], shown["strict_phones"], shown["shards"]) == ("DE", False, 1)
    assert (shown["keys"], shown["keys_behind"]) == (4, 0)
    assert shown["limits"] == ["public=60", "chatbot=1000", "lists=600", "crm=1000"]


def test_settings_change_for_the_tenant_and_for_each_of_its_keys(run_json, ports, tokens):
    words = ("--name", "Demo SARL", "--region", "fr", "--strict-phones", "--limit", "crm=5000", "--limit", "lists=7")
    changed = run_json("tenant", "set", "demo", *words)
    assert (changed["name"], changed["region"], changed["strict_phones"]) == ("Demo SARL", "FR", True)
    admitted = [admit(ports, token) for token in tokens]
    assert {(one.tenant.region, one.tenant.valid_phones) for one in admitted} == {("FR", True)}
    assert [one.limit for one in admitted] == [60, 1000, 7, 5000]
    assert run_json("tenant", "set", "demo", "--possible-phones")["strict_phones"] is False
    assert not admit(ports, tokens[0]).tenant.valid_phones


def test_a_change_that_was_interrupted_is_told_and_goes_on(run_json, ports, tokens):
    """The tenant was changed, and the process died before it came to the keys."""
    tenant = tenants.by_slug(ports, "demo")
    tenants.change(ports, tenant.id, region="FR")
    assert run_json("tenant", "show", "demo")["keys_behind"] == 4
    assert admit(ports, tokens[0]).tenant.region == "DE"
    assert run_json("tenant", "set", "demo")["keys_behind"] == 0
    assert {admit(ports, token).tenant.region for token in tokens} == {"FR"}


def test_of_two_changes_at_once_no_key_keeps_the_older_one(ports, tokens):
    """The first one has read the tenant, and comes to the keys when the second one is done."""
    tenant = tenants.by_slug(ports, "demo")
    first = tenants.operate(ports, tenants.change(ports, tenant.id, region="FR"), "cli")
    second = tenants.operate(ports, tenants.change(ports, tenant.id, valid_phones=True), "cli")
    assert apikeys.refresh(second) == 4
    with pytest.raises(Conflict):
        apikeys.refresh(first)
    assert {(one.region, one.valid_phones) for one in (admit(ports, token).tenant for token in tokens)} == {
        ("FR", True)
    }


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--shards", "4"), 2, "leadwire export"),
        (("--region", "XX"), 1, "ISO 3166"),
        (("--limit", "crm"), 2, "number of calls"),
        (("--limit", "mail=3"), 2, "number of calls"),
        (("--limit", "crm=1" + "0" * 40), 2, "number of calls"),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_way_out(run, tokens, words, code, says):
    result = run("tenant", "set", "demo", *words)
    assert result.exit_code == code
    assert says in " ".join(result.stderr.replace("│", " ").split())


def test_a_tenant_that_is_not_there_cannot_be_set(run):
    result = run("tenant", "set", "nobody", "--region", "FR")
    assert (result.exit_code, "leadwire tenant list" in result.stderr) == (1, True)


def test_the_clocks_and_hours_of_a_tenant_are_set_and_shown(run_json, demo):
    assert run_json("tenant", "show", "demo")["hours"] == "09:00-17:00 UTC"
    run_json("tenant", "set", "demo", "--timezone", "Europe/Berlin")
    assert run_json("tenant", "set", "demo", "--hours", "08:30-18:00")["hours"] == "08:30-18:00 Europe/Berlin"


@pytest.mark.parametrize("wrong", [("--timezone", "Berlin"), ("--hours", "9-17"), ("--hours", "18:00-09:00")])
def test_clocks_that_are_none_are_refused_and_change_nothing(run, run_json, demo, wrong):
    assert run("tenant", "set", "demo", *wrong).exit_code == 1
    assert run_json("tenant", "show", "demo")["hours"] == "09:00-17:00 UTC"
