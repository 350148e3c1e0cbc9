"""The indexer counts what it did and met, groups a batch by chunk, and hands over what can be forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from leadwire import keys
from leadwire.leads import index, indexer, pending, store
from leadwire.leads.indexer import QueueRefused
from leadwire.ports import Message, Queue
from leadwire.store.database import MEMORY, Database
from leadwire.store.expressions import marshal_item, marshal_key
from leadwire.store.faults import FaultyEngine
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Item, Put, Write
from tests.properties.story import Clock, Story


@pytest.fixture
def story() -> Iterator[Story]:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        yield Story(table, table.read_stream, clock, shards=1)


def records(story: Story) -> list[dict[str, Any]]:
    """The stream's records of leads, as Lambda gets them."""
    found = []
    for record in story.stream(0, 10**6):
        if record.key.sk == "LEAD":
            images = {"OldImage": record.old, "NewImage": record.new}
            shown = {name: marshal_item(image) for name, image in images.items() if image}
            found.append({"eventID": str(record.seq), "dynamodb": {"Keys": marshal_key(record.key), **shown}})
    return found


def metrics(output: str) -> dict[str, float]:
    """The metrics of the one line in embedded format."""
    (line,) = [line for line in output.splitlines() if '"_aws"' in line]
    return {name: value[0] for name, value in json.loads(line).items() if isinstance(value, list)}


class Overtaking(FaultyEngine):
    """Lets another worker write each chunk of `all` once, directly before this one does."""

    overtaken = False

    def write(self, op: Write) -> Any:
        if isinstance(op, Put) and op.key.pk.endswith("#IX#all") and not self.overtaken:
            self.overtaken = True
            item: Item = {**op.item, "version": op.item["version"] + 5}
            self.engine.write(Put(item))
        return super().write(op)


def test_a_chunk_that_another_worker_changed_first_is_tried_again_and_counted(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    story.create(1)
    indexer.index_records(replace(story.ports, engine=Overtaking(story.table)), records(story))
    assert metrics(capsys.readouterr().out) == {"LeadsIndexed": 1, "IndexConflicts": 1}
    key = keys.facet_chunk(story.ctx.tenant.id, "all", 0)
    assert (story.ctx.table.get(key) or {})["version"] == 7


def test_a_chunk_that_is_never_left_alone_fails_the_batch(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    class Always(Overtaking):
        def write(self, op: Write) -> Any:
            self.overtaken = False
            return super().write(op)

    monkeypatch.setattr(index, "LONGEST_PAUSE", 0)
    story.create(1)
    with pytest.raises(index.Overtaken):
        indexer.index_records(replace(story.ports, engine=Always(story.table)), records(story))
    assert story.queue.messages == [], "what is not indexed must not be forgotten"


def test_a_batch_writes_each_chunk_once(story: Story) -> None:
    for arg in range(20):
        story.create(arg)
    indexer.index_records(story.ports, records(story))
    written = [record.key for record in story.stream(0, 10**6) if "#IX#" in record.key.pk]
    assert len(written) == len(set(written))


def test_leads_are_forgotten_by_one_message_after_the_grace(story: Story) -> None:
    for arg in range(5):
        story.create(arg)
    indexer.index_records(story.ports, records(story))
    ((due, body),) = story.queue.messages
    assert due == story.clock() + pending.GRACE
    assert set(pending.read(story.ctx).leads) == {1, 2, 3, 4, 5}
    indexer.tidy(story.ports, body)
    assert pending.read(story.ctx).leads == {}


def test_a_lead_that_was_written_again_is_not_forgotten(story: Story) -> None:
    story.create(1)
    indexer.index_records(story.ports, records(story))
    story.model.store(store.replace(story.ctx, story.model.leads[1], replace(story.model.leads[1], score=9)).lead)
    indexer.tidy(story.ports, story.queue.messages[0][1])
    assert set(pending.read(story.ctx).leads) == {1}


def test_a_queue_that_refuses_makes_the_batch_come_again(story: Story) -> None:
    class Full(Queue):
        def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
            return list(messages)

    story.create(1)
    with pytest.raises(QueueRefused):
        indexer.index_records(replace(story.ports, queue=Full()), records(story))


def test_records_of_a_tenant_that_is_gone_are_passed_over(story: Story) -> None:
    story.create(1)
    gone = json.loads(json.dumps(records(story)).replace(story.ctx.tenant.id, "00000000deadbeef"))
    assert indexer.index_records(story.ports, gone) == {"batchItemFailures": []}
    assert story.queue.messages == []
