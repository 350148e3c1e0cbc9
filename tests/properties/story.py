"""A tenant, its stream and its indexer, told by bytes: random writes, random deliveries, random lists.

Index reads and eventually consistent reads are stale on purpose, up to the grace that pending items are kept for.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import note

from leadwire import ports, tenants
from leadwire.leads import indexer, pending, query, service
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.settings import Settings
from leadwire.store.engine import Engine
from leadwire.store.sqlite import SqliteEngine

from .model import Model

NAMES = ("Ann", "ann", "Anna", "Bob", "Ann B", "Özil", "")
EMAILS = ("", "ann@example.com", "bob@sub.example.org", "anna.b@example.org", "1555@example.com")
PHONES = ("", "+15551230001", "+15551230002", "+491511234567", "+4915111234")
SEARCHES = (
    "an",
    "ann",
    "ann b",
    "exam",
    "555",
    "+1 555",
    "0001",
    "öz",
    "bob@",
    "zz",
    "49151",
    "ann 0001",
    "a",
    "b a",
    "5",
)
SOURCES = ("", "web", "ads")
TAGS = ("vip", "hot", "x y")
STATUSES = ("new", "contacted", "lost")
CHANGEABLE = ("status", "tags", "first_name", "email", "phone", "score", "starred", "source", "assigned_user_id")
MERGED = ("other_emails", "other_phones")
"""What a merge leaves with a lead; a change here."""
SORTS = ("created", "updated", "score", "first_name", "last_name", "email")


TIDY = "tidy"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class TidyQueue(ports.Queue):
    """Keeps the messages of the tidy queue until their time has come; those of others are none of its business."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.messages: list[tuple[float, str]] = []

    def send(self, url: str, messages: object) -> list[ports.Message]:
        if url == TIDY:
            self.messages += [(self.clock() + message.delay, message.body) for message in messages]
        return []


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
        other_emails=tuple(email for email in EMAILS[1:] if r.random() < 0.3),
        other_phones=tuple(phone for phone in PHONES[1:] if r.random() < 0.3),
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


class Story:
    """A tenant, its stream and its indexer; each step is two bytes: what happens, and with what."""

    def __init__(self, table: Engine, stream: Callable[[int, int], list], clock: Clock, shards: int) -> None:
        self.clock, self.table, self.stream = clock, table, stream
        self.queue = TidyQueue(clock)
        self.ports = ports.Ports(
            Settings("t", "b", "q", "k", tidy_queue_url=TIDY), table, self.queue, None, None, clock
        )
        tenant = tenants.create(self.ports, "demo", "Demo", shards=shards)
        self.ctx = tenants.operate(self.ports, tenant, "test")
        self.model = Model()
        self.cursor = 0

    # --- writes -------------------------------------------------------------------------------------------------------

    def create(self, arg: int) -> None:
        alone = replace(draft(random.Random(arg)), other_emails=(), other_phones=())
        self.model.store(service.create(self.ctx, alone).lead)

    def change(self, arg: int) -> None:
        number, r = self.any_number(arg), random.Random(arg)
        wanted = draft(r)
        chosen = {name: getattr(wanted, name) for name in (*CHANGEABLE, *MERGED) if r.random() < 0.3}
        if number:
            self.model.store(service.change(self.ctx, number, lambda lead: replace(lead, **chosen)).lead)

    def delete(self, arg: int) -> None:
        if number := self.any_number(arg):
            service.delete(self.ctx, number)
            self.model.delete(number)

    def any_number(self, arg: int) -> int | None:
        numbers = sorted(self.model.leads)
        return numbers[arg % len(numbers)] if numbers else None

    # --- the world ----------------------------------------------------------------------------------------------------

    def index(self, arg: int) -> None:
        """The indexer takes up to 8 records of leads: about as many as are written between two of its turns."""
        self.cursor = self.run_indexer(self.cursor, 1 + arg % 8)

    def replay(self, arg: int) -> None:
        """Another worker takes a batch that was taken before, or a part of it."""
        self.run_indexer(max(0, self.cursor - 1 - arg), 1 + arg % 8, until=self.cursor)

    def run_indexer(self, after: int, count: int, until: int = 1 << 62) -> int:
        """Index at most so many records that follow `after`. Returns the place in the stream that was reached."""
        records: list[Any] = []
        while len(records) < count and (some := self.stream(after, 50)):
            for record in some:
                if len(records) == count or record.seq > until:
                    break
                after = record.seq
                records += [record] if record.key.sk == "LEAD" else []
            else:
                continue
            break
        tenant = self.ctx.tenant.id
        indexer.run(self.ports, [indexer.of_images(tenant, record.old, record.new) for record in records])
        return after

    def wait(self, arg: int) -> None:
        self.clock.now += (0.003, 1, 9, 16)[arg % 4]

    def tidy(self, arg: int) -> None:
        due = [message for message in self.queue.messages if message[0] <= self.clock()]
        random.Random(arg).shuffle(due)
        for message in due[: 1 + arg % 16]:
            indexer.tidy(self.ports, message[1])
            self.queue.messages.remove(message)

    def lag(self, arg: int) -> None:
        """From now on index reads and eventually consistent reads are this many seconds old."""
        if isinstance(self.table, SqliteEngine):
            self.table.lag_indexes((0, 2, 10)[arg % 3])

    # --- what must hold -----------------------------------------------------------------------------------------------

    def list(self, arg: int) -> None:
        r = random.Random(arg * 8191 + self.cursor)
        asked = any_query(r, self.ctx.now_ms())
        expected = self.model.numbers(asked)
        pages = range(0, max(1, len(expected)), asked.limit)
        self.check(replace(asked, offset=r.choice((0, r.choice(pages), pages[-1]))), expected)

    def check(self, asked: LeadQuery, expected: list[int]) -> None:
        listed = query.run(self.ctx, asked)
        assert listed.total == len(expected), asked
        assert [lead.number for lead in listed.leads] == expected[asked.offset :][: asked.limit], asked
        assert all(lead == self.model.leads[lead.number] for lead in listed.leads)

    def come_to_rest(self) -> None:
        """Everything indexed, everything forgotten: the index alone must now be right."""
        while self.stream(self.cursor, 1):
            self.index(7)
        self.clock.now += pending.GRACE + 1
        self.lag(0)
        for _, body in self.queue.messages:
            indexer.tidy(self.ports, body)
        assert not pending.read(self.ctx).leads
        for arg in range(30):
            self.list(arg)


WEIGHTS = {
    Story.create: 40,
    Story.change: 50,
    Story.delete: 25,
    Story.index: 30,
    Story.replay: 10,
    Story.wait: 20,
    Story.tidy: 20,
    Story.lag: 8,
    Story.list: 52,
}
STEPS = [step for step, weight in WEIGHTS.items() for _ in range(weight)]
"""255 entries; a byte of 0 means that nothing happens, which is what a failing story shrinks to."""


def tell(story: Story, script: bytes) -> None:
    for what, arg in zip(script[::2], script[1::2], strict=True):
        if what:
            step = STEPS[what - 1]
            note(f"story.{step.__name__}({arg})")
            step(story, arg)
