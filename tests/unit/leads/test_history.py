"""Messages and qualification of a lead, the events that they make, and their end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import events, keys, tenants
from leadwire.context import Ctx
from leadwire.dialects.public import faces
from leadwire.errors import NotFound
from leadwire.leads import erasure, history, merging, model, service
from leadwire.leads.history import SHOWN, Direction, Message
from leadwire.webhooks import service as webhooks
from leadwire.webhooks.store import delivery_of
from local import demo
from local.world import World
from tests import factories, invariants
from tests.factories import Clock, Overtaken, draft
from tests.unit.leads.verbs import create

ROOT = Path(__file__).resolve().parents[3]


def say(ctx: Ctx, number: int, text: str, direction: Direction = "inbound") -> Message:
    return history.add(ctx, number, Message(id="", at=0, direction=direction, name="Ada", text=text))


def told(ctx: Ctx) -> list[str]:
    return [item["type"] for item in factories.events(ctx.ports.engine)]


def test_messages_are_read_in_the_order_in_which_they_were_written_even_within_a_millisecond(ctx: Ctx) -> None:
    number = create(ctx).number
    written = [say(ctx, number, str(place)) for place in range(SHOWN + 5)]
    assert history.recent(ctx, [service.get(ctx, number)]) == {number: written[-SHOWN:]}
    invariants.check(ctx.ports.engine)


def test_each_message_is_told_by_an_event_of_its_own(ctx: Ctx, clock: Clock) -> None:
    number = create(ctx).number
    clock.advance(60)
    message = say(ctx, number, "hello")
    say(ctx, number, "welcome", "outbound")
    assert told(ctx) == [events.LEAD_CREATED, events.MESSAGE_REPLIED, events.MESSAGE_SENT]
    event = events.from_item(factories.events(ctx.ports.engine)[1])
    assert (event.id, event.at, event.about["message"]["text"]) == (message.id, message.at, "hello")


def test_a_message_leaves_the_lead_as_it_is(ctx: Ctx) -> None:
    lead = create(ctx)
    say(ctx, lead.number, "hello")
    assert service.get(ctx, lead.number) == lead


def test_a_message_that_was_overtaken_by_a_change_is_told_after_it(ctx: Ctx, clock: Clock) -> None:
    """Its event shows the lead after the change: told before, it would show what has not been told yet."""
    lead = create(ctx)
    engine = Overtaken(ctx.ports.engine)

    def change() -> None:
        clock.advance(1)
        service.change(ctx, lead.number, lambda lead: replace(lead, company="Acme"))

    engine.meanwhile = change
    say(factories.ctx(replace(ctx.ports, engine=engine), ctx.tenant), lead.number, "hello")
    found = sorted(map(events.from_item, factories.events(ctx.ports.engine)), key=lambda event: event.id)
    assert [(event.type, event.version) for event in found] == [
        (events.LEAD_CREATED, 1),
        (events.LEAD_UPDATED, 2),
        (events.MESSAGE_REPLIED, 2),
    ]


def test_nobody_writes_to_a_lead_that_is_not_there(ctx: Ctx) -> None:
    with pytest.raises(NotFound):
        say(ctx, 7, "hello")
    assert told(ctx) == []


def test_a_conversation_is_completed_once(ctx: Ctx) -> None:
    number = create(ctx).number
    for found in ({"data": {"a": "1"}}, {"status": "COMPLETED", "data": {"b": "2"}}, {"status": "COMPLETED"}):
        lead = history.qualify(ctx, number, found).lead
    assert lead.qualification == {"status": "COMPLETED", "data": {"a": "1", "b": "2"}}
    updated = events.LEAD_UPDATED
    assert told(ctx) == [events.LEAD_CREATED, updated, updated, events.CONVERSATION_COMPLETED]
    invariants.check(ctx.ports.engine)


def test_what_two_find_out_at_once_is_together_no_more_than_an_open_map_holds(ctx: Ctx) -> None:
    number = create(ctx).number
    half = "x" * (model.OPEN_MAP_BYTES // 2)
    engine = Overtaken(ctx.ports.engine)
    engine.meanwhile = lambda: history.qualify(ctx, number, {"data": {"first": half}})
    late = factories.ctx(replace(ctx.ports, engine=engine), ctx.tenant)
    with pytest.raises(history.Overfull):
        history.qualify(late, number, {"data": {"second": half}})
    assert service.get(ctx, number).qualification == {"data": {"first": half}}


def test_a_conversation_that_is_taken_up_again_can_be_completed_again(ctx: Ctx) -> None:
    number = create(ctx).number
    for status in ("COMPLETED", "IN_PROGRESS", "COMPLETED"):
        history.qualify(ctx, number, {"status": status})
    assert told(ctx).count(events.CONVERSATION_COMPLETED) == 2


# --- in the embedded cloud --------------------------------------------------------------------------------------------


@pytest.fixture
def world_ctx() -> Any:
    world = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    demo.make(world.ports)
    yield world, tenants.operate(world.ports, tenants.by_slug(world.ports, demo.SLUG), "tests")
    world.close()


def test_messages_of_a_deleted_lead_are_deleted_and_its_events_stay(world_ctx: tuple[World, Ctx]) -> None:
    world, ctx = world_ctx
    kept, gone = (service.create(ctx, draft(number)).lead for number in (1, 2))
    for lead in (kept, gone):
        say(ctx, lead.number, "hello")
    service.delete(ctx, gone.number)
    world.advance(seconds=erasure.GRACE)
    found = history.recent(ctx, [kept, gone])
    assert (len(found[kept.number]), found[gone.number]) == (1, [])
    told = [item["type"] for (_, sk), item in factories.items(world.table).items() if sk.startswith("EVT#")]
    assert told.count(events.MESSAGE_REPLIED) == 2


def test_messages_of_a_merged_lead_are_the_survivors_until_that_is_deleted(world_ctx: tuple[World, Ctx]) -> None:
    world, ctx = world_ctx
    kept, gone = (service.create(ctx, draft(number)).lead for number in (1, 2))
    written = [say(ctx, lead.number, text) for lead, text in ((gone, "a"), (kept, "b"), (gone, "c"))]
    merged = merging.merge(ctx, kept.number, gone.number).lead
    world.settle()
    assert history.recent(ctx, [merged])[kept.number] == sorted(written, key=lambda message: message.id)
    merging.unmerge(ctx, gone.number)
    world.settle()
    assert [message.text for message in history.recent(ctx, [gone])[gone.number]] == ["a", "c"]
    merging.merge(ctx, kept.number, gone.number)
    service.delete(ctx, kept.number)
    world.advance(seconds=erasure.GRACE)
    assert history.recent(ctx, [merged]) == {kept.number: []}
    assert ctx.table.get(keys.merged(ctx.tenant.id, gone.number)) is None


def test_replies_and_completed_conversations_become_deliveries(world_ctx: tuple[World, Ctx]) -> None:
    world, ctx = world_ctx
    words = {"MESSAGE_REPLY", "CONVERSATION_COMPLETED"}
    for word in sorted(words):
        webhooks.create(ctx, faces.FACE_V2, event_types=frozenset({word}), url="http://127.0.0.1:9999/")
    one = frozenset({faces.CONVERSATION_COMPLETED})
    webhooks.create(ctx, faces.FACE_V1_CHAT_WIDGET, event_types=one, url="http://127.0.0.1:9999/")
    number = service.create(ctx, draft(1)).lead.number
    say(ctx, number, "hello")
    say(ctx, number, "welcome", "outbound")
    history.qualify(ctx, number, {"status": "COMPLETED"})
    world.settle()
    state = factories.items(world.table)
    sent = [item for (_, sk), item in state.items() if sk == "DLV"]
    assert sorted(str(item["type"]) for item in sent) == sorted([*words, "CONVERSATION_COMPLETED"])
    reply = next(delivery_of(item).body for item in sent if item["type"] == "MESSAGE_REPLY")
    assert '"reply":{"direction":"inbound","name":"Ada","message":"hello"' in reply
    assert '"messageHistory":[{"direction":"inbound"' in reply
