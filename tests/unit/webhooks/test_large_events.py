"""The largest events there can be, on their way to endpoints: none is lost, and none stands in the way of others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from leadwire import events, faces, relay
from leadwire.leads import history, model, service
from leadwire.leads.history import Medium, Message
from leadwire.leads.model import Lead
from leadwire.ports import Bus, BusEntry
from leadwire.store.expressions import marshal_item
from leadwire.store.limits import LARGEST_ITEM
from leadwire.webhooks import service as webhooks
from tests import factories

HOOK = "https://example.com/hook"
NOTES = "😀" * 28_000
WORDS = {"public_v2": "MESSAGE_REPLY", "chatbot": "LEAD_UPDATED", "lists": "lead.updated", "crm": "lead.updated"}


class Smallest(Bus):
    """EventBridge as it was before 2026, when an entry had 256 KiB."""

    def __init__(self) -> None:
        self.entries: list[BusEntry] = []

    def put(self, entries: Any) -> list[int]:
        assert all(len(entry.detail.encode()) + len(entry.detail_type) + 8 < 256 * 1024 for entry in entries)
        self.entries += entries
        return []


def talkative(ctx: Any) -> int:
    """A lead with a conversation of which each message is as long as can be, changed from one extreme to another."""
    number = service.create(ctx, Lead(first_name="Ada", notes=NOTES)).lead.number
    message = Message(id="", at=0, direction="inbound", name="😀" * 250, text="\x01" * history.LIMIT)
    media = tuple(Medium("image/png", "https://" + "\x01" * 990) for _ in range(10))
    for _ in range(history.SHOWN):
        history.add(ctx, number, replace(message, media=media))
    service.change(ctx, number, lambda lead: replace(lead, notes="é" * 57_000))
    service.change(ctx, number, lambda lead: replace(lead, notes="ß" * 57_000))
    return number


def test_the_largest_events_reach_every_face(pipeline: Any) -> None:
    for face in faces.ALL:
        if face.name in WORDS:
            webhooks.create(pipeline.ctx, face, event_types=frozenset({WORDS[face.name]}), url=HOOK)
    talkative(pipeline.ctx)
    happened = [events.from_item(item) for item in pipeline.items() if item["sk"].startswith("EVT#")]
    assert pipeline.publish(*happened) == []
    made = pipeline.deliveries()
    assert len(made) == history.SHOWN + 3 * 2
    assert max(len(delivery.body.encode()) for delivery in made) < LARGEST_ITEM * 3 // 4


def test_a_conversation_that_is_too_long_to_be_shown_loses_its_beginning(pipeline: Any) -> None:
    lead = service.get(pipeline.ctx, talkative(pipeline.ctx))
    shown = history.recent(pipeline.ctx, [lead])[lead.number]
    assert 1 <= len(shown) < history.SHOWN
    assert [message.id for message in shown] == sorted(message.id for message in shown)
    newest = [item["sk"] for item in pipeline.items() if item["sk"].startswith("MSG#")][-1]
    assert shown[-1].id == newest.removeprefix("MSG#")


def test_the_stream_relays_the_largest_event_and_what_follows_it(pipeline: Any) -> None:
    talkative(pipeline.ctx)
    items = [item for item in pipeline.items() if item["sk"].startswith("EVT#")]
    records = [{"dynamodb": {"SequenceNumber": str(n), "NewImage": marshal_item(item)}} for n, item in enumerate(items)]
    bus = Smallest()
    assert relay.relay(replace(pipeline.ports, bus=bus), records) == {"batchItemFailures": []}
    told = [events.from_detail(json.loads(entry.detail)) for entry in bus.entries]
    assert told == [events.from_item(item) for item in items]


def test_changes_are_the_same_before_and_after_their_way(pipeline: Any) -> None:
    """A field that became empty is in no snapshot."""
    number = service.create(pipeline.ctx, factories.draft(notes="a", tags=("x",), score=3)).lead.number
    service.change(pipeline.ctx, number, lambda lead: replace(lead, notes="", tags=(), score=0, first_name="Bea"))
    told = events.from_item([item for item in pipeline.items() if item["sk"].startswith("EVT#")][-1])
    assert told.changes == {"first_name": ["Ada", "Bea"], "score": [3, 0], "notes": ["a", ""], "tags": [["x"], []]}
    assert events.from_detail(json.loads(events.to_detail(told))) == told
    assert model.of_snapshot(told.lead).first_name == "Bea"
