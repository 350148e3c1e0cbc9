"""Pages that follow one another neither skip nor repeat a lead that is in the list throughout."""

from __future__ import annotations

import string
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire import ids
from leadwire.context import Ctx
from leadwire.dialects.lists import cursor as cursors
from leadwire.errors import InvalidInput
from leadwire.leads.query import LeadQuery
from leadwire.ports import Ports
from leadwire.store.database import MEMORY, Database
from leadwire.store.sqlite import SqliteEngine
from tests import doors, factories
from tests.factories import Keys

from .story import Clock, Story

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
BETWEEN = [
    *[Story.create, Story.change, Story.delete] * 4,
    *[Story.index, Story.replay, Story.tidy, Story.wait, Story.lag],
]
scripts = st.lists(st.tuples(st.sampled_from(BETWEEN), st.integers(0, 255)), max_size=60)


class Reader:
    """A caller of one dialect, for whom a story goes on between two pages."""

    def __init__(self, story: Story, script: list[tuple[Callable[[Story, int], None], int]], query: LeadQuery) -> None:
        self.story, self.query = story, query
        self.script = iter(script)
        self.keys = factories.keys_of_families(story.ctx)
        for arg in range(25):
            story.create(arg)
        story.index(7)
        self.throughout = set(story.model.numbers(query))

    def get(self, dialect: str, path: str) -> Any:
        answer = doors.send(self.story.ports, "GET", path, self.keys[dialect])
        assert answer.status == 200, answer.text
        return answer.body

    def meanwhile(self, steps: int) -> None:
        for _, (step, arg) in zip(range(steps), self.script, strict=False):
            step(self.story, arg)
            self.throughout &= set(self.story.model.numbers(self.query))

    def check(self, seen: list[int | None]) -> None:
        assert len(set(seen)) == len(seen)
        assert self.throughout <= set(seen)


def story_of(table: SqliteEngine, clock: Clock) -> Story:
    return Story(table, table.read_stream, clock, shards=1)


@RELAXED
@given(script=scripts, size=st.integers(1, 9), pace=st.integers(1, 8), narrowed=st.sampled_from(("", "&tag=vip")))
def test_a_lists_cursor_skips_and_repeats_nothing(
    script: list[tuple[Callable[[Story, int], None], int]], size: int, pace: int, narrowed: str
) -> None:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        query = LeadQuery(facets=(("tag=vip",),)) if narrowed else LeadQuery()
        reader = Reader(story_of(table, clock), script, query)
        seen, path = [], f"/v1/leads?limit={size}{narrowed}"
        cursor: str | None = ""
        while cursor is not None:
            page = reader.get("lists", path + (f"&cursor={cursor}" if cursor else ""))
            seen += [ids.number_of_uuid(reader.story.ctx.tenant.id_key, lead["id"]) for lead in page["items"]]
            cursor = page["next_cursor"]
            reader.meanwhile(pace)
        reader.check(seen)


@RELAXED
@given(script=scripts, size=st.integers(1, 9), pace=st.integers(1, 8))
def test_next_before_skips_and_repeats_nothing(
    script: list[tuple[Callable[[Story, int], None], int]], size: int, pace: int
) -> None:
    clock = Clock()
    with closing(SqliteEngine(Database(MEMORY), clock=clock)) as table:
        reader = Reader(story_of(table, clock), script, LeadQuery())
        seen: list[int | None] = []
        before: str | None = ""
        while before is not None:
            path = f"/api/v1/pub/leads/light?limit={size}" + (f"&before={quote(before)}" if before else "")
            data = reader.get("public", path)["data"]
            seen += [ids.number_of_uuid(reader.story.ctx.tenant.id_key, lead["leadId"]) for lead in data["leads"]]
            before = data["nextBefore"]
            reader.meanwhile(pace)
        reader.check(seen)


ALPHABET = string.ascii_letters + string.digits + "-_="


def test_a_cursor_with_another_character_anywhere_is_refused(ctx: Ctx) -> None:
    genuine = cursors.write(ctx.tenant, 7, "a list")
    assert cursors.read(ctx.tenant, genuine, "a list") == 7
    tampered = {genuine[:at] + other + genuine[at + 1 :] for at in range(len(genuine) + 1) for other in ALPHABET}
    for one in tampered - {genuine}:
        with pytest.raises(InvalidInput):
            cursors.read(ctx.tenant, one, "a list")


@pytest.mark.parametrize("cursor", ["x", "!!!!", "AAAAAAAAAAAAAAAAAAAAAAA", "%00", "a" * 200])
def test_what_is_no_cursor_is_refused_in_the_dialects_own_words(
    ports: Ports, keys_of_families: Keys, cursor: str
) -> None:
    answer = doors.send(ports, "GET", f"/v1/leads?cursor={cursor}", keys_of_families["lists"])
    assert answer.status == 400
    assert "cursor" in answer.text


def test_a_cursor_belongs_to_its_tenant_and_to_its_list(ports: Ports, keys_of_families: Keys) -> None:
    for number in range(3):
        doors.send(
            ports,
            "POST",
            "/api/v1/leads",
            keys_of_families["crm"],
            body={"first_name": "A", "email": f"a{number}@example.com", "tags": ["vip"]},
        )
    page = doors.send(ports, "GET", "/v1/leads?limit=1", keys_of_families["lists"]).body
    cursor = page["next_cursor"]
    other = factories.keys_of_families(factories.ctx(ports, factories.tenant(ports, "other")))
    for path, key in (("/v1/leads?tag=vip&limit=1", keys_of_families["lists"]), ("/v1/leads?limit=1", other["lists"])):
        assert doors.send(ports, "GET", f"{path}&cursor={cursor}", key).status == 400
    assert doors.send(ports, "GET", f"/v1/leads?limit=2&cursor={cursor}", keys_of_families["lists"]).status == 200
