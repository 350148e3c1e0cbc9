"""The change feed over every way in which leads change, read along while they do: nothing is missing, nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from leadwire import events
from leadwire.events import Event
from leadwire.leads import model, store
from local.gateway import Response
from local.world import World
from tests import factories
from tests.flows import history
from tests.flows.automating import action, automate
from tests.flows.business import Business

STEPS = 60
FORM = {"name": "Contact", "fields": [{"key": "email", "label": "E-mail", "type": "email", "required": True}]}


class Life:
    """A business that does all that its APIs let it do, by chance, to people who share addresses and phones."""

    def __init__(self, acme: Business, chance: random.Random) -> None:
        self.acme, self.chance = acme, chance
        self.form = self.call("crm", "POST", "/api/v1/forms", FORM).json()["data"]["id"]
        automate(acme, "tag_added", action("add_score", points=1), action("create_task", text="Call"), tag="hot")

    def call(self, dialect: str, method: str, path: str, body: Any = None) -> Response:
        answer = self.acme.call(dialect, method, path, body)
        assert answer.status < 500, f"{method} {path}: {answer.text}"
        return answer

    def someone(self) -> dict[str, str]:
        number = self.chance.randrange(40)
        return {"email": f"ada{number}@example.com", "phone": f"+1415555{number:04d}"}

    def lead(self) -> int:
        return self.chance.randint(1, max(1, len(factories.leads(self.acme.world.engine))))

    def step(self) -> None:
        self.chance.choice(DEEDS)(self)


def _create(life: Life) -> None:
    life.call("crm", "POST", "/api/v1/leads", {"first_name": "Ada", **life.someone(), "tags": ["new"]})


def _bulk(life: Life) -> None:
    rows = [{"first_name": "Row", **life.someone()} for _ in range(life.chance.randint(1, 30))]
    life.call("crm", "POST", "/api/v1/leads/bulk", {"leads": rows})


def _import(life: Life) -> None:
    people = [life.someone() for _ in range(life.chance.randint(1, 30))]
    rows = [{"name": "Ada", "phone_number": one["phone"], "email": one["email"], "notes": "again"} for one in people]
    life.call("lists", "POST", "/v1/leads/bulk", {"list_id": life.acme.list_id, "leads": rows})


def _bulk_delete(life: Life) -> None:
    life.call(
        "lists", "POST", "/v1/leads/bulk-delete", {"filter": {"list_id": life.acme.list_id, "status": "Contacted"}}
    )


def _submit(life: Life) -> None:
    life.call("crm", "POST", f"/api/v1/forms/{life.form}/submissions", {"email": life.someone()["email"]})


def _take_in(life: Life) -> None:
    life.call("crm", "POST", "/api/inbound/leads?tenant=acme", {**life.someone(), "tags": ["hot"]})


def _rename(life: Life) -> None:
    tags = life.call("crm", "GET", "/api/v1/tags").json()["data"]
    if tags:
        tag = life.chance.choice(tags)
        life.call("crm", "PATCH", f"/api/v1/tags/{tag['id']}", {"name": f"tag {life.chance.randrange(9)}"})


def _lose_list(life: Life) -> None:
    made = life.call("lists", "POST", "/v1/lists", {"name": "Short"}).json()["id"]
    body = {"name": "Ada", "phone_number": life.someone()["phone"], "list_id": made}
    life.call("lists", "POST", "/v1/leads", body)
    life.call("lists", "DELETE", f"/v1/lists/{made}")


def _change(life: Life) -> None:
    fields = life.chance.choice([{"status": "contacted"}, {"tags": ["hot"]}, {"tags": []}, {"last_name": "Lee"}])
    life.call("crm", "PATCH", f"/api/v1/leads/{life.lead()}", fields)


def _merge(life: Life) -> None:
    life.call("crm", "POST", f"/api/v1/leads/{life.lead()}/merge", {"lead_id": life.lead()})


def _part(life: Life) -> None:
    life.call("crm", "POST", f"/api/v1/leads/{life.lead()}/unmerge", {})


def _delete(life: Life) -> None:
    life.call("crm", "DELETE", f"/api/v1/leads/{life.lead()}")


def _say(life: Life) -> None:
    address = life.acme.address("public", life.lead())
    life.call("public", "POST", f"{address}/messages", {"direction": "inbound", "message": "Hello"})


def _upsert(life: Life) -> None:
    life.call("public", "POST", "/api/v1/pub/clients", {**life.someone(), "city": "Austin"})


DEEDS: tuple[Callable[[Life], None], ...] = (
    _create, _bulk, _import, _bulk_delete, _submit, _take_in, _rename, _lose_list, _change, _change, _merge, _part,
    _delete, _say, _upsert,
)  # fmt: skip


class Reader:
    """Reads the feed on where it stopped."""

    def __init__(self, acme: Business) -> None:
        self.acme, self.after, self.ids = acme, "", list[str]()

    def read(self, limit: int) -> None:
        more = True
        while more:
            asked = f"/api/v1/events?limit={limit}{self.after and f'&after={self.after}'}"
            page = self.acme.call("crm", "GET", asked).json()
            self.ids += [event["id"] for event in page["data"]]
            self.after, more = page["meta"]["next"], page["meta"]["has_more"]


def every_event(world: World) -> list[Event]:
    """As they were written, before any was emptied."""
    found = [events.from_item(item) for item in factories.items(world.engine).values() if item["sk"].startswith("EVT#")]
    return sorted((event for event in found if event.number), key=lambda event: event.id)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_feed_tells_each_change_once_and_folds_to_the_leads(
    world: World, acme: Business, seed: int
) -> None:
    chance = random.Random(seed)
    life, reader = Life(acme, chance), Reader(acme)
    for _ in range(STEPS):
        life.step()
        if chance.random() < 0.5:
            world.advance(seconds=chance.choice([0, 1, 20]))
        if chance.random() < 0.3:
            reader.read(chance.randint(1, 50))
    world.settle()
    told = every_event(world)
    left = history.check(told, [], [])
    assert left == {lead.number: lead for lead in store.find_many(acme.ctx, {event.number for event in told})}
    assert {event.type for event in told} >= {events.LEAD_CREATED, events.LEAD_UPDATED, events.LEAD_DELETED}
    world.advance(minutes=40)  # what deleted leads leave behind is erased meanwhile
    reader.read(100)
    assert reader.ids == [event.id for event in told]
    assert folded(every_event(world)) == {number: model.snapshot(lead) for number, lead in left.items()}


def folded(told: list[Event]) -> dict[int, dict[str, Any]]:
    """As a reader does it who knows nothing of versions: the last word about each lead counts."""
    leads: dict[int, dict[str, Any]] = {}
    for event in told:
        if event.type in (events.LEAD_DELETED, events.LEAD_MERGED):
            leads.pop(event.number)
        elif event.type in (events.LEAD_CREATED, events.LEAD_UPDATED, events.LEAD_UNMERGED):
            leads[event.number] = model.snapshot(model.of_snapshot(event.lead))
    return leads
