"""A list is right the moment a write returned: with the indexer stopped, lagging, replaying, split in two, out of order.

Random writes, random deliveries of the stream and random lists, against `model.Model`. Index reads and eventually
consistent reads are served stale on purpose, up to the grace that pending items are kept for.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from leadwire import ports, tenants
from leadwire.leads import indexer, pending, query, service
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.settings import Settings
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine

from .model import Model

NAMES = ("Ann", "ann", "Anna", "Bob", "Ann B", "Özil", "")
EMAILS = ("", "ann@example.com", "bob@sub.example.org", "anna.b@example.org", "1555@example.com")
PHONES = ("", "+15551230001", "+15551230002", "+491511234567", "+4915111234")
SEARCHES = ("an", "ann", "ann b", "exam", "555", "+1 555", "0001", "öz", "bob@", "zz", "49151", "ann 0001")
SOURCES = ("", "web", "ads")
TAGS = ("vip", "hot", "x y")
STATUSES = ("new", "contacted", "lost")
SORTS = ("created", "updated", "score", "first_name", "last_name", "email")


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class TidyQueue(ports.Queue):
    """Keeps the messages of the tidy queue until their time has come."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.messages: list[tuple[float, str]] = []

    def send(self, url: str, messages: object) -> list[ports.Message]:
        self.messages += [(self.clock() + message.delay, message.body) for message in messages]
        return []


def some(pool: tuple, choice: int) -> object:
    return pool[choice % len(pool)]


def draft(r: random.Random) -> Lead:
    return Lead(
        first_name=r.choice(NAMES),
        last_name=r.choice(NAMES),
        email=r.choice(EMAILS),
        phone=r.choice(PHONES),
        source=r.choice(SOURCES),
        status=r.choice(STATUSES),
        score=r.randrange(3),
        starred=r.random() < 0.3,
        assigned_user_id=r.choice((None, 1, 2)),
        tags=tuple(tag for tag in TAGS if r.random() < 0.3),
    )


def any_query(r: random.Random, now_ms: int) -> LeadQuery:
    groups = [
        (f"status={r.choice(STATUSES)}",),
        ("status=new", "status=lost"),
        (f"source={r.choice(SOURCES[1:])}",),
        (f"tag={r.choice(TAGS)}",),
        ("starred",),
        ("user=1",),
    ]
    bound = lambda: now_ms - r.randrange(0, 30_000) if r.random() < 0.15 else None  # noqa: E731
    return LeadQuery(
        facets=tuple(r.sample(groups, r.choice((0, 0, 1, 1, 2, 3)))),
        search=r.choice(SEARCHES) if r.random() < 0.3 else "",
        search_phones=r.random() < 0.8,
        phone=r.choice(PHONES[1:]) if r.random() < 0.1 else "",
        created_after=bound(),
        created_before=bound(),
        below=r.randrange(1, 60) if r.random() < 0.1 else None,
        sort=r.choice(SORTS),
        descending=r.random() < 0.6,
        limit=r.choice((1, 3, 10, 50)),
    )


class ListEngine(RuleBasedStateMachine):
    """Rules are what can happen, in any order; every list must agree with the model at any time."""

    def engine(self, clock: Clock) -> SqliteEngine:
        return SqliteEngine(Database(":memory:"), clock=clock)

    @initialize(shards=st.sampled_from((1, 4)))
    def begin(self, shards: int) -> None:
        self.clock = Clock()
        self.queue = TidyQueue(self.clock)
        self.table = self.engine(self.clock)
        settings_ = Settings("t", "b", "q", "k")
        self.ports = ports.Ports(settings_, self.table, self.queue, None, None, self.clock)
        tenant = tenants.create(self.ports, "demo", "Demo", shards=shards)
        self.ctx = tenants.operate(self.ports, tenant, "test")
        self.model = Model()
        self.cursor = 0

    def records(self, after: int, limit: int) -> list[indexer.Change]:
        found = self.table.read_stream(after, limit)
        self.last = found[-1].seq if found else after
        return [
            indexer.of_images(self.ctx.tenant.id, record.old, record.new)
            for record in found
            if record.key.sk == "LEAD"
        ]

    # --- writes -------------------------------------------------------------------------------------------------------

    @rule(seed=st.integers(0, 255))
    def create(self, seed: int) -> None:
        self.model.store(service.create(self.ctx, draft(random.Random(seed))).lead)

    @precondition(lambda self: self.model.leads)
    @rule(pick=st.integers(0, 63), seed=st.integers(0, 255))
    def change(self, pick: int, seed: int) -> None:
        number = some(tuple(self.model.leads), pick)
        fields = draft(random.Random(seed))
        self.model.store(service.change(self.ctx, number, lambda lead: self.moved(lead, fields, seed)).lead)

    @staticmethod
    def moved(lead: Lead, wanted: Lead, seed: int) -> Lead:
        names = ("status", "tags", "first_name", "email", "phone", "score", "starred", "source", "assigned_user_id")
        chosen = [name for place, name in enumerate(names) if (seed + place) % 3 == 0]
        return replace(lead, **{name: getattr(wanted, name) for name in chosen})

    @precondition(lambda self: self.model.leads)
    @rule(pick=st.integers(0, 63))
    def delete(self, pick: int) -> None:
        number = some(tuple(self.model.leads), pick)
        service.delete(self.ctx, number)
        self.model.delete(number)

    # --- the world ----------------------------------------------------------------------------------------------------

    @rule(limit=st.integers(1, 12))
    def index(self, limit: int) -> None:
        changes = self.records(self.cursor, limit)
        indexer.run(self.ports, changes)
        self.cursor = self.last

    @rule(back=st.integers(1, 40), limit=st.integers(1, 8))
    def replay(self, back: int, limit: int) -> None:
        indexer.run(self.ports, self.records(max(0, self.cursor - back), min(back, limit)))

    @rule(steps=st.integers(0, 3))
    def wait(self, steps: int) -> None:
        self.clock.now += (0.003, 1, 9, 16)[steps]

    @rule(seed=st.integers(0, 15))
    def tidy(self, seed: int) -> None:
        due = [message for message in self.queue.messages if message[0] <= self.clock()]
        random.Random(seed).shuffle(due)
        for message in due[: 1 + seed]:
            indexer.tidy(self.ports, message[1])
            self.queue.messages.remove(message)

    @rule(lag=st.integers(0, 2))
    def go_stale(self, lag: int) -> None:
        self.table.lag_indexes((0, 2, 10)[lag])

    # --- what must hold -----------------------------------------------------------------------------------------------

    @rule(seed=st.integers(0, 4095))
    def list(self, seed: int) -> None:
        r = random.Random(seed)
        asked = any_query(r, self.ctx.now_ms())
        expected = self.model.numbers(asked)
        pages = range(0, max(1, len(expected)), asked.limit)
        for offset in {0, r.choice(pages), pages[-1]}:
            listed = query.run(self.ctx, replace(asked, offset=offset))
            assert listed.total == len(expected), asked
            assert [lead.number for lead in listed.leads] == expected[offset : offset + asked.limit], asked
            assert all(lead == self.model.leads[lead.number] for lead in listed.leads)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        try:
            self.come_to_rest()
        finally:
            self.table.close()

    def come_to_rest(self) -> None:
        while self.table.read_stream(self.cursor, 1):
            self.index(50)
        self.clock.now += pending.GRACE + 1
        self.table.lag_indexes(0)
        for _, body in self.queue.messages:
            indexer.tidy(self.ports, body)
        assert not pending.read(self.ctx).leads, "everything that was indexed is forgotten in the end"
        for seed in range(20):
            self.list(seed)


EXAMPLES, STEPS = json.loads(os.environ.get("LEADWIRE_LIST_PROPERTY", "[30, 100]"))
ListEngine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestListEngine = ListEngine.TestCase
