"""What is left of a deleted lead: nothing that says who it was, once the time for it has come."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire import apikeys, events, faces, ids, journal, tenants
from leadwire.context import Ctx, open_ctx
from leadwire.dialects.lists import faces as lists_faces
from leadwire.dialects.public.faces import FACE_V2
from leadwire.edge import idempotency
from leadwire.errors import NotFound
from leadwire.events import Event
from leadwire.forms import service as forms
from leadwire.forms.model import Form
from leadwire.leads import erasure, history, merging, service
from leadwire.leads.history import Message
from leadwire.leads.model import Lead
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Item, Unavailable
from leadwire.webhooks import recovery
from leadwire.webhooks import service as webhooks
from local import demo
from local.world import World
from tests import factories, invariants

ROOT = Path(__file__).parents[3]
ZAPHOD = Lead(
    first_name="Zaphod",
    last_name="Beeblebrox",
    email="zaphod@heartofgold.example",
    phone="+14155550142",
    company="Magrathea Ltd",
    notes="two heads",
    custom={"ship": "improbable"},
    address={"city": "Betelgeuse"},
)
TRACES = ("zaphod", "beeblebrox", "heartofgold", "4155550142", "magrathea", "two heads", "improbable", "betelgeuse")
SAID = ("vogon poetry", "dont panic", "slartibartfast")
OTHER = Lead(first_name="Trillian", email="trillian@example.com", phone="+14155550143", notes="from earth")
OTHER_TRACES = ("trillian", "4155550143", "from earth")


@pytest.fixture
def world() -> Iterator[World]:
    made = World(ROOT, overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    demo.make(made.ports)
    yield made
    made.close()


@pytest.fixture
def acme(world: World) -> Ctx:
    return tenants.operate(world.ports, tenants.by_slug(world.ports, demo.SLUG), "tests")


def say(ctx: Ctx, number: int, text: str) -> None:
    history.add(ctx, number, Message(id="", at=0, direction="inbound", name="", text=text))


def live(ctx: Ctx) -> int:
    """A lead with all that can hang under one. Its number."""
    number = service.create(ctx, ZAPHOD).lead.number
    form = forms.create(ctx, Form(name="Contact", slug="contact", fields=())).form
    sent = {"email": ZAPHOD.email, "phone": ZAPHOD.phone, "wish": SAID[2]}
    assert forms.submit(ctx, form.id, sent).lead == number
    service.change(ctx, number, lambda lead: Lead(**{**_values(lead), "notes": SAID[1], "first_name": "President"}))
    say(ctx, number, SAID[0])
    history.qualify(ctx, number, {"status": "COMPLETED", "data": {"answer": "improbable"}})
    return number


def _values(lead: Lead) -> dict[str, Any]:
    return {name: getattr(lead, name) for name in Lead.__slots__}


def mentions(world: World, *traces: str) -> list[Item]:
    """Items, keys and all, that have one of the texts somewhere."""
    state = factories.items(world.table).values()
    return [item for item in state if any(trace in _text(item) for trace in traces)]


def _text(item: Item) -> str:
    """Of what is packed, what is in it."""
    return json.dumps(item, ensure_ascii=False, default=_unpacked).lower()


def _unpacked(value: Any) -> str:
    with suppress(zlib.error, AttributeError):
        return zlib.decompress(value.removeprefix(idempotency.PACKED)).decode()
    return repr(value)


def read(ctx: Ctx) -> list[Event]:
    """The feed from its beginning."""
    told: list[Event] = []
    while True:
        chapter = journal.read(ctx, told[-1].id if told else "", 50)
        told += chapter.events
        if not chapter.more:
            return told


def test_nothing_that_stays_mentions_a_deleted_lead(world: World, acme: Ctx) -> None:
    number = live(acme)
    world.settle()
    assert len(mentions(world, *TRACES, *SAID)) > 15
    service.delete(acme, number)
    world.advance(seconds=erasure.GRACE + 60)
    left = mentions(world, *TRACES, *SAID)
    assert [(item["pk"], item["sk"]) for item in left if "expires_at" not in item] == []
    invariants.check(world.table)


def test_nothing_at_all_mentions_it_when_deliveries_and_answers_have_expired(world: World, acme: Ctx) -> None:
    """Through the API, under an Idempotency-Key, with a webhook that is told of everything and does not answer."""
    webhooks.create(
        acme, FACE_V2, event_types=frozenset({"LEAD_CREATED", "MESSAGE_REPLY"}), url="http://127.0.0.1:9999/in"
    )
    token = apikeys.create(acme, "crm", "crm")[1]
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "once"}
    body = {"first_name": "Zaphod", "last_name": "Beeblebrox", "email": ZAPHOD.email, "phone": ZAPHOD.phone}
    made = json.loads(world.http("POST", "/api/v1/leads", headers, body).body)["data"]["id"]
    say(acme, made, SAID[0])
    world.settle()
    service.delete(acme, made)
    world.advance(seconds=erasure.GRACE + 60)
    kinds = {item["sk"].partition("#")[0] for item in mentions(world, *TRACES, *SAID)}
    assert {"DLV", "IDEM"} <= kinds
    world.table.expire(world.clock() + 91 * 86_400, 10_000)
    assert mentions(world, *TRACES, *SAID) == []


def test_its_events_still_say_that_there_was_a_lead_and_how_it_ended(world: World, acme: Ctx) -> None:
    """The feed has no gap, in the same order, and whoever folds it ends with the same leads."""
    service.create(acme, OTHER)
    number = live(acme)
    service.delete(acme, number)
    world.advance(seconds=60)
    before = read(acme)
    assert {event.erased for event in before} == {False}, "who reads along sees all of it"
    world.advance(seconds=erasure.GRACE)
    after = read(acme)
    known = ("id", "type", "number", "version", "at", "actor", "request_id", "cause", "hops")
    assert [[getattr(event, name) for name in known] for event in after] == [
        [getattr(event, name) for name in known] for event in before
    ]
    assert [event.erased for event in after] == [event.number == number for event in after]
    assert {tuple(event.lead) for event in after if event.erased} == {(*events.STAYS, "erased")}
    [submitted] = [event for event in after if event.type == events.FORM_SUBMITTED]
    assert (submitted.about, submitted.changes) == ({"form_id": 1}, {})


def test_those_that_it_was_made_of_go_with_it(world: World, acme: Ctx) -> None:
    """A lead into a lead into the one that is deleted."""
    part = live(acme)
    between, last = (service.create(acme, Lead(first_name=name)).lead.number for name in ("Ford", "Arthur"))
    merging.merge(acme, between, part)
    merging.merge(acme, last, between)
    say(acme, last, SAID[1])
    world.settle()
    service.delete(acme, last)
    world.advance(seconds=erasure.GRACE + 60)
    left = mentions(world, *TRACES, *SAID, "arthur", '"ford')
    assert [item["sk"] for item in left if "expires_at" not in item] == []
    for number in (part, between, last):
        with pytest.raises(NotFound):
            service.get(acme, number)
    invariants.check(world.table)


def test_a_merged_lead_keeps_what_it_was_and_can_still_be_itself_again(world: World, acme: Ctx) -> None:
    part, whole = live(acme), service.create(acme, OTHER).lead.number
    merging.merge(acme, whole, part)
    world.advance(seconds=erasure.GRACE + 60)
    assert merging.unmerge(acme, part).lead.email == ZAPHOD.email
    lead = service.get(acme, part)
    assert [message.text for message in history.recent(acme, [lead])[part]] == [SAID[0]]


def test_a_part_that_became_itself_again_outlives_the_lead_that_it_was_in(world: World, acme: Ctx) -> None:
    part, whole = live(acme), service.create(acme, OTHER).lead.number
    merging.merge(acme, whole, part)
    merging.unmerge(acme, part)
    service.delete(acme, whole)
    stale = {"tenant": acme.tenant.id, "erase": [[part, whole], [part, part]]}
    assert erasure.work(acme, stale) is None
    world.advance(seconds=erasure.GRACE + 60)
    assert [item["sk"] for item in mentions(world, *OTHER_TRACES) if item["sk"].startswith(("SUB#", "MSG#"))] == []
    lead = service.get(acme, part)
    assert [message.text for message in history.recent(acme, [lead])[part]] == [SAID[0]]
    assert not any(event.erased for event in read(acme) if event.number == part)


def test_an_endpoint_is_told_afterwards_that_a_lead_is_gone_and_not_that_somebody_came(world: World, acme: Ctx) -> None:
    """It was made after the lead was erased, and asks for what it has missed."""
    number = service.create(acme, ZAPHOD).lead.number
    service.delete(acme, number)
    start = journal.read(acme, "", 1).next
    world.advance(seconds=erasure.GRACE + 60)
    types = frozenset({"lead.created", "lead.deleted"})
    webhook = webhooks.create(acme, lists_faces.FACE, event_types=types, url="http://127.0.0.1:9999/in").webhook
    by_name = {face.name: face for face in faces.ALL}
    assert (
        recovery.replay_missing(acme, by_name, webhook.id, ids.first_ulid(ids.ulid_ms(start)), count=True).deliveries
        == 1
    )


def test_a_message_of_a_machine_whose_clock_is_ahead_does_not_hide_the_deletion(world: World, acme: Ctx) -> None:
    number = service.create(acme, ZAPHOD).lead.number
    ahead = replace(acme.ports, clock=lambda: world.clock() + 2)
    say(replace(acme, ports=ahead), number, SAID[0])
    service.delete(acme, number)
    assert erasure.work(acme, {"erase": [[number, number]]}) is None
    assert mentions(world, *SAID) == []


def test_a_call_erases_so_many_items_and_the_next_goes_on(
    world: World, acme: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "LIMIT", 5)
    leads = [service.create(acme, Lead(first_name="Zaphod")).lead.number for _ in range(3)]
    for number in leads:
        for _ in range(6):
            say(acme, number, SAID[0])
        service.delete(acme, number)
    message: Any = {"tenant": acme.tenant.id, "erase": [[number, number] for number in leads]}
    calls = 0
    while message:
        start = factories.last_change(world.table)
        message = erasure.work(acme, message)
        assert factories.last_change(world.table) - start <= 5
        calls += 1
    assert calls == (3 * (6 + 6 + 2)) // 5 + 1
    assert mentions(world, SAID[0]) == []


@pytest.mark.parametrize("after", [False, True])
def test_wherever_it_dies_it_ends_the_same_when_it_comes_again(world: World, acme: Ctx, *, after: bool) -> None:
    """Each request to the table fails once, before or after it has happened."""
    call, calls = 1, 1
    while call <= calls:
        part, whole = (service.create(acme, Lead(first_name="Zaphod")).lead.number for _ in range(2))
        say(acme, part, SAID[0])
        merging.merge(acme, whole, part)
        service.delete(acme, whole)
        message = {"tenant": acme.tenant.id, "erase": [[part, whole], [whole, whole]]}
        engine = FaultyEngine(world.table)
        (engine.fail_after if after else engine.fail_before)(call)
        with pytest.raises(Unavailable):
            erasure.work(open_ctx(replace(acme.ports, engine=engine), acme.tenant, acme.actor, "r"), message)
        engine.heal()
        assert erasure.work(open_ctx(replace(acme.ports, engine=engine), acme.tenant, acme.actor, "r"), message) is None
        call, calls = call + 1, engine.calls - call
        assert mentions(world, *SAID) == []
    assert call > 6
    world.advance(seconds=erasure.GRACE)
    assert [item["sk"] for item in mentions(world, "zaphod") if "expires_at" not in item] == []
