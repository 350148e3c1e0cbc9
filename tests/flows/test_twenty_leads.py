"""Many clients of four dialects at the same twenty leads: nothing is lost, and everything agrees with a recount.

They come over HTTP; the server is a process of its own. Who meets whom is the machine's business; what is asserted
holds for every interleaving. `make soak` runs fifty clients for sixty seconds.
"""

from __future__ import annotations

import json
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from leadwire import chatbots, journal, lists, tenants
from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.leads import items, pending, query, rebuild, terms
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from local.clock import Clock
from local.world import World
from tests import factories, invariants
from tests.flows import history
from tests.flows.business import authorization
from tests.flows.crowd import Client, Place
from tests.process import ROOT, Server

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(600)]

CLIENTS, SECONDS = json.loads(os.environ.get("LEADWIRE_SOAK", "[16, 6]"))
"""`make soak` runs [50, 60]."""
SLUG = "soak"
LATER = 60
"""Seconds: by then the journal has settled, and what was indexed is forgotten."""


TRIPS = re.compile(r'"request_id":"([^"]+)".*?"trips":(\d+)')
"""In the server's log."""


class Follower:
    """Reads the change feed along, as another program would that keeps a copy."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self.key = server, key
        self.seen: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        after = ""
        while not self._over.is_set():
            answer = self.server.request("GET", f"/api/v1/events?limit=200{after}", authorization=f"Bearer {self.key}")
            page = answer.json()
            self.seen += [event["id"] for event in page["data"]]
            after = f"&after={page['meta']['next']}"
            if not page["meta"]["has_more"]:
                self._over.wait(0.5)


def test_nothing_is_lost_and_everything_agrees_with_a_recount(tmp_path: Path) -> None:
    home = tmp_path / "home"
    server, place = _started(home)
    follower = Follower(server, place.keys["crm"])
    clients = [Client(place, f"c{number}", random.Random(number)) for number in range(CLIENTS)]
    end = time.monotonic() + SECONDS
    with ThreadPoolExecutor(CLIENTS) as pool:
        for future in [pool.submit(client.work_until, end) for client in clients]:
            future.result()
    follower.end()
    assert server.end() == 0
    _report(clients, server.said())
    world, ctx = _reopened(home)
    try:
        invariants.check(world.table)
        _counts_agree(ctx)
        world.advance(seconds=LATER)
        _check_history(ctx, clients, follower.seen)
        _counts_agree(ctx)
        _counts_are_shown(world, place, ctx)
        assert not pending.read(ctx).leads
        assert list(rebuild.verify(ctx, lambda _what, _done, _all: None)) == []
        invariants.check(world.table)
    finally:
        world.close()


# --- before -----------------------------------------------------------------------------------------------------------


def _started(home: Path) -> tuple[Server, Place]:
    """A tenant with keys of no limit is made before there is a server."""
    home.mkdir()
    world = World(ROOT, data=home / "leadwire.db", clock=Clock(time.time()))
    ctx = factories.ctx(world.ports, factories.tenant(world.ports, SLUG))
    tokens, bot = factories.keys_of_families(ctx), chatbots.create(ctx, "bot").id
    list_ids = [lists.create(ctx, f"list {number}").id for number in range(3)]
    world.close()
    server = Server(home, LEADWIRE_LOG="json")
    server.wait()
    port = urlsplit(server.state["url"]).port or 0
    return server, Place(port, tokens, SLUG, ctx.tenant.id_key, list_ids, bot)


def _reopened(home: Path) -> tuple[World, Ctx]:
    world = World(ROOT, data=home / "leadwire.db", clock=Clock(time.time()))
    return world, factories.ctx(world.ports, tenants.by_slug(world.ports, SLUG))


# --- after ------------------------------------------------------------------------------------------------------------


def _check_history(ctx: Ctx, clients: Sequence[Client], followed: Sequence[str]) -> None:
    """The journal tells every promise once, folds to the leads, and was told to who read along as it is told now."""
    told = _journal(ctx)
    promises = [promise for client in clients for promise in client.promises]
    folded = history.check(told, promises, [request for client in clients for request in client.refused])
    assert folded == {lead.number: lead for lead in _leads(ctx)}
    assert followed == [event.id for event in told][: len(followed)]
    print(f"{len(told):,} events, {len(followed):,} of them read along; {len(folded)} leads are left")  # noqa: T201


def _journal(ctx: Ctx) -> list[Event]:
    told, after, more = [], "", True
    while more:
        chapter = journal.read(ctx, after, 1000)
        told += chapter.events
        after, more = chapter.next, chapter.more
    return told


def _leads(ctx: Ctx) -> list[Lead]:
    return [items.of_item(item) for item in factories.leads(ctx.ports.engine)]


def _counts_agree(ctx: Ctx) -> None:
    """Totals of all facets that leads have, and the pages of all leads, by the list engine and by hand."""
    leads = _leads(ctx)
    counted = Counter(facet for lead in leads for facet in terms.facets(lead))
    assert query.totals(ctx, sorted(counted)) == counted
    listed = query.run(ctx, LeadQuery(limit=1000))
    assert [lead.number for lead in listed.leads] == sorted((lead.number for lead in leads), reverse=True)


def _counts_are_shown(world: World, place: Place, ctx: Ctx) -> None:
    """As the clients see them: of each list, each stage, each tag."""

    def shown(dialect: str, path: str) -> Any:
        answer = world.http("GET", path, authorization(dialect, place.keys[dialect]))
        assert answer.status == 200, answer.text
        return answer.json()

    leads = _leads(ctx)
    in_lists = {one["id"]: one["lead_count"] for one in shown("lists", "/v1/lists")["items"]}
    assert in_lists == {one: sum(one in lead.lists for lead in leads) for one in place.lists}
    by_stage = shown("crm", "/api/v1/leads/stats")["data"]["by_stage"]
    assert by_stage == Counter(str(lead.stage_id) for lead in leads if lead.stage_id)
    tags = Counter(tag for lead in leads for tag in lead.tags)
    known = shown("crm", "/api/v1/tags?per_page=100")
    assert {tag["name"]: tag["lead_count"] for tag in known["data"]} == {
        tag["name"]: tags[tag["name"]] for tag in known["data"]
    }


def _report(clients: Sequence[Client], log: str) -> None:
    """What was done, how it was answered, and in how many trips to the table: more than the least is trying again."""
    answers = sum((client.answers for client in clients), Counter[tuple[str, int]]())
    statuses = sorted({status for _, status in answers})
    trips = {request: int(count) for request, count in TRIPS.findall(log)}
    print(f"\n{answers.total():,} requests of {len(clients)} clients in {SECONDS} s")  # noqa: T201
    print(f"  {'':14}", *(f"{status:>6}" for status in statuses), "  trips, least and most")  # noqa: T201
    for kind in sorted({kind for kind, _ in answers}):
        taken = [trips[one.request] for client in clients for one in client.promises if one.kind == kind]
        row = [f"{answers[kind, status]:6,}" for status in statuses]
        print(f"  {kind:14}", *row, f"  {min(taken, default=0)} {max(taken, default=0)}")  # noqa: T201
    print(f"  sent again after a 503: {sum(client.again for client in clients)}")  # noqa: T201
    assert set(statuses) <= {200, 201, 204, 400, 404, 409, 422, 503}, answers
