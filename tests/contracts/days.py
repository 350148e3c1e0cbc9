"""What a business and its workers go through, on worlds that note what each function does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from leadwire import lists, tenants
from leadwire.context import Ctx, iso
from leadwire.dialects.crm.faces import FACE as CRM
from leadwire.dialects.crm.shapes import LeadList
from leadwire.dialects.public.faces import FACE_V2
from leadwire.leads import deletions
from leadwire.ports import Ports
from leadwire.store.database import MEMORY
from leadwire.store.types import Put
from leadwire.webhooks import queue
from leadwire.webhooks import service as endpoints
from leadwire.webhooks.endpoints import item as endpoint_item
from local import vault
from local.gateway import Response
from local.vault import LocalVault
from local.world import World
from tests import doors, every_route, factories
from tests.contracts.budgets import MOMENT, OPENING
from tests.dialects import golden, test_golden
from tests.every_route import Answer, Patiently, Send
from tests.flows.automating import action, delay
from tests.flows.business import authorization
from tests.unit.webhooks.conftest import Receiver
from tests.watched import Use, Watched, watched

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3_600_000
SETTINGS = {"LEADWIRE_PRIVATE_TARGETS": "true", "LEADWIRE_DEBUG_CAPACITY": "true", "LEADWIRE_SCHEDULE_SCALE": "0.02"}
"""Three days of tries become an hour and a half."""
QUEUES = {
    "deliveries_queue_url": "DeliveriesQueue",
    "jobs_queue_url": "JobsQueue",
    "automations_queue_url": "AutomationsQueue",
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@contextmanager
def world() -> Iterator[Watched]:
    with closing(Watched(ROOT, overrides=SETTINGS)) as made:
        tenants.create(made.ports, "acme", "Acme")
        yield made


def operate(world: World) -> Ctx:
    return tenants.operate(world.ports, tenants.by_slug(world.ports, "acme"), "tests")


def names(world: World, receiver: str) -> dict[str, Any]:
    """What the rows of every_route begin with."""
    ctx = operate(world)
    job = deletions.delete_named(ctx, []).id
    return {"tenant": "acme", "receiver": receiver, "job": job, "an_hour_ago": iso(ctx.now_ms() - HOUR)}


def sender(world: World, *, repeating: bool = False) -> Send:
    """Through the gateway; `repeating` sends what may change something under an Idempotency-Key, and once more."""
    tokens, once = factories.keys_of_families(operate(world)), itertools.count()

    def send(dialect: str, method: str, path: str, body: Any) -> Answer:
        headers = authorization(dialect, tokens[dialect]) if dialect else {}
        if repeating and method in UNSAFE:
            headers["idempotency-key"] = f"row {next(once)}"
        answer = world.http(method, path, headers, body)
        if repeating and method in UNSAFE:
            assert world.http(method, path, headers, body).headers["idempotency-replayed"] == "true", path
        return _shown(answer)

    return send


def patiently(world: World) -> Patiently:
    def wait(holds: Callable[[], bool]) -> None:
        while not holds():
            assert world.due() is not None, "nothing more will happen"
            world.advance(seconds=1)

    return wait


# --- stories for what rows do not reach -------------------------------------------------------------------------------


def golden_files() -> set[Use]:
    """The golden files at the doors. What may change something, or is refused, comes under an Idempotency-Key.

    That takes more permissions: the claim is made first, and given back when the request is refused.
    """
    uses: set[Use] = set()
    for path in golden.files():
        clock = factories.Clock()
        with factories.engine(MEMORY, clock) as engine:
            plain = factories.ports(engine, clock)
            settings = replace(plain.settings, **QUEUES)
            ports = replace(
                plain, settings=settings, vault=LocalVault(vault.key_in(None)), queue=test_golden.Anywhere()
            )
            ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
            run = golden.Run(test_golden.tokens(ctx), _at_the_doors(ports, uses), test_golden.world(ctx))
            for step in golden.steps(path):
                with suppress(AssertionError):  # under these keys some are answered otherwise; test_golden compares
                    run.step(step)
    return uses


def _at_the_doors(ports: Ports, uses: set[Use]) -> golden.Send:
    once = itertools.count()

    def send(method: str, path: str, token: str, body: str | None, headers: Any) -> factories.Answer:
        folders = [one.function for one in doors.routes() if one.parameters(method, path.partition("?")[0]) is not None]
        function = "".join(word.capitalize() for word in folders[0].split("_"))
        keyed = {"idempotency-key": f"step {next(once)}"} if method in UNSAFE else {}
        world = watched(ports, function, uses)
        return doors.send(world, method, path, token, body=body, headers={**keyed, **headers})

    return send


def rows(receiver: Receiver) -> set[Use]:
    """Every route, each change under an Idempotency-Key and repeated."""
    with world() as one:
        failed = every_route.run(sender(one, repeating=True), patiently(one), names(one, receiver.url))
        assert failed == [], failed
        return one.uses


def workers(receiver: Receiver) -> set[Use]:
    """Webhooks that fail, are held and go; leads that move and go; long lists, in every order."""
    with world() as one:
        send, ctx = sender(one), operate(one)
        endpoints.create(ctx, CRM, event_types=frozenset({"lead.created"}), url=receiver.url)
        _webhooks_that_fail(one, send, receiver)
        _webhooks_that_are_held(one, send, receiver.url)
        _automations(one, send, receiver.url)
        _leads_that_move(send)
        _lists_that_are_long(one, send, lists.create(ctx, "All").id)
        one.advance(hours=1)
        return one.uses


def _webhooks_that_fail(world: World, send: Send, receiver: Receiver) -> None:
    """Until they are given up; one is disabled between two attempts, and enabled."""
    _, hook = send("public", "POST", "/api/v2/pub/webhooks", {"eventType": "LEAD_CREATED", "url": receiver.url})
    address = f"/api/v2/pub/webhooks/{hook['data']['id']}"
    ctx = operate(world)
    before = endpoints.get(ctx, FACE_V2, hook["data"]["id"])
    ctx.table.write(Put(endpoint_item(ctx.tenant.id, replace(before, slow=True))))  # as if it had taken a second
    receiver.answer = (500, {}, b"")
    send("crm", "POST", "/api/v1/leads", {"first_name": "Ann", "pipeline_stage_id": 1})
    world.settle()
    for enabled in (False, True):
        send("public", "PATCH", address, {"enabled": enabled})
        world.advance(minutes=10)
    queue.release(world.ports, ctx.tenant.id, before.id)  # as if a request had left something to be released
    world.advance(hours=2)
    receiver.answer = (204, {}, b"")


def _webhooks_that_are_held(world: World, send: Send, url: str) -> None:
    """Deleted in each way there is, with deliveries that wait for their being enabled."""
    _, bot = send("chatbot", "POST", "/api/v1/chatbots", {"name": "Shop"})
    bots, own = f"/api/v1/chatbots/{bot['data']['id']}", "/api/v1/chatbots/default"
    wanted = {"name": "Hook", "url": url, "eventTypes": ["LEAD_CREATED"]}
    made = [send("chatbot", "POST", f"{one}/webhooks", wanted)[1]["webhook"]["id"] for one in (bots, own)]
    addresses = [f"{one}/webhooks/{id_}" for one, id_ in zip((bots, own), made, strict=True)]
    for address in addresses:
        send("chatbot", "PATCH", address, {"isActive": False})
    _, hook = send("public", "POST", "/api/v2/pub/webhooks", {"eventType": "LEAD_CREATED", "url": url})
    send("public", "PATCH", f"/api/v2/pub/webhooks/{hook['data']['id']}", {"enabled": False})
    for each in (bots, own):
        send("chatbot", "POST", f"{each}/leads", {"name": "Bo", "email": f"bo{len(each)}@example.com"})
    world.settle()
    send("chatbot", "DELETE", bots, None)
    send("chatbot", "DELETE", addresses[1], None)
    send("public", "DELETE", f"/api/v2/pub/webhooks/{hook['data']['id']}", None)


def _automations(world: World, send: Send, url: str) -> None:
    """Each kind of action, a delay of a day, leads that nobody touches, and one that starts another."""

    def automate(trigger: str, *steps: dict[str, Any], **config: Any) -> int:
        body = {"name": trigger, "trigger": {"type": trigger, "config": config}, "steps": list(steps)}
        return int(send("crm", "POST", "/api/v1/automations", body)[1]["data"]["id"])

    send("crm", "POST", "/api/v1/users", {"name": "Mia", "email": "mia@example.com"})
    second = automate("manual", action("set_starred", starred=True))
    soon, hook = {"amount": 1, "unit": "hours"}, {"url": url, "secret": "s" * 30}
    phones = [action("set_field", field="phone", value=f"+1415555098{last}") for last in (8, 9)]
    team = [action("assign_user", round_robin=[1]), action("notify_users", user_ids=[1], assignee=True, message="Hi")]
    place = [action("add_tag", tag="fresh"), action("move_stage", stage_id=2)]
    rest = [action("create_task", text="Call", due_in=soon), action("send_webhook", **hook)]
    later = [
        action("start_automation", automation_id=second),
        delay(amount=1, unit="days"),
        action("add_score", points=1),
    ]
    automate("lead_created", *phones, *team, *place, *rest, *later)
    automate("no_activity", action("add_score", points=1), hours=1)
    send("crm", "POST", "/api/v1/leads", {"first_name": "Fay"})
    _, gone = send("crm", "POST", "/api/v1/leads", {"first_name": "Gil"})
    world.settle()
    send("crm", "DELETE", f"/api/v1/leads/{gone['data']['id']}", None)
    world.advance(hours=2)


def _leads_that_move(send: Send) -> None:
    client = {"phone": "+14155550001", "email": "a@example.com"}
    _, made = send("public", "POST", "/api/v1/pub/clients", client)
    send("public", "POST", "/api/v1/pub/clients", {**client, "email": "b@example.com"})
    message = {"direction": "inbound", "message": "Hello"}
    send("public", "POST", f"/api/v1/pub/leads/{made['data']['leadId']}/messages", message)
    send("crm", "DELETE", f"/api/v1/leads/{made['data']['clientId']}", None)


def _lists_that_are_long(world: World, send: Send, list_id: str) -> None:
    rows = [{"name": "Di", "phone_number": f"+1415556{number:04d}"} for number in range(1100)]
    send("lists", "POST", "/v1/leads/bulk", {"list_id": list_id, "leads": rows})
    world.advance(minutes=1)
    for sort in get_args(LeadList.model_fields["sort"].annotation):
        send("crm", "GET", f"/api/v1/leads?sort={sort}", None)
    send("crm", "GET", "/api/v1/leads?created_after=2020-01-01", None)
    send("chatbot", "GET", "/api/v1/chatbots/default/leads?search=bo25@example.com", None)
    send("public", "GET", f"/api/v1/pub/leads?before={iso(operate(world).now_ms())}", None)
    send("lists", "POST", "/v1/leads", {"name": "Ed", "phone_number": "+14155550499", "list_id": list_id})
    send("lists", "POST", "/v1/leads/bulk-delete", {"filter": {"list_id": list_id}})
    world.settle()
    send("lists", "POST", "/v1/leads", {"name": "Ed", "phone_number": "+14155550499", "list_id": list_id})
    send("lists", "DELETE", f"/v1/lists/{list_id}", None)


type Units = tuple[float, float, int]
"""Write units, read units, round trips."""


def costs(receiver: Receiver) -> dict[str, Units]:
    """What the row of each route consumes, by `dialect METHOD path`; the dearest, if it has several."""
    found: dict[str, Units] = {}
    with world() as one:
        tokens, known = factories.keys_of_families(operate(one)), names(one, receiver.url)

        def call(dialect: str, method: str, path: str, body: Any) -> Response:
            return one.http(method, path, authorization(dialect, tokens[dialect]) if dialect else {}, body)

        def send(dialect: str, method: str, path: str, body: Any) -> Answer:
            one.advance(seconds=MOMENT)
            answer = call(dialect, method, path, body)
            if units := answer.headers.get("x-leadwire-capacity"):
                wru, rru, trips = (float(part.partition("=")[2]) for part in units.split())
                key = f"{dialect} {_route(method, path)}".strip()
                found[key] = max(found.get(key, (0, 0, 0)), (wru, rru, int(trips)))
            return _shown(answer)

        for dialect, path in OPENING.items():
            call(dialect, "GET", path, None)
        failed = every_route.run(send, patiently(one), known)
        assert failed == [], failed
    return found


def _route(method: str, path: str) -> str:
    return next(one.key for one in doors.routes() if one.parameters(method, path.partition("?")[0]) is not None)


def _shown(answer: Response) -> Answer:
    is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
    return answer.status, answer.json() if is_json and answer.body else None
