"""Automations through all that the template describes: events of the bus start them, the due index wakes them."""

from __future__ import annotations

import json

import pytest

from leadwire import records, users
from leadwire.automations.service import AUTOMATIONS
from local.world import World
from tests.flows import business
from tests.flows.automating import (
    BASE,
    DAY,
    HOUR,
    action,
    automate,
    condition,
    create,
    delay,
    lead,
    patch,
    results,
    runs,
    statuses,
)
from tests.flows.business import Business
from tests.unit.webhooks.conftest import Receiver


def test_a_lead_of_any_dialect_is_taken_in_hand(world: World, acme: Business) -> None:
    """condition, action, action: each is shown with its result, and the changes say by whom and why."""
    id_ = automate(
        acme, "lead_created", condition("status_is", status="new"),
        action("add_tag", tag="fresh"), action("add_score", points=7),
    )  # fmt: skip
    for dialect in ("chatbot", "public", "lists", "crm"):
        acme.create(dialect)
    world.settle()
    assert statuses(acme, id_) == ["done"] * 4
    for number in range(1, 5):
        shown = lead(acme, number)
        assert ("fresh" in shown["tags"], shown["lead_score"]) == (True, 7)
    assert sorted(run["lead_id"] for run in runs(acme, id_)) == [1, 2, 3, 4]
    for run in runs(acme, id_):
        assert results(run) == ["true", "done", "done"]
        assert (run["trigger"], run["reason"], run["next_at"]) == ("lead_created", None, None)
    world.advance(seconds=20)
    told = acme.call("crm", "GET", "/api/v1/leads/4/timeline").json()["data"]
    created, *changes = told
    assert [(event["actor"], event["cause"], event["hops"]) for event in changes] == [
        (f"automation:{id_}", created["id"], 1)
    ] * 2


def test_a_condition_that_does_not_hold_ends_the_run(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", condition("has_tag", tag="vip"), action("set_status", status="qualified"))
    create(acme)
    create(acme, tags=["vip"])
    world.settle()
    assert sorted(statuses(acme, id_)) == ["done", "ended"]
    assert [lead(acme, number)["status"] for number in (1, 2)] == ["new", "qualified"]


def test_a_delay_waits_and_goes_on_at_its_moment(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", delay(amount=1, unit="days"), action("set_starred", starred=True))
    create(acme)
    world.settle()
    assert statuses(acme, id_) == ["waiting"]
    world.advance(seconds=DAY - 60)
    assert (statuses(acme, id_), lead(acme)["starred"]) == (["waiting"], False)
    world.advance(seconds=120)
    (run,) = runs(acme, id_)
    assert (run["status"], results(run), lead(acme)["starred"]) == ("done", ["waits", "done"], True)


def test_a_delay_of_a_minute_is_a_minute(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", delay(amount=1, unit="minutes"), action("set_starred", starred=True))
    create(acme)
    world.settle()
    world.advance(seconds=50)
    assert statuses(acme, id_) == ["waiting"]
    world.advance(seconds=15)
    assert statuses(acme, id_) == ["done"]


@pytest.mark.parametrize("how", ["switched off", "deleted"])
def test_a_run_ends_with_its_automation(world: World, acme: Business, how: str) -> None:
    id_ = automate(acme, "lead_created", delay(amount=1, unit="hours"), action("set_starred", starred=True))
    create(acme)
    world.settle()
    if how == "deleted":
        assert acme.call("crm", "DELETE", f"{BASE}/{id_}").status == 204
    else:
        assert acme.call("crm", "PATCH", f"{BASE}/{id_}", {"is_active": False}).status == 200
    world.advance(seconds=2 * HOUR)
    assert lead(acme)["starred"] is False
    if how == "switched off":
        assert [(run["status"], run["reason"]) for run in runs(acme, id_)] == [("stopped", "automation")]


def test_a_run_ends_with_its_lead(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", delay(amount=1, unit="hours"), action("set_starred", starred=True))
    create(acme)
    world.settle()
    assert acme.call("crm", "DELETE", "/api/v1/leads/1").status == 204
    world.advance(seconds=2 * HOUR)
    assert [(run["status"], run["reason"]) for run in runs(acme, id_)] == [("stopped", "lead")]


def test_a_run_follows_the_steps_with_which_it_began(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", delay(amount=1, unit="hours"), action("add_tag", tag="old"))
    create(acme)
    world.settle()
    acme.call("crm", "PATCH", f"{BASE}/{id_}", {"steps": [action("add_tag", tag="new")]})
    world.advance(seconds=2 * HOUR)
    assert (statuses(acme, id_), lead(acme)["tags"]) == (["done"], ["old"])


# --- loops and limits -------------------------------------------------------------------------------------------------


def test_an_automation_does_not_start_again_by_what_it_did(world: World, acme: Business) -> None:
    id_ = automate(acme, "field_changed", action("add_score", points=1), field="lead_score")
    create(acme)
    automate(acme, "tag_added", action("add_score", points=1), tag="go")
    patch(acme, tags=["go"])
    world.settle()
    assert (statuses(acme, id_), lead(acme)["lead_score"]) == (["done"], 2)


def test_two_automations_that_start_each_other_are_stopped(world: World, acme: Business) -> None:
    ping = automate(acme, "status_changed", action("set_status", status="contacted"), to="qualified")
    pong = automate(acme, "status_changed", action("set_status", status="qualified"), to="contacted")
    create(acme)
    patch(acme, status="qualified")
    world.settle()
    every = [run for id_ in (ping, pong) for run in runs(acme, id_)]
    assert sorted(run["status"] for run in every) == ["done"] * 5 + ["stopped"]
    assert [run["reason"] for run in every if run["status"] == "stopped"] == ["loop"]


def test_a_lead_has_ten_runs_a_minute(world: World, acme: Business) -> None:
    ids = [automate(acme, "lead_created", action("add_score", points=1)) for _ in range(12)]
    create(acme)
    world.settle()
    every = [run for id_ in ids for run in runs(acme, id_)]
    assert sorted(run["status"] for run in every) == ["done"] * 10 + ["stopped"] * 2
    assert {run["reason"] for run in every} == {None, "rate"}
    assert lead(acme)["lead_score"] == 10


# --- actions ----------------------------------------------------------------------------------------------------------


def test_what_actions_make_of_a_lead(world: World, acme: Business) -> None:
    pipeline = acme.call("crm", "GET", "/api/v1/pipelines").json()["data"][0]
    won = next(stage for stage in pipeline["stages"] if stage["is_won"])
    id_ = automate(
        acme, "lead_created",
        action("remove_tag", tag="cold"), action("set_field", field="company", value="{{last_name}} Ltd"),
        action("set_field", field="custom_fields.greeting", value="Hello {{first_name}}, {{nothing}}"),
        action("set_field", field="phone", value="(415) 555-2671"), action("assign_user", user_id=4),
        action("move_stage", stage_id=won["id"]), action("set_starred", starred=True),
    )  # fmt: skip
    create(acme, last_name="Lee", tags=["cold", "kept"])
    world.settle()
    assert statuses(acme, id_) == ["done"]
    shown = lead(acme)
    assert {name: shown[name] for name in ("tags", "company", "phone", "assigned_user_id", "status", "starred")} == {
        "tags": ["kept"], "company": "Lee Ltd", "phone": "+14155552671", "assigned_user_id": 4,
        "status": "converted", "starred": True,
    }  # fmt: skip
    assert shown["custom_fields"] == {"greeting": "Hello Ada, "}
    assert shown["pipeline_stage_id"] == won["id"]


def test_round_robin_goes_around_and_passes_over_the_suspended(world: World, acme: Business) -> None:
    automate(acme, "lead_created", action("assign_user", round_robin=[1, 2, 3]))
    users.update(acme.ctx, 2, {"status": "suspended"})
    for number in range(6):
        create(acme, email=f"ada{number}@example.com")
    world.settle()
    assert sorted(lead(acme, number)["assigned_user_id"] for number in range(1, 7)) == [1, 1, 1, 3, 3, 3]


def test_tasks_and_notes_to_users_are_events_of_the_lead(world: World, acme: Business) -> None:
    automate(
        acme, "lead_created", action("create_task", text="Call {{name}}", due_in={"amount": 2, "unit": "hours"}),
        action("notify_users", user_ids=[1], assignee=True, message="{{name}} is here"),
    )  # fmt: skip
    create(acme, last_name="Lee", assigned_user_id=3)
    world.settle()
    world.advance(seconds=20)
    told = acme.call("crm", "GET", "/api/v1/leads/1/timeline").json()["data"]
    assert [event["type"] for event in told] == ["lead.created", "task.created", "users.notified"]
    _, task, note = told
    assert (task["about"]["text"], task["about"]["user_id"]) == ("Call Ada Lee", 3)
    assert note["about"] == {"user_ids": [1, 3], "message": "Ada Lee is here"}


def test_a_webhook_of_an_automation_goes_through_the_engine(world: World, acme: Business, receiver: Receiver) -> None:
    receiver.answers = [(500, {}, b"down"), (204, {}, b"")]
    automate(acme, "lead_created", action("send_webhook", url=receiver.url, secret="a secret of ours"))
    create(acme)
    world.settle()
    assert len(receiver.received) == 1
    world.advance(seconds=600)
    (_, first), (headers, body) = receiver.received
    assert first == body
    assert (json.loads(body)["event"], json.loads(body)["lead"]["first_name"]) == ("automation.webhook", "Ada")
    assert headers["x-leadhub-signature"].startswith("sha256=")
    (delivery,) = acme.call("crm", "GET", "/api/v1/webhook-deliveries").json()["data"]
    assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 2)


def test_one_automation_starts_another(world: World, acme: Business) -> None:
    second = automate(acme, "manual", action("add_tag", tag="second"))
    automate(acme, "lead_created", action("add_tag", tag="first"), action("start_automation", automation_id=second))
    create(acme)
    world.settle()
    assert (statuses(acme, second), lead(acme)["tags"]) == (["done"], ["first", "second"])


def test_a_step_that_cannot_be_done_says_why_and_ends_the_run(world: World, acme: Business) -> None:
    stage = acme.call("crm", "GET", "/api/v1/pipelines").json()["data"][0]["stages"][0]["id"]
    moving = automate(acme, "lead_created", action("move_stage", stage_id=stage), action("add_tag", tag="never"))
    wrong = automate(acme, "lead_created", action("set_field", field="phone", value="no phone"))
    acme.call("crm", "DELETE", f"/api/v1/pipelines/1/stages/{stage}")
    create(acme)
    world.settle()
    (one,), (two,) = runs(acme, moving), runs(acme, wrong)
    assert (one["status"], one["steps"][0]["error"]["code"], len(one["steps"])) == ("failed", "not_found", 1)
    assert (two["status"], two["steps"][0]["error"]["code"]) == ("failed", "invalid")
    assert lead(acme)["tags"] == []


def test_runs_come_in_pages_newest_first(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", action("add_tag", tag="x"))
    for number in range(5):
        create(acme, email=f"ada{number}@example.com")
        world.settle()
        world.advance(seconds=1)
    found, cursor = [], ""
    for _ in range(3):
        page = acme.call("crm", "GET", f"{BASE}/{id_}/runs?per_page=2{cursor and f'&cursor={cursor}'}").json()
        found += [run["lead_id"] for run in page["data"]]
        cursor = page["meta"]["next_cursor"]
    assert (found, cursor) == ([5, 4, 3, 2, 1], None)


def test_what_is_another_tenants_starts_nothing(world: World, acme: Business) -> None:
    other = business.found(world, "other")
    id_ = automate(acme, "lead_created", action("add_tag", tag="x"))
    create(other)
    world.settle()
    assert runs(acme, id_) == []
    assert records.every(other.ctx, AUTOMATIONS) == []


def test_what_an_action_writes_keeps_within_what_a_lead_may_be(world: World, acme: Business) -> None:
    """A page of variables is cut off, a line stays a line, a score ends where scores end, an open map is refused."""
    filling = automate(
        acme, "lead_created",
        action("set_field", field="notes", value="x" * 3000),
        action("set_field", field="company", value="a\n{{notes}}"),
        action("create_task", text="{{notes}}" * 1800), action("add_score", points=10**9),
        action("add_score", points=10**9), action("set_field", field="large", value="y" * 40_000),
    )  # fmt: skip
    create(acme)
    world.settle()
    (run,) = runs(acme, filling)
    assert (run["status"], run["steps"][-1]["error"]["code"]) == ("failed", "too_large")
    shown = lead(acme)
    assert (len(shown["company"]), shown["company"][:4], shown["lead_score"]) == (255, "a xx", 10**9)
    wrong = {"name": "x", "trigger": {"type": "manual"}, "steps": [action("add_tag", tag="a\nb")]}
    assert acme.call("crm", "POST", BASE, wrong).status == 422
