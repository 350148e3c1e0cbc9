"""Another tenant's records are as if they had never existed: every route, every kind of id, byte for byte (D10).

The rows come from template.yaml and the doors: a route that is added is in the matrix at once, and fails here until
`BODIES` knows a valid body for it.
"""

from __future__ import annotations

import importlib
import itertools
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leadwire import apikeys, ids, keys, tenants
from leadwire.edge.types import Dialect, Route
from local import demo
from local.gateway import Response
from local.world import World
from tests import doors

ROOT = Path(__file__).resolve().parents[2]
PARAMETER = re.compile(r"\{(\w+)\}")
LEADS = 20

NEVER = {
    "number": "987654",
    "nth": "987653",
    "uuid": "ffffffff-ffff-8fff-bfff-ffffffffffff",
    "lead_id": "lead_ffffffffffffffff",
    "list": "99999999-9999-4999-8999-999999999999",
    "webhook": "99999999-9999-4999-8999-999999999998",
    "chatbot": "cb_ffffffffffffffff",
    "phone": "+12025559999",
    "delivery": "99999999-9999-4999-8999-999999999997",
    "event": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
}
"""An id of each kind that nobody has."""

BODIES: dict[str, Mapping[str, Any]] = {
    "public POST /api/v1/pub/clients": {"phone": "+12025550123"},
    "public POST /api/v1/pub/leads/{uuid}/messages": {"direction": "inbound", "message": "Hello"},
    "public POST /api/v1/pub/leads/{uuid}/qualification": {"status": "COMPLETED"},
    "public POST /api/v1/pub/missed-calls": {"phone": "+12025550124"},
    "public POST /api/v2/pub/webhooks": {"eventType": "LEAD_CREATED", "url": "https://example.com/hook"},
    "public PATCH /api/v2/pub/webhooks/{id}": {"enabled": False},
    "public PUT /api/v2/pub/webhooks/{id}": {"enabled": False},
    "chatbot POST /api/v1/chatbots/{chatbotId}/leads": {"name": "Ann", "email": "ann@example.com"},
    "chatbot POST /api/v1/leads": {"name": "Ann", "email": "ann@example.com"},
    "lists POST /v1/leads": {"name": "Ann", "phone_number": "+12025550111", "list_id": "$list"},
    "chatbot PUT /api/v1/chatbots/{chatbotId}/leads/{leadId}": {"name": "Ann"},
    "chatbot PUT /api/v1/leads/{id}": {"name": "Ann"},
    "lists PATCH /v1/leads/{id}": {"name": "Ann"},
    "lists POST /v1/lists": {"name": "Spring"},
    "lists PATCH /v1/lists/{id}": {"name": "Spring"},
    "lists POST /v1/leads/bulk": {"list_id": "$list", "leads": [{"phone_number": "+12025550112", "name": "Ann"}]},
    "lists POST /v1/leads/bulk-delete": {"ids": ["$uuid"]},
    "chatbot POST /api/v1/chatbots": {"name": "Shop"},
    "chatbot PATCH /api/v1/chatbots/{id}": {"name": "Shop"},
    "crm POST /api/v1/leads": {"first_name": "Ann", "assigned_user_id": "$number"},
    "crm PUT /api/v1/leads/{id}": {"last_name": "Lee"},
    "crm PATCH /api/v1/leads/{id}": {"last_name": "Lee"},
    "crm POST /api/v1/leads/{id}/tags": {"tag": "vip"},
    "crm POST /api/v1/pipelines": {"name": "Partners"},
    "crm PUT /api/v1/pipelines/{id}": {"name": "Partners"},
    "crm PATCH /api/v1/pipelines/{id}": {"name": "Partners"},
    "crm POST /api/v1/pipelines/{pipeline_id}/stages": {"name": "Offer"},
    "crm PUT /api/v1/pipelines/{pipeline_id}/stages/{stage_id}": {"name": "Offer"},
    "crm PATCH /api/v1/pipelines/{pipeline_id}/stages/{stage_id}": {"name": "Offer"},
    "crm POST /api/v1/tags": {"name": "vip"},
    "crm PUT /api/v1/tags/{id}": {"name": "gold"},
    "crm PATCH /api/v1/tags/{id}": {"name": "gold"},
    "crm POST /api/v1/users": {"name": "Mia", "email": "mia@example.com"},
    "crm PUT /api/v1/users/{id}": {"name": "Mia"},
    "crm PATCH /api/v1/users/{id}": {"name": "Mia"},
    "crm POST /api/v1/forms": {"name": "Signup", "assigned_user_id": "$number"},
    "crm PUT /api/v1/forms/{id}": {"name": "Signup"},
    "crm PATCH /api/v1/forms/{id}": {"name": "Signup"},
    "crm POST /api/v1/forms/{id}/submissions": {"email": "ann@example.com"},
    "crm POST /api/inbound/leads": {"email": "ann@example.com"},
    "crm POST /api/v1/api-keys": {"name": "Zapier"},
    "crm POST /api/v1/leads/{id}/merge": {"lead_id": "$number"},
    "crm POST /api/v1/leads/{id}/unmerge": {"lead_id": "$number"},
    "crm POST /api/v1/leads/bulk": {"leads": [{"first_name": "Ann"}]},
    "crm POST /api/v1/automations": {"name": "Welcome", "trigger": {"type": "manual"}},
    "crm POST /api/v1/automations/{id}/run": {"lead_id": 1},
    "crm PUT /api/v1/automations/{id}": {"name": "Welcome"},
    "crm PATCH /api/v1/automations/{id}": {"name": "Welcome"},
    "crm POST /api/v1/integrations": {"type": "zapier", "name": "Zapier"},
    "crm PUT /api/v1/integrations/{id}": {"name": "Zapier"},
    "crm PATCH /api/v1/integrations/{id}": {"name": "Zapier"},
    "chatbot POST /api/v1/chatbots/{chatbotId}/webhooks": {
        "name": "Hook",
        "url": "https://example.com/hook",
        "eventTypes": ["LEAD_CREATED"],
    },
    "chatbot PATCH /api/v1/chatbots/{chatbotId}/webhooks/{webhookId}": {"isActive": False},
    "chatbot POST /api/v1/chatbots/{chatbotId}/webhooks/{webhookId}/rotate-secret": {"overlapSeconds": 60},
    "crm POST /api/v1/webhook-deliveries/recover": {"webhook_id": "$webhook", "cursor": "$event"},
    "crm POST /api/v1/webhook-deliveries/replay-missing": {"webhook_id": "$webhook", "cursor": "$event"},
    "crm POST /api/v1/webhook-deliveries/dry-run": {"event_id": "$event"},
    "lists POST /v1/webhooks": {"event": "lead.created", "url": "https://example.com/hook"},
    "public POST /api/v1/pub/webhooks/missed-call": {"url": "https://example.com/hook"},
    "public DELETE /api/v1/pub/webhooks/missed-call": {"url": "https://example.com/hook"},
    "public POST /api/v1/pub/webhooks/chat-widget": {"url": "https://example.com/hook"},
    "public DELETE /api/v1/pub/webhooks/chat-widget": {"url": "https://example.com/hook"},
}
"""A body that each route with a body takes. `$kind` is another tenant's id in one run and nobody's in the other."""


NTH = 9
NUMBERED = {
    "/api/v1/pipelines": {"name": "Pipeline #"},
    "/api/v1/pipelines/1/stages": {"name": "Stage #"},
    "/api/v1/tags": {"name": "tag #"},
    "/api/v1/users": {"name": "User #", "email": "user#@example.com"},
    "/api/v1/forms": {"name": "Form #"},
}
"""Records that are numbered per tenant: the victim has more of each than the stranger, up to the ninth."""


@dataclass(frozen=True, slots=True)
class Served:
    """A route as a dialect declares it."""

    dialect: Dialect
    route: Route

    def __str__(self) -> str:
        return f"{self.dialect.name} {self.route.key}"

    @property
    def body(self) -> Mapping[str, Any] | None:
        return BODIES[str(self)] if self.route.body else None

    @property
    def beside_chatbot(self) -> bool:
        """Whether the path names a chatbot and something else."""
        names = PARAMETER.findall(self.route.path)
        return "chatbotId" in names and len(names) > 1

    @property
    def refers(self) -> bool:
        """Whether a request can name a record that is there already."""
        return "{" in self.route.path or "$" in str(BODIES.get(str(self), ""))


def _dialects(door: ModuleType) -> Iterator[Dialect]:
    """What a door serves: the `DIALECT` of a module, or one that the door makes of what it is given."""
    for part in vars(door).values():
        dialect = part if isinstance(part, Dialect) else getattr(part, "DIALECT", None)
        if isinstance(dialect, Dialect):
            yield dialect


def _served() -> list[Served]:
    functions = {route.key: route.function for route in doors.routes()}
    return [
        Served(dialect, route)
        for function in sorted(set(functions.values()))
        for dialect in _dialects(importlib.import_module(f"functions.{function}.app"))
        for route in dialect.routes
        if functions[route.key] == function
    ]


SERVED = _served()
every_route = pytest.mark.parametrize("served", SERVED, ids=str)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World(ROOT)
    yield world
    world.close()


@pytest.fixture(scope="module")
def victim(world: World) -> dict[str, str]:
    """The ids of a tenant with records of every kind. Its numbers are higher than the other tenant's will ever be."""
    state = demo.make(world.ports)
    for last in range(LEADS):
        lead = {"name": f"Vic {last}", "phone_number": f"+1202555{1000 + last}", "list_id": state["list_id"]}
        made = send(world, "POST", "/v1/leads", state["keys"]["lists"], lead)
    hook = {"eventType": "LEAD_CREATED", "url": "https://example.com/hook"}
    webhook = send(world, "POST", "/api/v2/pub/webhooks", state["keys"]["public"], hook).json()["data"]["id"]
    for path, body in NUMBERED.items():
        for nth in range(NTH):
            filled = {name: text.replace("#", str(nth)) for name, text in body.items()}
            assert send(world, "POST", path, state["keys"]["crm"], filled).status == 201
    public, crm = state["keys"]["public"], state["keys"]["crm"]
    send(world, "PATCH", f"/api/v2/pub/webhooks/{webhook}", public, {"enabled": False})
    last = send(world, "POST", "/api/v1/leads", crm, {"first_name": "Vic"}).json()["data"]["id"]
    assert last == LEADS + 1
    world.settle()  # what is made for a disabled webhook is held, and goes nowhere
    tenant = tenants.by_slug(world.ports, state["tenant"])
    return {
        "delivery": send(world, "GET", "/api/v1/webhook-deliveries", crm).json()["data"][0]["id"],
        "event": send(world, "GET", f"/api/v1/leads/{last}/timeline", crm).json()["data"][0]["id"],
        "tenant": tenant.id,
        "number": str(LEADS),
        "nth": str(NTH),
        "uuid": made.json()["id"],
        "lead_id": ids.lead_id(tenant.id_key, LEADS),
        "list": state["list_id"],
        "webhook": webhook,
        "chatbot": state["chatbot_id"],
        "phone": made.json()["phone_number"],
    }


@pytest.fixture(scope="module")
def stranger(world: World) -> dict[str, str]:
    """Another tenant's keys, with every scope."""
    return _keys(world, "stranger")


@pytest.fixture(scope="module")
def unscoped(world: World) -> dict[str, str]:
    """Keys that may do one thing, which no route asks for."""
    unasked = sorted(apikeys.SCOPES - {one.route.scope for one in SERVED})
    return _keys(world, "unscoped", unasked[0])


def _keys(world: World, slug: str, scope: str = apikeys.EVERY_SCOPE) -> dict[str, str]:
    ctx = tenants.operate(world.ports, tenants.create(world.ports, slug, slug), "test")
    return {family: apikeys.create(ctx, family, "test", scopes=[scope], limit=10**6)[1] for family in apikeys.FAMILIES}


def send(world: World, method: str, path: str, token: str = "", body: object = None) -> Response:
    public = token.startswith(apikeys.FAMILIES["public"].prefix)
    header = {"x-api-key": token} if public else {"authorization": f"Bearer {token}"}
    return world.http(method, path, headers=header if token else {}, body=body)


def filled(served: Served, chosen: Mapping[str, str], *, own_chatbot: bool) -> str:
    """The route's path with ids; optionally with the caller's own chatbot, so that only the other id is foreign."""
    values = iter(chosen.values())

    def value(match: re.Match[str]) -> str:
        own = own_chatbot and match[1] == "chatbotId"
        return "default" if own else urllib.parse.quote(next(values, ""), safe="")

    return PARAMETER.sub(value, served.route.path)


def with_ids(body: Mapping[str, Any] | None, chosen: Mapping[str, str]) -> object:
    if body is None:
        return None
    return {name: _with_id(value, chosen) for name, value in body.items()}


def _with_id(value: Any, chosen: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_id(one, chosen) for one in value]
    if not isinstance(value, str) or value[:1] != "$":
        return value
    found = chosen[value[1:]]
    return int(found) if value in ("$number", "$nth") else found


def shown(answer: Response, chosen: Mapping[str, str]) -> tuple[int, str]:
    """Status and body, without the id that was asked for and without the id of the request."""
    text = answer.text.replace(answer.headers["x-request-id"], "<request>")
    for value in sorted(chosen.values(), key=len, reverse=True):
        text = text.replace(value, "<id>")
    return answer.status, text


def items_of(world: World, tenant: str) -> list[tuple[Any, ...]]:
    with world.engine.database.read() as connection:  # type: ignore[attr-defined]  # the embedded engine
        return connection.execute(
            "SELECT * FROM items WHERE pk LIKE ? ORDER BY pk, sk", (keys.tenant_prefix(tenant) + "%",)
        ).fetchall()


ROWS = [(one, own) for one in SERVED if one.refers for own in (False, True) if not own or one.beside_chatbot]


@pytest.mark.parametrize(
    ("served", "own_chatbot"), ROWS, ids=[f"{one}{' under its own chatbot' * own}" for one, own in ROWS]
)
def test_a_foreign_id_is_answered_like_one_that_never_was(
    world: World, victim: dict[str, str], stranger: dict[str, str], served: Served, *, own_chatbot: bool
) -> None:
    token, before = stranger[served.dialect.name], items_of(world, victim["tenant"])
    parameters = len(PARAMETER.findall(served.route.path)) - own_chatbot
    for chosen in itertools.product(sorted(NEVER), repeat=parameters):
        answers = []
        for source in (victim, NEVER):
            path = filled(
                served, {str(place): source[kind] for place, kind in enumerate(chosen)}, own_chatbot=own_chatbot
            )
            body = with_ids(served.body, source)
            answers.append(shown(send(world, served.route.method, path, token, body), source))
        assert answers[0] == answers[1], chosen
        if parameters:
            assert 400 <= answers[0][0] < 500, chosen
    assert items_of(world, victim["tenant"]) == before, "nothing of the other tenant has changed"


@every_route
def test_without_a_key_nothing_is_answered(world: World, victim: dict[str, str], served: Served) -> None:
    path = filled(served, {str(n): victim["uuid"] for n in range(4)}, own_chatbot=False)
    answer = send(world, served.route.method, path, body=with_ids(served.body, victim))
    assert answer.status == 401
    assert answer.json(), "the body is the dialect's own"


@every_route
def test_a_key_of_another_dialect_opens_nothing(
    world: World, victim: dict[str, str], stranger: dict[str, str], served: Served
) -> None:
    claimed = {one.dialect.name for one in SERVED if one.route.key == served.route.key}
    path = filled(served, {str(n): victim["uuid"] for n in range(4)}, own_chatbot=False)
    for family in set(stranger) - claimed:
        answer = send(world, served.route.method, path, stranger[family], with_ids(served.body, victim))
        assert answer.status == 401, family


@every_route
def test_a_key_that_lacks_the_scope_is_forbidden(
    world: World, victim: dict[str, str], unscoped: dict[str, str], served: Served
) -> None:
    path = filled(served, {str(n): victim["uuid"] for n in range(4)}, own_chatbot=False)
    token = unscoped[served.dialect.name]
    answer = send(world, served.route.method, path, token, with_ids(served.body, victim))
    assert answer.status == 403
    assert answer.json(), "the body is the dialect's own"
