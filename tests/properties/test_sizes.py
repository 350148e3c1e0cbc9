"""Whatever a lead is made of, what is written and told of it passes every service: DynamoDB takes items of 400 KB (the
engine refuses others), EventBridge and SQS what is under 256 KiB even where they have not grown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadwire import chatbots, events, lists
from leadwire.context import Ctx
from leadwire.errors import Conflict, InvalidInput
from leadwire.leads import index, indexer, merging, model, query, service
from leadwire.leads.indexer import Change
from leadwire.leads.model import Lead
from leadwire.leads.query import LeadQuery
from leadwire.store.database import MEMORY
from tests import doors, factories
from tests.factories import Clock, Keys

CARRIED = 256 * 1024
ENVELOPE = 1024
"""Bytes that the bus and the queue put around an event, rounded up."""
REFUSED = (400, 409, 413, 422)
SIGNS = ("a", "é", "😀", "\x01", '"')
"""One, two and four bytes; six and two in JSON."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a request: what its texts are made of, and how long or how many its parts are."""

    sign: str
    text: int
    custom: int
    tags: int

    def line(self, length: int = 250) -> str:
        return ("x" if self.sign == "\x01" else self.sign) * length

    def named(self) -> list[str]:
        return [f"{self.line(97)}{number}" for number in range(self.tags)]

    def open_map(self) -> dict[str, str]:
        """No larger than it may be: that is refused anyway."""
        each = len(json.dumps(self.sign, ensure_ascii=False).encode()) - 2
        return {"key": self.sign * min(self.custom, (model.OPEN_MAP_BYTES - 20) // each)}

    def message(self) -> dict[str, Any]:
        media = [{"type": "image/png", "url": f"https://{self.line(900)}"}] * 10
        return {
            "direction": "inbound",
            "name": self.line(),
            "message": self.sign * min(self.text, 4000),
            "media": media,
        }


LENGTH = st.sampled_from((0, 255, 4_000, 16_000, 20_000, 30_000, 60_000, 65_536)) | st.integers(0, 65_536)
SIZES = st.builds(Sizes, st.sampled_from(SIGNS), LENGTH, LENGTH, st.integers(0, 60))
FULL = [Sizes("a", 65_536, 65_536, 38), Sizes("é", 32_000, 65_536, 39), Sizes("😀", 16_000, 65_536, 50)]
"""Almost as much as a lead takes."""


class World:
    """A tenant, and what it says to the four dialects. `events` looks at what was written since it last looked."""

    def __init__(self, engine: Any, clock: Clock) -> None:
        self.engine, self.ports = engine, factories.ports(engine, clock)
        self.ctx: Ctx = factories.ctx(self.ports, factories.tenant(self.ports, "acme"))
        self.keys: Keys = factories.keys_of_families(self.ctx)
        self.list_id = lists.create(self.ctx, "Leads").id
        chatbots.create(self.ctx, "Bot")
        self.made = 0

    def send(self, dialect: str, method: str, path: str, body: object) -> Any:
        """The answer's body, None if the request was refused; nothing else is right."""
        answer = doors.send(self.ports, method, path, self.keys[dialect], body=body)
        assert answer.status in REFUSED or answer.status < 300, answer.text[:300]
        return answer.body if answer.status < 300 else None

    def phone(self) -> str:
        self.made += 1
        return f"+1415{2_000_000 + self.made}"

    def largest_event(self) -> int:
        """Bytes, as it goes over the bus."""
        records = factories.stream(self.engine)
        told = [record.new for record in records if record.new and record.key.sk.startswith("EVT#")]
        self.engine.trim_stream(records[-1].seq + 1 if records else 0)
        return max((len(events.to_detail(events.from_item(item)).encode()) for item in told), default=0)


def crm(world: World, first: Sizes, second: Sizes) -> None:
    def body(sizes: Sizes) -> dict[str, Any]:
        lines = dict.fromkeys(("first_name", "last_name", "company", "job_title", "source"), sizes.line())
        more = {"notes": sizes.sign * sizes.text, "custom_fields": sizes.open_map(), "tags": sizes.named()[:50]}
        return {**lines, **more, "phone": world.phone()}

    made = world.send("crm", "POST", "/api/v1/leads", body(first))
    world.send("crm", "POST", "/api/v1/leads/bulk", {"leads": [body(first), body(second), body(first)]})
    if made:
        path = f"/api/v1/leads/{made['data']['id']}"
        world.send("crm", "PATCH", path, body(second))
        world.send("crm", "POST", f"{path}/tags", {"tag": second.line(100)})


def lists_(world: World, first: Sizes, second: Sizes) -> None:
    def body(sizes: Sizes) -> dict[str, Any]:
        texts = {"name": sizes.line(), "notes": sizes.sign * sizes.text}
        return {**texts, "metadata": sizes.open_map(), "tags": sizes.named(), "phone_number": world.phone()}

    bodies = [body(first), body(second)]
    made = world.send("lists", "POST", "/v1/leads", {**bodies[0], "list_id": world.list_id})
    for rows in ([bodies[0] | {"notes": "Again"}, *bodies], [row | {"notes": second.sign * 9_000} for row in bodies]):
        world.send("lists", "POST", "/v1/leads/bulk", {"list_id": world.list_id, "leads": rows})
    if made:
        world.send("lists", "PATCH", f"/v1/leads/{made['id']}", body(second))
        world.send("lists", "PATCH", f"/v1/leads/{made['id']}", {"notes_append": second.sign * second.text})


def chatbot(world: World, first: Sizes, second: Sizes) -> None:
    email = f"{world.phone()[1:]}@example.com"
    named = {"name": first.line(), "source": first.line(), "email": email}
    made = world.send("chatbot", "POST", "/api/v1/leads", {**named, "metadata": first.open_map()})
    if made:
        changed = {"name": second.line(), "metadata": {"other": second.sign * second.custom}}
        world.send("chatbot", "PUT", f"/api/v1/leads/{made['data']['id']}", changed)


def public(world: World, first: Sizes, second: Sizes) -> None:
    lines = ("firstName", "lastName", "address1", "address2", "city", "state", "zip", "country")
    phone = world.phone()
    made = world.send("public", "POST", "/api/v1/pub/clients", {"phone": phone, **dict.fromkeys(lines, first.line())})
    lead = f"/api/v1/pub/leads/{made['data']['leadId']}"
    for sizes in (first, second):
        text = sizes.sign * sizes.text
        found = {"qualifyingData": sizes.open_map(), "qualifyingDataSummary": text, "contactReason": text}
        world.send("public", "POST", f"{lead}/qualification", {**found, "commonFields": {"address": sizes.line()}})
        world.send("public", "POST", f"{lead}/messages", sizes.message())


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        yield World(engine, clock)


@pytest.mark.parametrize("dialect", [crm, lists_, chatbot, public])
def test_the_largest_lead_of_a_dialect_is_stored_and_told(world: World, dialect: Any) -> None:
    @settings(max_examples=15)
    @given(SIZES, SIZES)
    @example(FULL[0], FULL[1])
    @example(FULL[1], FULL[2])
    @example(FULL[2], FULL[0])
    def story(first: Sizes, second: Sizes) -> None:
        dialect(world, first, second)
        assert world.largest_event() < CARRIED - ENVELOPE

    story()


@pytest.mark.parametrize(("first", "second"), [("a", "é"), ("😀", "\x01")])
def test_a_lead_as_large_as_it_may_be_is_stored_told_changed_and_merged(world: World, first: str, second: str) -> None:
    """All open-ended fields at the limit, every other one at its own."""
    widest: dict[str, Any] = dict.fromkeys(("first_name", "last_name", "company", "job_title", "source"), "\x01" * 255)
    widest |= {"address": {f"address{n}": "😀" * 250 for n in range(6)}, "phone_given": "😀" * 64, "score": -(10**9)}
    drafts = [_filled_up(Lead(**widest), sign) for sign in (first, second)]
    other_texts = {name: text[:-1] if isinstance(text, str) else {} for name, text in widest.items() if name != "score"}
    others = {name: getattr(drafts[1], name) for name in ("notes", "custom", "tags")}
    one, other = (service.create(world.ctx, draft).lead.number for draft in drafts)
    service.change(world.ctx, one, lambda lead: replace(lead, **other_texts, **others))
    merging.merge(world.ctx, one, other, merging.CHOSEN)
    assert CARRIED * 0.9 < world.largest_event() < CARRIED - ENVELOPE
    service.delete(world.ctx, merging.unmerge(world.ctx, one).lead.number)
    service.delete(world.ctx, one)
    assert world.largest_event() < CARRIED - ENVELOPE


def _filled_up(lead: Lead, sign: str, spared: int = 100) -> Lead:
    """With notes that leave so many bytes of what a lead may have."""
    lead = replace(
        lead, custom={"key": sign * 5_000}, tags=tuple("😀" * 97 + f"{ord(sign):x}{n}"[-3:] for n in range(10, 60))
    )
    room = model.LARGEST
    while room:
        wanted = replace(lead, notes=lead.notes + sign * room)
        too_much = model.oversize(replace(wanted, notes=f"{wanted.notes}{'x' * spared}"))
        lead, room = (lead, room // 2) if too_much else (wanted, room)
    return lead


def test_one_byte_more_is_refused_by_name() -> None:
    fits = _filled_up(Lead(), "a", spared=0)
    with pytest.raises(InvalidInput, match="makes the lead larger than 112 KiB"):
        model.sized(replace(fits, notes=fits.notes + "a"))
    with pytest.raises(InvalidInput, match="tags: must not be more than 50"):
        model.sized(Lead(tags=tuple(map(str, range(51)))))


def test_a_lead_is_made_of_so_many_at_most_that_it_can_still_be_deleted(world: World) -> None:
    survivor = service.create(world.ctx, factories.draft(900_000)).lead.number
    for number in range(1, model.MOST_MERGED + 1):
        other = service.create(world.ctx, factories.draft(900_000 + number)).lead.number
        merging.merge(world.ctx, survivor, other)
    one_more = service.create(world.ctx, factories.draft(990_000)).lead.number
    with pytest.raises(Conflict, match="at most 41 leads"):
        merging.merge(world.ctx, survivor, one_more)
    merging.merge(world.ctx, one_more, merging.unmerge(world.ctx, survivor).lead.number)
    service.delete(world.ctx, survivor)


def test_the_longest_names_of_facets_and_tokens_are_keys_of_the_index(world: World) -> None:
    longest = "😁" * 250
    made = world.send(
        "crm", "POST", "/api/v1/leads", {"first_name": longest, "source": longest, "tags": [longest[:100]]}
    )
    assert world.send("crm", "POST", "/api/v1/leads", {"first_name": "Ada", "source": "😁" * 255}) is None
    lead = service.get(world.ctx, made["data"]["id"])
    assert index.refresh(world.ctx, indexer.touched_by([Change(world.ctx.tenant.id, None, lead)])) == 0
    for facet in (f"source={longest}", f"tag={longest[:100]}"):
        assert query.run(world.ctx, LeadQuery(facets=((facet,),))).total == 1
