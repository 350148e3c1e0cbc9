"""A list is right the moment a write returned, with the indexer stopped, lagging, replaying, or split in two."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire.leads import bitmap, index, rebuild
from leadwire.store.database import MEMORY, Database
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Consumed, Delete, Item, Key, Put, TransactWrite
from tests.store.conftest import moto

from .story import Clock, Story, tell

EXAMPLES, LENGTH = json.loads(os.environ.get("LEADWIRE_LIST_PROPERTY", "[20, 300]"))
"""`make test` runs [200, 1000]: examples, and steps of each."""
SHARDS = (1, 2, 3, 4)
"""Of a tenant's index. Each has a part of the examples, in a test of its own, so that processes share the work."""
RELAXED = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def scripts(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=2 * length, max_size=2 * length)


@pytest.mark.parametrize("shards", SHARDS)
@settings(max_examples=EXAMPLES // len(SHARDS), **RELAXED)
@given(script=scripts(LENGTH))
def test_every_list_agrees_with_the_model_whatever_the_indexer_does(shards: int, script: bytes) -> None:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        story = Story(table, table.read_stream, clock, shards)
        tell(story, script)
        story.come_to_rest()


@settings(max_examples=4, **RELAXED)
@given(script=scripts(50), shards=st.sampled_from(SHARDS))
def test_every_list_agrees_with_the_model_on_moto_too(script: bytes, shards: int) -> None:
    with moto() as engine:
        table = Recorded(engine)
        story = Story(table, table.read_stream, Clock(), shards)
        tell(story, script)
        story.come_to_rest()


@settings(max_examples=20, **RELAXED)
@given(before=scripts(100), after=scripts(100), seed=st.integers(0, 2**32))
def test_every_list_agrees_with_the_model_after_a_broken_index_was_rebuilt(
    before: bytes, after: bytes, seed: int
) -> None:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        story = Story(table, table.read_stream, clock, 1)
        tell(story, before)
        story.lag(0)
        damage(story, random.Random(seed))
        for _ in rebuild.rebuild(story.ctx, lambda _what, _done, _all: None):
            pass
        tell(story, after)
        story.come_to_rest()


def damage(story: Story, r: random.Random) -> None:
    """Delete and overwrite chunks of the index by chance."""
    for spot in sorted({spot for lead in story.model.leads.values() for spot in index.spots_of(lead)}):
        key = spot.key(story.ctx.tenant.id)
        match r.randrange(4):
            case 0:
                story.ctx.table.write(Delete(key))
            case 1:
                bits = bitmap.encode(r.getrandbits(80))
                story.ctx.table.write(Put({"pk": key.pk, "sk": key.sk, "bits": bits, "version": r.randrange(1, 9)}))


@dataclass(frozen=True, slots=True)
class Record:
    """A change of a lead, as a stream would tell it."""

    seq: int
    key: Key
    old: Item | None
    new: Item | None


class Recorded(FaultyEngine):
    """Keeps what a table's stream would say of leads: moto's own cannot be read through the port."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.records: list[Record] = []

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        leads = [op for op in ops if isinstance(op, Put | Delete) and op.key.sk == "LEAD"]
        old = [self.engine.get(op.key, consistent=True)[0] for op in leads]
        consumed = super().transact(ops)
        for op, before in zip(leads, old, strict=True):
            after = op.item if isinstance(op, Put) else None
            self.records.append(Record(len(self.records) + 1, op.key, before, after))
        return consumed

    def read_stream(self, after: int, limit: int) -> list[Record]:
        return self.records[after : after + limit]
