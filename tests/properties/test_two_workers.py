"""Two workers that index at once end in the index that one worker makes, wherever the one is stopped for the other."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwire.leads import indexer, rebuild, service
from leadwire.leads.indexer import Change
from leadwire.leads.model import Lead
from leadwire.store.database import MEMORY, Database
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.sqlite import SqliteEngine

from .story import Clock, Story

MOST = 12
"""Requests of a worker in the small stories, and a few more."""
TWO_SWITCHES = [
    [first] * before + [1 - first] * between + [first] * MOST
    for first in (0, 1)
    for before in range(1, MOST)
    for between in range(1, MOST + 1)
]
"""One worker is stopped after any of its requests, the other after any of its own, and then the first goes on."""


class Turns:
    """Who may make the next request: the workers 0 and 1 by `order`, and by turns when it has come to its end."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = itertools.chain(order, itertools.cycle((0, 1)))
        self._working = {0, 1}
        self._changed = threading.Condition()
        self._holder: int | None = next(self._order)
        self._used = False

    def take(self, worker: int) -> None:
        """Wait for a turn. Who had the last one gives it back by asking for the next."""
        with self._changed:
            if self._holder == worker and self._used:
                self._pass_on()
            self._changed.wait_for(lambda: self._holder == worker and not self._used)
            self._used = True

    def leave(self, worker: int) -> None:
        with self._changed:
            self._working.discard(worker)
            if self._holder == worker:
                self._pass_on()

    def _pass_on(self) -> None:
        self._holder = next((one for one in self._order if one in self._working), None) if self._working else None
        self._used = False
        self._changed.notify_all()


class Waiting(FaultyEngine):
    """Waits for its worker's turn before each request."""

    def __init__(self, engine: Engine, turns: Turns, worker: int) -> None:
        super().__init__(engine)
        self.turns, self.worker = turns, worker

    def _pass[T](self, request: Callable[[], T]) -> T:
        self.turns.take(self.worker)
        return request()


def together(story: Story, order: Sequence[int], *work: Callable[[Story], None]) -> None:
    """Run two pieces of work on threads that take turns. Raises what one of them raised."""
    turns, failures = Turns(order), []

    def run(worker: int) -> None:
        engine = Waiting(story.table, turns, worker)
        own = StoryOf(story, engine)
        try:
            work[worker](own)
        except BaseException as failure:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(failure)
        finally:
            turns.leave(worker)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class StoryOf(Story):
    """The same tenant through another engine."""

    def __init__(self, story: Story, engine: Engine) -> None:
        self.__dict__.update(story.__dict__)
        self.ports = replace(story.ports, engine=engine)
        self.ctx = replace(story.ctx, ports=self.ports, table=replace(story.ctx.table, engine=engine))


def changes(story: Story) -> list[Change]:
    records = [record for record in story.stream(0, 10**6) if record.key.sk == "LEAD"]
    return [indexer.of_images(story.ctx.tenant.id, record.old, record.new) for record in records]


def assert_index_is_right(story: Story) -> None:
    assert list(rebuild.rebuild(story.ctx, lambda _what, _done, _all: None)) == []


def index(batch: Sequence[Change]) -> Callable[[Story], None]:
    return lambda story: indexer.run(story.ports, batch) and None


@contextmanager
def told() -> Iterator[Story]:
    with closing(SqliteEngine(Database(MEMORY), clock=Clock())) as table:
        yield Story(table, table.read_stream, Clock(), shards=1)


def test_workers_with_an_older_and_a_newer_record_of_one_lead_stopped_anywhere() -> None:
    for order in TWO_SWITCHES:
        with told() as story:
            number = service.create(story.ctx, Lead(status="new")).lead.number
            service.change(story.ctx, number, lambda lead: replace(lead, status="lost", starred=True))
            older, newer = changes(story)
            together(story, order, index([older]), index([newer]))
            assert_index_is_right(story)


def test_a_worker_and_a_writer_whose_change_is_indexed_next_stopped_anywhere() -> None:
    def change_and_index(story: Story) -> None:
        before = story.model.leads[1]
        after = service.change(story.ctx, 1, lambda lead: replace(lead, status="lost")).lead
        indexer.run(story.ports, [Change(story.ctx.tenant.id, before, after)])

    for order in TWO_SWITCHES:
        with told() as story:
            story.model.store(service.create(story.ctx, Lead(status="new")).lead)
            together(story, order, index(changes(story)), change_and_index)
            assert_index_is_right(story)


def test_a_worker_that_saw_a_lead_change_and_a_writer_who_changes_it_back_stopped_anywhere() -> None:
    """The second worker finds every bit as it must be, and still must hold up the first, which read it otherwise."""

    def change_back_and_index(story: Story) -> None:
        after = service.change(story.ctx, 1, lambda lead: replace(lead, status="new")).lead
        indexer.run(story.ports, [Change(story.ctx.tenant.id, replace(after, status="lost"), after)])

    for order in TWO_SWITCHES:
        with told() as story:
            service.create(story.ctx, Lead(status="new"))
            index(changes(story))(story)
            service.change(story.ctx, 1, lambda lead: replace(lead, status="lost"))
            together(story, order, index(changes(story)[-1:]), change_back_and_index)
            assert_index_is_right(story)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    script=st.lists(
        st.tuples(st.sampled_from((Story.create, Story.change, Story.delete)), st.integers(0, 255)), max_size=20
    ),
    cut=st.integers(0, 20),
    overlap=st.integers(0, 20),
    order=st.lists(st.integers(0, 1), max_size=100),
)
def test_workers_whose_batches_overlap_in_any_order(
    script: list[tuple[Callable[[Story, int], None], int]], cut: int, overlap: int, order: list[int]
) -> None:
    with told() as story:
        for step, arg in script:
            step(story, arg)
        batch = changes(story)
        together(story, order or [0], index(batch[: cut + overlap]), index(batch[cut:]))
        assert_index_is_right(story)
