"""What happens to automations while leads are merged and deleted, automations edited, and texts as large as can be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from leadwire import events, keys
from leadwire.leads import history
from leadwire.store.types import Query
from local.world import World
from tests.flows import business
from tests.flows.automating import (
    BASE,
    HOUR,
    action,
    automate,
    condition,
    create,
    delay,
    lead,
    results,
    runs,
    statuses,
)
from tests.flows.business import Business
from tests.unit.webhooks.conftest import Receiver


def merge(acme: Business, survivor: int, other: int) -> None:
    merged = acme.call("crm", "POST", f"/api/v1/leads/{survivor}/merge", {"lead_id": other})
    assert merged.status == 200, merged.text


def said(acme: Business, direction: str) -> None:
    body = {"direction": direction, "name": "Ada", "message": "Hi"}
    answer = acme.call("public", "POST", f"{acme.address('public', 1)}/messages", body)
    assert answer.status == 201, answer.text


# --- leads that nothing happens to ------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_message_either_way_is_activity(world: World, acme: Business, direction: str) -> None:
    id_ = automate(acme, "no_activity", action("add_tag", tag="idle"), hours=4)
    create(acme)
    world.advance(seconds=3 * HOUR)
    said(acme, direction)
    world.advance(seconds=3 * HOUR)
    assert runs(acme, id_) == []
    world.advance(seconds=2 * HOUR)
    assert statuses(acme, id_) == ["done"]


def test_the_clock_of_a_merged_lead_does_not_ring_for_the_survivor(world: World, acme: Business) -> None:
    id_ = automate(acme, "no_activity", action("add_tag", tag="idle"), hours=4)
    survivor, other = create(acme), create(acme)
    world.advance(seconds=2 * HOUR)
    merge(acme, survivor, other)
    world.advance(seconds=3 * HOUR)
    assert (runs(acme, id_), lead(acme, survivor)["tags"]) == ([], [])
    world.advance(seconds=HOUR)
    assert [run["lead_id"] for run in runs(acme, id_)] == [survivor]


def test_a_lead_that_is_itself_again_has_a_clock_again(world: World, acme: Business) -> None:
    survivor, other = create(acme), create(acme)
    world.settle()
    merge(acme, survivor, other)
    world.settle()
    id_ = automate(acme, "no_activity", action("add_tag", tag="idle"), hours=4)
    parted = acme.call("crm", "POST", f"/api/v1/leads/{other}/unmerge", {})
    assert parted.status == 200, parted.text
    world.advance(seconds=5 * HOUR)
    assert sorted(run["lead_id"] for run in runs(acme, id_)) == [survivor, other]


def test_a_lead_that_was_deleted_is_not_run_on(world: World, acme: Business) -> None:
    id_ = automate(acme, "no_activity", action("add_tag", tag="idle"), hours=4)
    number = create(acme)
    world.settle()
    assert acme.call("crm", "DELETE", f"/api/v1/leads/{number}").status == 204
    world.advance(seconds=5 * HOUR)
    assert runs(acme, id_) == []
    assert world.dead_letters("AutomationsQueue") == []


def test_an_automation_that_is_given_more_patience_has_it_for_clocks_that_run(world: World, acme: Business) -> None:
    id_ = automate(acme, "no_activity", action("add_tag", tag="idle"), hours=4)
    create(acme)
    world.settle()
    longer = {"trigger": {"type": "no_activity", "config": {"hours": 8}}}
    assert acme.call("crm", "PATCH", f"{BASE}/{id_}", longer).status == 200
    world.advance(seconds=7 * HOUR)
    assert runs(acme, id_) == []
    world.advance(seconds=2 * HOUR)
    assert statuses(acme, id_) == ["done"]


# --- leads that are merged while a run waits --------------------------------------------------------------------------


def test_a_run_goes_on_with_the_survivor_and_tells_after_all_that_was_told_of_it(world: World, acme: Business) -> None:
    """Whatever the clocks of two machines say: the message was stored by one that was ahead."""
    id_ = automate(
        acme, "lead_created", delay(amount=1, unit="hours"), action("create_task", text="Call {{first_name}}"),
        source="web",
    )  # fmt: skip
    survivor, other = create(acme, first_name="Ada"), create(acme, first_name="Bob", source="web")
    world.settle()
    merge(acme, survivor, other)
    ahead = replace(acme.ctx.ports, clock=lambda: world.clock() + 2 * HOUR)
    message = history.Message(id="", at=0, direction="inbound", name="Ada", text="Hi")
    history.add(replace(acme.ctx, ports=ahead), survivor, message)
    world.advance(seconds=1.5 * HOUR)
    assert [(run["status"], run["lead_id"]) for run in runs(acme, id_)] == [("done", other)]
    told = acme.call("crm", "GET", f"/api/v1/leads/{survivor}/timeline").json()["data"]
    assert [event["type"] for event in told][-2:] == ["message.replied", "task.created"]
    assert told[-1]["about"]["text"] == "Call Ada"


# --- one tenant beside another ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", ["EventsQueue", "AutomationsQueue"])
def test_a_tenant_with_much_to_do_does_not_hold_up_another(world: World, acme: Business, queue: str) -> None:
    other = business.found(world, "other")
    for _ in range(15):
        create(acme)
    create(other)
    for stream in world.streams:
        stream.step()
    first = [json.loads(message.body)["detail"]["tenant"] for message in world.queues.receive(queue, 10)]
    assert (len(first), first.count(other.ctx.tenant.id)) == (10, 1)


# --- steps ------------------------------------------------------------------------------------------------------------


def test_two_steps_that_send_to_one_url_are_two_deliveries(world: World, acme: Business, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "secret": "a secret of ours"}
    id_ = automate(
        acme, "lead_created", action("send_webhook", **hook), delay(amount=1, unit="hours"),
        action("add_tag", tag="later"), action("send_webhook", **hook), action("send_webhook", **hook),
    )  # fmt: skip
    create(acme)
    world.advance(seconds=2 * HOUR)
    assert statuses(acme, id_) == ["done"]
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 3
    bodies = [json.loads(body) for _, body in receiver.received]
    assert [body["lead"]["tags"] for body in bodies] == [[], ["later"], ["later"]]
    assert bodies[0]["occurred_at"] < bodies[1]["occurred_at"]


def test_a_webhook_is_signed_with_the_secret_of_its_step(world: World, acme: Business, receiver: Receiver) -> None:
    automate(acme, "lead_created", action("send_webhook", url=receiver.url, secret="a secret of ours"))
    create(acme)
    world.settle()
    ((headers, body),) = receiver.received
    Verifier(b"a secret of ours").verify(body, headers)


def test_an_automation_that_starts_itself_is_stopped(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created")
    again = {"steps": [action("start_automation", automation_id=id_)]}
    assert acme.call("crm", "PATCH", f"{BASE}/{id_}", again).status == 200
    create(acme)
    world.settle()
    assert sorted(statuses(acme, id_)) == ["done"] * 5 + ["stopped"]
    assert {run["reason"] for run in runs(acme, id_)} == {None, "loop"}


def test_an_automation_that_is_switched_off_is_not_started_by_another(world: World, acme: Business) -> None:
    second = automate(acme, "manual", action("add_tag", tag="second"))
    first = automate(acme, "lead_created", action("start_automation", automation_id=second))
    assert acme.call("crm", "PATCH", f"{BASE}/{second}", {"is_active": False}).status == 200
    create(acme)
    world.settle()
    (run,) = runs(acme, first)
    assert (run["status"], run["steps"][0]["error"]["code"], runs(acme, second)) == ("failed", "inactive", [])


def test_fields_are_those_of_the_crm_api(world: World, acme: Business) -> None:
    """Also those that no action sets: tags, number and times; what has parts is shown as people write it."""
    wanted = "{{ id }} {{tags}} {{custom_fields.rooms}} {{custom_fields.size}} {{pets}} {{created_at}}{{ nothing }}"
    id_ = automate(
        acme, "lead_created",
        condition("field_is_not_empty", field="tags"), condition("field_contains", field="tags", value="HOT"),
        condition("field_equals", field="rooms", value=4), condition("field_equals", field="rooms", value="4"),
        condition("field_equals", field="id", value=1), condition("field_is_empty", field="possible_duplicate_of"),
        action("set_field", field="company", value=wanted),
    )  # fmt: skip
    create(acme, tags=["hot", "new"], custom_fields={"rooms": 4.0, "size": {"m2": 80}, "pets": ["cat", "dog"]})
    world.settle()
    assert statuses(acme, id_) == ["done"]
    shown = lead(acme)
    assert shown["company"] == f'1 hot, new 4 {{"m2": 80}} cat, dog {shown["created_at"]}'


def test_a_text_of_nothing_but_the_beginning_of_a_variable_is_read_at_once(world: World, acme: Business) -> None:
    """A pattern that went back over its blanks would be at it for hours."""
    id_ = automate(acme, "lead_created", action("add_note", text="{{" + " " * 60_000 + "x"))
    create(acme)
    world.settle()
    assert statuses(acme, id_) == ["done"]


def test_what_is_told_beside_the_largest_lead_is_an_event_like_any_other(world: World, acme: Business) -> None:
    """Control characters are six bytes in JSON: the largest that a text can be."""
    texts = {"text": "\x01" * 16_384}
    id_ = automate(
        acme, "lead_created", action("create_task", **texts),
        action("notify_users", user_ids=[1], message="{{notes}}" * 100),
    )  # fmt: skip
    number = create(acme, notes="\x01" * 18_000)
    world.settle()
    assert statuses(acme, id_) == ["done"]
    place = keys.event(acme.ctx.tenant.id, number, "")
    told = [events.from_item(item) for item in acme.ctx.table.query_all(Query(place.pk, prefix=place.sk))]
    assert [event.type for event in told] == [events.LEAD_CREATED, events.TASK_CREATED, events.USERS_NOTIFIED]
    assert len(told[1].about["text"]) == len(told[2].about["message"]) == 16_384
    assert 200_000 < max(len(events.to_detail(event).encode()) for event in told) < 255 * 1024


def test_why_a_lead_cannot_be_changed_is_said_in_a_sentence(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", action("add_note", text="n" * 60_000))
    create(acme, notes="é" * 4000, custom_fields={"about": "é" * 15_000}, tags=[f"tag {n}" for n in range(50)])
    world.settle()
    (run,) = runs(acme, id_)
    error = {"code": "invalid_input", "message": "makes the lead larger than 112 KiB"}
    assert (run["status"], run["steps"][0]["error"]) == ("failed", error)


def test_a_delay_is_shown_with_its_end_while_it_lasts(world: World, acme: Business) -> None:
    id_ = automate(acme, "lead_created", delay(amount=2, unit="hours"), action("add_tag", tag="late"))
    create(acme)
    world.settle()
    (run,) = runs(acme, id_)
    assert (results(run), run["next_at"]) == (["waits"], run["steps"][0]["until"])
