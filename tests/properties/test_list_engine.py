"""A list is right the moment a write returned, with the indexer stopped, lagging, replaying, or split in two."""

from __future__ import annotations

import json
import os
from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire.store.database import MEMORY, Database
from leadwire.store.sqlite import SqliteEngine

from .story import Clock, Story, tell

EXAMPLES, LENGTH = json.loads(os.environ.get("LEADWIRE_LIST_PROPERTY", "[10, 1000]"))
"""`make test` runs [200, 1000]: examples, and steps of each."""


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=st.binary(min_size=2 * LENGTH, max_size=2 * LENGTH), shards=st.sampled_from((1, 4)))
def test_every_list_agrees_with_the_model_whatever_the_indexer_does(script: bytes, shards: int) -> None:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        tell(Story(table, table.read_stream, clock, shards), script)
