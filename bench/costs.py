"""What a list of leads costs: measured at a loaded tenant on the embedded engine, which charges by AWS's rules."""

from __future__ import annotations

import itertools
import json
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from docs.measure import Metered
from leadwire import keys, tenants
from leadwire.context import Ctx
from leadwire.leads import indexer, pending, query, service
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.ports import Message, Ports, Queue
from leadwire.settings import Settings
from leadwire.store.capacity import read_units
from leadwire.store.database import Database
from leadwire.store.limits import LARGEST_PAGE
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.table import Meter, Table
from leadwire.store.types import Query

from . import leads, load

REPEATS = 3
IMPORT, BATCH = 2_000, 500
PENDING = 1_000

DEFAULT = LeadQuery()
NEW = ("status=new",)
THREE = (NEW, ("source=website",), ("pipeline=1",))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one way to answer one list: read units, round trips, milliseconds."""

    rru: float
    trips: int
    ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """A loaded tenant: where its table is and what in it is asked for."""

    path: Path
    tenant: str
    count: int
    """Leads that there are: fewer than numbers, for some were deleted."""
    prefixes: dict[str, str]
    """Three letters to search for: the `typical` ones of a lead chosen by chance, and the most `frequent` ones."""

    @contextmanager
    def ports(self, *, stream: bool = False) -> Iterator[Ports]:
        engine = SqliteEngine(Database(self.path), stream=stream)
        try:
            yield _ports(engine)
        finally:
            engine.close()


class Kept(Queue):
    """A tidy queue whose messages are looked at."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send(self, url: str, messages: Iterable[Message]) -> list[Message]:  # noqa: ARG002  # there is one queue
        self.bodies += [message.body for message in messages]
        return []


def _ports(engine: Any) -> Ports:
    nothing: Any = None
    return Ports(Settings("table", "bus", "queue", "key"), engine, Kept(), nothing, nothing, time.time)


# --- loading ----------------------------------------------------------------------------------------------------------


def loaded(path: Path, size: int, moved: Callable[[int], None]) -> Bench:
    """A table with one tenant and numbers up to `size`. `moved` is told of the leads that are done."""
    with closing(SqliteEngine(Database(path), stream=False)) as engine:
        ctx = load.tenant(_ports(engine), size)
    prefixes: Counter[str] = Counter()
    numbers: list[int] = []

    def counted() -> Iterator[Lead]:
        for lead in leads.made_up(size):
            numbers.append(lead.number)
            prefixes.update({text[:3].lower() for text in (lead.first_name, lead.last_name, lead.email)})
            yield lead

    load.load(path, ctx, counted(), moved)
    return Bench(path, ctx.tenant.id, len(numbers), _chosen(prefixes))


def _chosen(prefixes: Counter[str]) -> dict[str, str]:
    """The most frequent prefix, and the one that a lead chosen by chance has."""
    ranked = prefixes.most_common()
    half, seen = sum(prefixes.values()) / 2, 0
    for prefix, times in ranked:
        seen += times
        if seen >= half:
            return {"typical": prefix, "frequent": ranked[0][0]}
    raise ValueError("there are no leads")


# --- reading ----------------------------------------------------------------------------------------------------------


def cases(bench: Bench) -> dict[str, LeadQuery]:
    """What is measured, by name."""
    pages = bench.count // DEFAULT.limit
    found = {
        "default page": DEFAULT,
        "last full page": replace(DEFAULT, offset=(pages - 1) * DEFAULT.limit),
        "middle page": replace(DEFAULT, offset=pages // 2 * DEFAULT.limit),
        "one filter": replace(DEFAULT, facets=(NEW,)),
        "one filter, a rare tag": replace(DEFAULT, facets=(("tag=tag-150",),)),
        "three filters": replace(DEFAULT, facets=THREE),
        "search of 3 letters": replace(DEFAULT, search=bench.prefixes["typical"]),
        "search, the commonest": replace(DEFAULT, search=bench.prefixes["frequent"]),
        "search of an area code": replace(DEFAULT, search="200"),
    }
    for sort in ("updated", "score", "first_name", "last_name", "email"):
        found[f"by {sort}"] = replace(DEFAULT, sort=sort, descending=sort in ("updated", "score"))
    for name, facet in (("status=new", NEW), ("a rare tag", ("tag=tag-150",))):
        found[f"by last_name, {name}"] = replace(found["by last_name"], facets=(facet,))
    return found


def measure(ports: Ports, tenant: str, asked: LeadQuery) -> Cost:
    """The list as a request pays for it, without the request's admission; the median time of a few runs."""
    times = []
    for _ in range(REPEATS):
        ctx = fresh(ports, tenant)
        start = time.perf_counter()
        query.run(ctx, asked)
        times.append((time.perf_counter() - start) * 1000)
    return Cost(ctx.table.meter.consumed.rru, ctx.table.meter.trips, statistics.median(times))


def overlay(ports: Ports, tenant: str) -> Cost:
    """Looking for pending leads where there are none."""
    ctx = fresh(ports, tenant)
    start = time.perf_counter()
    pending.read(ctx)
    return Cost(ctx.table.meter.consumed.rru, ctx.table.meter.trips, (time.perf_counter() - start) * 1000)


def crowd(ports: Ports, tenant: str) -> None:
    """Write leads that nobody indexes: every list reads them from here on."""
    ctx, drafts = fresh(ports, tenant), leads.made_up(PENDING + 100, seed=9)
    with cast(SqliteEngine, ports.engine).database.write():
        for draft in itertools.islice(drafts, PENDING):
            service.create(ctx, replace(draft, number=0))


def fresh(ports: Ports, tenant: str) -> Ctx:
    """A Ctx with a meter at zero."""
    return tenants.operate(ports, tenants.load(ports, tenant), "bench")


# --- the usual ways ---------------------------------------------------------------------------------------------------


def filtered(bench: Bench, matches: Callable[[dict[str, Any]], bool], *, until: int | None) -> Cost:
    """Query and FilterExpression, newest first, over items of leads without index keys, by the megabyte.

    It ends when `until` leads are found; with None it goes on to the end, as an exact total must.
    """
    read, units, trips, found, start = 0, 0.0, 1, 0, time.perf_counter()
    for item, size in _newest_first(bench):
        if read + size > LARGEST_PAGE:
            units, trips, read = units + read_units(read, consistent=False), trips + 1, 0
        read += size
        found += matches(item)
        if found == until:
            break
    return Cost(units + read_units(read, consistent=False), trips, (time.perf_counter() - start) * 1000)


def _newest_first(bench: Bench) -> Iterator[tuple[dict[str, Any], int]]:
    """Every lead's item and its size but for the keys of indexes."""
    partition = keys.lead_sort(bench.tenant, "created")
    with closing(sqlite3.connect(bench.path)) as connection:
        for text, size, *index_keys in connection.execute(_ITEMS, (partition,)):
            yield json.loads(text), size - sum(len(key) + len("g1pk") for key in index_keys)


_ITEMS = (
    "SELECT item, size, g1pk, g1sk, g2pk, g2sk, g3pk, g3sk, g4pk, g4sk, g5pk, g5sk, g6pk, g6sk FROM items "
    "WHERE g1pk = ? ORDER BY g1sk DESC"
)


def counted(ports: Ports, tenant: str) -> Cost:
    """COUNT of a whole KEYS_ONLY index: the total of the list without filters."""
    table, start = Table(ports.engine, "", Meter()), time.perf_counter()
    for _ in table.query_all(Query(keys.lead_sort(tenant, "created"), index="g1")):
        pass
    return Cost(table.meter.consumed.rru, table.meter.trips, (time.perf_counter() - start) * 1000)


def usual(bench: Bench, ports: Ports) -> dict[str, Cost]:
    new = lambda item: item["status"] == "new"  # noqa: E731
    three = lambda item: new(item) and item.get("source") == "website" and item.get("pipeline_id") == 1  # noqa: E731
    return {
        "Query + FilterExpression: one filter, page": filtered(bench, new, until=DEFAULT.limit),
        "Query + FilterExpression: one filter, total": filtered(bench, new, until=None),
        "Query + FilterExpression: three filters, page": filtered(bench, three, until=DEFAULT.limit),
        "Query + FilterExpression: three filters, total": filtered(bench, three, until=None),
        "COUNT on a KEYS_ONLY index: total": counted(ports, bench.tenant),
    }


# --- writing ----------------------------------------------------------------------------------------------------------


def upkeep(bench: Bench) -> dict[str, float]:
    """Write units of the index for each new lead: one at a time, and in an import. They stay in the table."""
    drafts = [replace(lead, number=0) for lead in leads.made_up(IMPORT + 200, seed=4)]
    with bench.ports(stream=True) as ports:
        one_by_one = [_indexed(ports, bench.tenant, [draft], 1) for draft in drafts[IMPORT : IMPORT + 50]]
        imported = _indexed(ports, bench.tenant, drafts[:IMPORT], BATCH)
    return {
        "alone": statistics.mean(one_by_one),
        "alone, at most": max(one_by_one),
        "in an import": imported / IMPORT,
    }


def _indexed(ports: Ports, tenant: str, drafts: Iterable[Lead], batch: int) -> float:
    """Write units that the indexer and the tidying of these new leads consume."""
    engine, queue = cast(SqliteEngine, ports.engine), Kept()
    ctx, last = fresh(ports, tenant), max((record.seq for record in engine.read_stream(0, 10**9)), default=0)
    with engine.database.write():  # one commit for all: their time is not what is measured
        for draft in drafts:
            service.create(ctx, draft)
    records = [record for record in engine.read_stream(last, 10**9) if record.key.sk == "LEAD"]
    metered = Metered(engine)
    workers = replace(ports, engine=metered, queue=queue)
    for start in range(0, len(records), batch):
        part = records[start : start + batch]
        indexer.run(workers, [indexer.of_images(tenant, record.old, record.new) for record in part])
    for body in queue.bodies:
        indexer.tidy(workers, body)
    return metered.consumed.wru
