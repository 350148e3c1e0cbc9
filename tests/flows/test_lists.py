"""Lists over HTTP in all four dialects: right directly after the writes, with every pump stopped, and right at rest."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from leadwire.context import Ctx, iso
from leadwire.leads import model, service
from leadwire.leads.model import Lead
from local.world import World
from tests import factories
from tests.factories import PUBLIC, Keys

ROOT = Path(__file__).resolve().parents[2]
LEADS = 60
LIST_ID = "0190f3a0-0000-7000-8000-000000000001"

type Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant with leads, and how to ask for them."""

    world: World
    ctx: Ctx
    keys: Keys

    def get(self, dialect: str, path: str) -> Any:
        response = self.ask(dialect, path)
        assert response.status == 200, response.text
        return response.json()

    def ask(self, dialect: str, path: str) -> Any:
        token = self.keys[dialect]
        headers = {"x-api-key": token} if token.startswith(PUBLIC) else {"authorization": f"Bearer {token}"}
        return self.world.http("GET", path, {**headers, "host": "leads.example.com"})

    def every(self) -> list[Shown]:
        """All leads as crm shows each of them, oldest first."""
        numbers = range(1, LEADS + 20)
        shown = (self.ask("crm", f"/api/v1/leads/{number}") for number in numbers)
        return [response.json()["data"] for response in shown if response.status == 200]


@pytest.fixture(params=["pumps stopped", "half indexed", "at rest"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    world = World(ROOT)
    ctx = factories.ctx(world.ports, factories.tenant(world.ports, "acme"))
    r = random.Random(7)
    for number in range(LEADS):
        _create_and_change(ctx, r, number)
        world.clock.move(world.clock() + r.choice((0, 0.001, 1, 40)))
        if request.param == "half indexed" and number == LEADS // 2:
            world.settle()
    if request.param == "at rest":
        world.advance(minutes=2)
    yield Place(world, ctx, factories.keys_of_families(ctx))
    world.close()


def _create_and_change(ctx: Ctx, r: random.Random, number: int) -> None:
    draft = Lead(
        first_name=r.choice(("Ann", "ann", "Bo", "Zoë")),
        last_name=r.choice(("Lee", "Annan", "")),
        email=r.choice(("", f"ann{number}@example.com", f"{number}.bo@sub.example.org")),
        phone=f"+1415{2000000 + number}",
        source=r.choice(("web", "ads & more", "")),
        status=r.choice(model.STATUSES[:4]),
        score=r.randrange(4),
        starred=r.random() < 0.3,
        pipeline_id=r.choice((None, 1, 2)),
        stage_id=r.choice((None, 1, 2)),
        assigned_user_id=r.choice((None, 1, 2)),
        tags=r.choice(((), ("vip",), ("vip", "a b"))),
        lists=r.choice(((), (LIST_ID,))),
        chatbot=r.choice(("", "default")),
    )
    stored = service.create(ctx, draft).lead
    if r.random() < 0.3:
        service.change(ctx, stored.number, lambda lead: replace(lead, score=9, tags=("late",)))
    elif r.random() < 0.1:
        service.delete(ctx, stored.number)


# --- crm --------------------------------------------------------------------------------------------------------------


def filters(place: Place) -> Mapping[str, Callable[[Shown], bool]]:
    """Every filter of the crm contract with what it means of a lead as it is shown."""
    created = {lead["id"]: service.get(place.ctx, lead["id"]).created_at for lead in place.every()}
    bound = sorted(created.values())[LEADS // 3]
    middle = quote(iso(bound, "milliseconds"))
    return {
        "source=web": lambda lead: lead["source"] == "web",
        "source=" + quote("ads & more"): lambda lead: lead["source"] == "ads & more",
        "status=contacted": lambda lead: lead["status"] == "contacted",
        "status=won": lambda lead: lead["status"] == "converted",
        "pipeline_id=1": lambda lead: lead["pipeline_id"] == 1,
        "stage_id=2": lambda lead: lead["pipeline_stage_id"] == 2,
        "pipeline_stage_id=1": lambda lead: lead["pipeline_stage_id"] == 1,
        "assigned_user_id=2": lambda lead: lead["assigned_user_id"] == 2,
        "tag=vip": lambda lead: "vip" in lead["tags"],
        "tag=a%20b": lambda lead: "a b" in lead["tags"],
        "search=ann": lambda lead: _begins(lead, "ann"),
        "search=ann%20lee": lambda lead: _begins(lead, "ann") and _begins(lead, "lee"),
        "search=sub.ex": lambda lead: _begins(lead, "sub.ex"),
        "search=%2B1%20415%20200": lambda lead: lead["phone"].startswith("+1415200"),
        "search=0003": lambda lead: lead["phone"].endswith("0003"),
        f"created_after={middle}": lambda lead: created[lead["id"]] > bound,
        f"created_before={middle}": lambda lead: created[lead["id"]] < bound,
        "starred=true": lambda lead: lead["starred"] is True,
    }


def _begins(lead: Shown, word: str) -> bool:
    email = (lead["email"] or "").lower()
    return any(text.startswith(word) for text in (*lead["name"].lower().split(), email, email.partition("@")[2]))


def test_crm_filters_alone_and_in_pairs(place: Place) -> None:
    leads, meanings = place.every(), filters(place)
    chosen = [(), *((one,) for one in meanings), *itertools.combinations(meanings, 2)]
    for names in chosen:
        if len({name.partition("=")[0] for name in names}) < len(names):
            continue  # a parameter may be given once
        page = place.get("crm", f"/api/v1/leads?{'&'.join((*names, 'per_page=100'))}")
        expected = [lead for lead in reversed(leads) if all(meanings[name](lead) for name in names)]
        assert page["data"] == expected, names
        assert page["meta"]["total"] == len(expected), names


SORTS: Mapping[str, Callable[[Shown], Any]] = {
    "created_at": lambda lead: lead["id"],
    "updated_at": lambda lead: lead["updated_ms"],
    "lead_score": lambda lead: lead["lead_score"],
    "first_name": lambda lead: (lead["first_name"] or "").casefold(),
    "last_name": lambda lead: (lead["last_name"] or "").casefold(),
    "email": lambda lead: (lead["email"] or "").casefold(),
}


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("narrowed", ["", "&tag=vip"])
def test_crm_sorts_with_exact_meta_and_links_on_every_page(place: Place, direction: str, narrowed: str) -> None:
    leads = [lead for lead in place.every() if not narrowed or "vip" in lead["tags"]]
    exact = {lead["id"]: service.get(place.ctx, lead["id"]).updated_at for lead in leads}
    for sort, value in SORTS.items():
        key = lambda lead, value=value: (value({**lead, "updated_ms": exact[lead["id"]]}), lead["id"])  # noqa: E731
        expected = sorted(leads, key=key, reverse=direction == "desc")
        asked = f"?per_page=7&sort={sort}&direction={direction}{narrowed}"
        _check_pages(place, asked, expected, 7)


def _check_pages(place: Place, asked: str, expected: list[Shown], size: int) -> None:
    last = -(-len(expected) // size)
    for number in range(1, last + 1):
        page = place.get("crm", f"/api/v1/leads{asked}&page={number}")
        first = (number - 1) * size
        assert page["data"] == expected[first : first + size], (asked, number)
        assert page["meta"] == {
            "current_page": number,
            "last_page": last,
            "per_page": size,
            "total": len(expected),
            "from": first + 1,
            "to": min(first + size, len(expected)),
        }
        linked = {name: url and _page_of(url, asked) for name, url in page["links"].items()}
        assert linked == {
            "first": 1,
            "last": last,
            "prev": number - 1 if number > 1 else None,
            "next": number + 1 if number < last else None,
            "self": number,
        }


def _page_of(url: str, asked: str) -> int:
    """The page that a link leads to; all else of it is as it was asked."""
    link, own = urlsplit(url), parse_qs(asked[1:])
    assert (link.scheme, link.netloc, link.path) == ("http", "leads.example.com", "/api/v1/leads")
    query = parse_qs(link.query)
    (number,) = query.pop("page")
    assert query == own
    return int(number)


def test_a_crm_page_behind_the_last_is_empty_and_says_where_the_last_is(place: Place) -> None:
    page = place.get("crm", "/api/v1/leads?page=500&per_page=10")
    total = len(place.every())
    assert page["data"] == []
    assert (page["meta"]["total"], page["meta"]["from"], page["meta"]["to"]) == (total, None, None)
    assert _page_of(page["links"]["prev"], "?per_page=10") == -(-total // 10)


# --- the other dialects -----------------------------------------------------------------------------------------------


def test_chatbot_pages_have_every_lead_once_and_the_right_totals(place: Place) -> None:
    expected = len(place.every())
    pages = [place.get("chatbot", f"/api/v1/leads?limit=7&page={page}")["data"] for page in range(1, expected // 7 + 2)]
    emails = [lead["id"] for page in pages for lead in page["leads"]]
    assert len(set(emails)) == len(emails) == expected
    for number, page in enumerate(pages, start=1):
        assert page["pagination"] == {
            "page": number,
            "limit": 7,
            "total": expected,
            "totalPages": len(pages),
            "hasNext": number < len(pages),
            "hasPrev": number > 1,
        }


@pytest.mark.parametrize(
    "narrowed", ["", f"&list_id={LIST_ID}", "&status=Contacted", "&tag=vip", "&tag=vip&status=New"]
)
def test_a_lists_cursor_walks_every_lead_once_newest_first(place: Place, narrowed: str) -> None:
    whole = place.get("lists", f"/v1/leads?limit=200{narrowed}")
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    walked, cursor = [], ""
    while cursor is not None:
        page = place.get("lists", f"/v1/leads?limit=7{narrowed}" + (f"&cursor={cursor}" if cursor else ""))
        walked += page["items"]
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
    assert walked == whole["items"]
    assert walked


def test_next_before_walks_every_lead_once_newest_first(place: Place) -> None:
    walked, before = [], ""
    while before is not None:
        data = place.get("public", "/api/v1/pub/leads?limit=7" + (f"&before={quote(before)}" if before else ""))["data"]
        walked += data["leads"]
        before = data["nextBefore"]
        assert data["hasMore"] is (before is not None)
    light = place.get("public", "/api/v1/pub/leads/light?limit=100")["data"]["leads"]
    assert [lead["leadId"] for lead in walked] == [lead["leadId"] for lead in light]
    assert len(light) == len(place.every())


# --- at once ----------------------------------------------------------------------------------------------------------


def test_every_list_shows_each_write_directly_after_it(place: Place) -> None:
    """No pump runs between a write and the lists."""
    new = service.create(place.ctx, factories.draft(900_000, last_name="Quux", tags=("brand new",))).lead
    assert numbers(place, "search=quux") == numbers(place, "tag=brand%20new") == [new.number]
    service.change(place.ctx, new.number, lambda lead: replace(lead, last_name="Corge", tags=()))
    assert numbers(place, "search=quux") == numbers(place, "tag=brand%20new") == []
    assert numbers(place, "search=corge") == [new.number]
    assert numbers(place, "sort=last_name&direction=asc&per_page=100&search=corge") == [new.number]
    total = place.get("crm", "/api/v1/leads")["meta"]["total"]
    service.delete(place.ctx, new.number)
    assert numbers(place, "search=corge") == []
    assert place.get("crm", "/api/v1/leads")["meta"]["total"] == total - 1


def numbers(place: Place, query: str) -> list[int]:
    return [lead["id"] for lead in place.get("crm", f"/api/v1/leads?{query}")["data"]]
