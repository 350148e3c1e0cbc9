"""Every trigger starts what it should, and nothing else."""

from __future__ import annotations

from typing import Any

from local.world import World
from tests.flows.automating import (
    BASE,
    DAY,
    HOUR,
    action,
    automate,
    create,
    lead,
    patch,
    runs,
    statuses,
)
from tests.flows.business import Business


def test_each_trigger_starts_on_what_it_names_and_on_nothing_else(world: World, acme: Business) -> None:
    pipeline = acme.call("crm", "GET", "/api/v1/pipelines").json()["data"][0]
    first, second = (stage["id"] for stage in pipeline["stages"][:2])
    ids = {
        name: automate(acme, trigger, action("add_note", text=name), **config)
        for name, trigger, config in (
            ("website", "lead_created", {"source": "website"}),
            ("moved", "stage_changed", {"to_stage_id": second}),
            ("moved from the second", "stage_changed", {"from_stage_id": second}),
            ("lost", "status_changed", {"from": "contacted", "to": "lost"}),
            ("assigned", "lead_assigned", {"user_id": 2}),
            ("tagged", "tag_added", {"tag": "vip"}),
            ("untagged", "tag_removed", {"tag": "vip"}),
            ("budget", "field_changed", {"field": "budget", "to": "high"}),
            ("renamed", "field_changed", {"field": "last_name"}),
            ("hot", "score_crossed", {"threshold": 10, "direction": "above"}),
        )
    }

    def started() -> set[str]:
        world.settle()
        return {name for name, id_ in ids.items() if len(runs(acme, id_)) > seen.get(name, 0)}

    def follow(expected: set[str], **fields: Any) -> None:
        seen.update({name: len(runs(acme, id_)) for name, id_ in ids.items()})
        patch(acme, **fields)
        assert started() == expected, fields
        world.advance(seconds=61)  # ten runs of a lead in a minute are all there may be

    seen: dict[str, int] = {}
    create(acme, source="import", pipeline_stage_id=first)
    assert started() == set()
    follow({"moved"}, pipeline_stage_id=second)
    follow({"moved from the second"}, pipeline_stage_id=first)
    follow(set(), status="contacted")
    follow({"lost"}, status="lost")
    follow(set(), status="new")
    follow(set(), assigned_user_id=1)
    follow({"assigned"}, assigned_user_id=2)
    follow({"tagged"}, tags=["vip", "other"])
    follow(set(), tags=["vip"])
    follow({"untagged"}, tags=[])
    follow(set(), custom_fields={"budget": "low"})
    follow({"budget"}, custom_fields={"budget": "HIGH"})
    follow({"renamed"}, last_name="Lovelace")
    create(acme, source="Website", email="web@example.com")
    assert "website" in started()


def test_what_a_new_lead_has_counts_as_given(world: World, acme: Business) -> None:
    tagged = automate(acme, "tag_added", action("set_starred", starred=True), tag="vip")
    owned = automate(acme, "lead_assigned", action("add_score", points=1))
    create(acme, tags=["vip"], assigned_user_id=3)
    world.settle()
    assert (statuses(acme, tagged), statuses(acme, owned)) == (["done"], ["done"])


def test_a_score_that_crosses_up_and_down(world: World, acme: Business) -> None:
    up = automate(acme, "score_crossed", action("add_tag", tag="hot"), threshold=10, direction="above")
    raising = automate(acme, "tag_added", action("add_score", points=11), tag="raise")
    create(acme)
    patch(acme, tags=["raise"])
    world.settle()
    assert (statuses(acme, raising), statuses(acme, up)) == (["done"], ["done"])
    assert sorted(lead(acme)["tags"]) == ["hot", "raise"]


def test_conversations_and_forms_start_runs(world: World, acme: Business) -> None:
    replied = automate(acme, "message_replied", action("add_tag", tag="talks"))
    completed = automate(acme, "conversation_completed", action("set_status", status="qualified"))
    form = acme.call(
        "crm", "POST", "/api/v1/forms",
        {"name": "Contact", "fields": [{"key": "email", "label": "E-mail", "type": "email", "required": True}]},
    ).json()["data"]  # fmt: skip
    submitted = automate(acme, "form_submitted", action("add_tag", tag="form"), form_id=form["id"])
    create(acme, email="ada@example.com")
    address = acme.address("public", 1)
    said = acme.call("public", "POST", f"{address}/messages", {"direction": "inbound", "name": "Ada", "message": "Hi"})
    assert said.status == 201, said.text
    done = acme.call("public", "POST", f"{address}/qualification", {"status": "COMPLETED"})
    assert done.status == 200, done.text
    sent = acme.call("crm", "POST", f"/api/v1/forms/{form['id']}/submissions", {"email": "ada@example.com"})
    assert sent.status == 201, sent.text
    world.settle()
    assert [statuses(acme, id_) for id_ in (replied, completed, submitted)] == [["done"]] * 3
    assert (sorted(lead(acme)["tags"]), lead(acme)["status"]) == (["form", "talks"], "qualified")


def test_no_activity_runs_once_until_something_happens_again(world: World, acme: Business) -> None:
    id_ = automate(acme, "no_activity", action("add_note", text="Call {{first_name}}"), hours=4)
    create(acme)
    world.settle()
    world.advance(seconds=3 * HOUR)
    patch(acme, last_name="Lovelace")
    world.settle()
    world.advance(seconds=3.5 * HOUR)
    assert runs(acme, id_) == []
    world.advance(seconds=HOUR)
    assert statuses(acme, id_) == ["done"]
    assert lead(acme)["notes"].endswith("Call Ada")
    world.advance(seconds=DAY)
    assert statuses(acme, id_) == ["done"]
    patch(acme, last_name="King")
    world.settle()
    world.advance(seconds=5 * HOUR)
    assert statuses(acme, id_) == ["done", "done"]


def test_a_run_is_started_by_hand(world: World, acme: Business) -> None:
    id_, other = automate(acme, "manual", action("add_tag", tag="by hand")), automate(acme, "lead_created")
    create(acme)
    started = acme.call("crm", "POST", f"{BASE}/{id_}/run", {"lead_id": 1})
    assert (started.status, started.json()["data"]["status"]) == (202, "running")
    world.settle()
    assert (statuses(acme, id_), lead(acme)["tags"]) == (["done"], ["by hand"])
    assert acme.call("crm", "POST", f"{BASE}/{other}/run", {"lead_id": 1}).status == 409
    assert acme.call("crm", "POST", f"{BASE}/{id_}/run", {"lead_id": 99}).status == 422
    assert acme.call("crm", "POST", f"{BASE}/99/run", {"lead_id": 1}).status == 404
