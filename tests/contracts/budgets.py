"""What each operation may cost, and what it does cost: `python -m tests.contracts.budgets` prints the table.

Measured in the steady state (the API key's window is open, the lead counter is quiet) on leads below 1 KiB.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Any

from leadwire import chatbots, ids, lists, tags
from leadwire.context import Ctx
from leadwire.leads import service
from leadwire.store.database import MEMORY
from tests import doors, factories
from tests.factories import Clock, Keys

WRU_DOLLARS = 0.625
RRU_DOLLARS = 0.125
"""Dollars for a million request units on demand, us-east-1: aws.amazon.com/dynamodb/pricing/on-demand"""

MOMENT = 0.1
"""Seconds between two measured calls: long enough for the lead counter to be quiet again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Request units, and round trips that had to wait for one another."""

    wru: float
    rru: float
    trips: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One call and its budget. `path` and `body` may name {uuid}, {lead_id}, {list}, {other_list} and {chatbot}."""

    does: str
    dialect: str
    route: str
    budget: Cost
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"email": f"person{number}@example.com", "phone": f"+1415555{number:04d}", **fields}


CRM = {"first_name": "Sarah", "last_name": "Johnson", "source": "website", "tags": ["hot-lead"]}
CHATBOT = {"name": "John Doe", "source": "website", "metadata": {"utm_source": "google", "company": "Tech Corp"}}
LISTS = {"name": "Omar Ali", "email": "omar@example.com", "phone_number": "+14155550300", "list_id": "{list}"}
CLIENT = {"phone": "+14155550400", "firstName": "Ana", "lastName": "Ruiz", "email": "ana@example.com", "city": "Austin"}
ONCE = {"idempotency-key": "once"}

IMPORT = {
    "list_id": "{list}",
    "leads": [{"name": "Ada", "phone_number": f"+1415556{number:04d}"} for number in range(100)],
}
IMPORT_ONCE = {
    "list_id": "{list}",
    "leads": [{"name": "Ada", "phone_number": f"+1415557{number:04d}", "tags": ["once"]} for number in range(100)],
}
SAY = {"direction": "inbound", "name": "Ada", "message": "Is anybody there?"}

OPENING = {
    "public": "/api/v1/pub/clients/8005550100",
    "chatbot": "/api/v1/leads/0",
    "lists": "/v1/leads/0",
    "crm": "/api/v1/leads/0",
}
"""The first call of each key, which opens its window and pays one write more than those that follow."""

GET = Cost(1, 1, 2)
CREATE = Cost(20, 4, 3)
CREATE_TAGGED = Cost(20, 4, 3)
"""One read more: is the tag known?"""
CHANGE = Cost(12, 1, 3)

OPERATIONS = (
    Operation("get", "crm", "GET /api/v1/leads/1", GET),
    Operation("get", "lists", "GET /v1/leads/{uuid}", GET),
    Operation("get with its conversation", "public", "GET /api/v1/pub/leads/{uuid}", Cost(1, 2, 3)),
    Operation("get", "chatbot", "GET /api/v1/leads/{lead_id}", GET),
    Operation("get under a chatbot", "chatbot", "GET /api/v1/chatbots/{chatbot}/leads/{lead_id}", Cost(1, 2, 3)),
    Operation("get by phone", "public", "GET /api/v1/pub/clients/+14152000001", Cost(1, 2, 3)),
    Operation("get what is not there", "crm", "GET /api/v1/leads/999", Cost(1, 2, 3)),
    Operation("get by a foreign id", "chatbot", "GET /api/v1/leads/lead_0123456789abcdef", Cost(1, 0, 1)),
    Operation("create", "crm", "POST /api/v1/leads", CREATE_TAGGED, CRM | person(1)),
    Operation("create in a pipeline", "crm", "POST /api/v1/leads", Cost(22, 4, 3), CRM | person(2, pipeline_id=1)),
    Operation("create in a stage", "crm", "POST /api/v1/leads", Cost(22, 5, 4), CRM | person(3, pipeline_stage_id=2)),
    Operation("create once", "crm", "POST /api/v1/leads", Cost(23, 4, 4), CRM | person(4), ONCE),
    Operation("replay", "crm", "POST /api/v1/leads", Cost(2, 0, 2), CRM | person(4), ONCE),
    Operation("refuse", "crm", "POST /api/v1/leads", Cost(1, 0, 1), {"nobody": "knows"}),
    Operation("create with a new tag", "crm", "POST /api/v1/leads", Cost(20, 4, 4), {"first_name": "T", "tags": ["t"]}),
    Operation("change", "crm", "PATCH /api/v1/leads/1", CHANGE, {"notes": "Called"}),
    Operation("change nothing", "crm", "PATCH /api/v1/leads/1", Cost(1, 1, 2), {"notes": "Called"}),
    Operation("move to a stage", "crm", "PATCH /api/v1/leads/1", Cost(14, 2, 4), {"pipeline_stage_id": 3}),
    Operation("add a known tag", "crm", "POST /api/v1/leads/1/tags", Cost(12, 2, 4), {"tag": "t"}),
    Operation("remove a tag", "crm", "DELETE /api/v1/leads/1/tags/t", CHANGE),
    Operation("list", "crm", "GET /api/v1/tags", Cost(1, 6, 4)),
    Operation("get", "crm", "GET /api/v1/tags/1", Cost(1, 6, 4)),
    Operation("list", "crm", "GET /api/v1/pipelines", Cost(1, 2, 2)),
    Operation("create", "crm", "POST /api/v1/pipelines", Cost(6, 1, 3), {"name": "Partners"}),
    Operation("create", "crm", "POST /api/v1/pipelines/2/stages", Cost(8, 4, 5), {"name": "New"}),
    Operation("create", "crm", "POST /api/v1/users", Cost(8, 1, 3), {"name": "Mia", "email": "mia@example.com"}),
    Operation("change", "crm", "PATCH /api/v1/users/1", Cost(4, 1, 3), {"role": "manager"}),
    Operation("list", "crm", "GET /api/v1/users", Cost(1, 1, 2)),
    Operation("create", "crm", "POST /api/v1/forms", Cost(8, 1, 3), {"name": "Signup"}),
    Operation("list", "crm", "GET /api/v1/forms", Cost(1, 2, 3)),
    Operation("submit", "crm", "POST /api/v1/forms/1/submissions", Cost(28, 3, 4), {"email": "form@example.com"}),
    Operation("submit again", "crm", "POST /api/v1/forms/1/submissions", Cost(16, 4, 5), {"email": "form@example.com"}),
    Operation("take in", "crm", "POST /api/inbound/leads?tenant=acme", CREATE, {"email": "in@example.com"}),
    Operation("know", "crm", "POST /api/inbound/leads?tenant=acme", Cost(1, 3, 3), {"email": "in@example.com"}),
    Operation("count", "crm", "GET /api/v1/leads/stats", Cost(1, 25, 6)),
    Operation("read on", "crm", "GET /api/v1/leads/1/timeline", Cost(1, 4, 3)),
    Operation("read on", "crm", "GET /api/v1/events", Cost(1, 2, 3)),
    Operation("list", "crm", "GET /api/v1/api-keys", Cost(1, 6, 3)),
    Operation("merge", "crm", "POST /api/v1/leads/1/merge", Cost(36, 6, 5), {"lead_id": 2}),
    Operation("get by an old id", "crm", "GET /api/v1/leads/2", Cost(1, 3, 4)),
    Operation("unmerge", "crm", "POST /api/v1/leads/2/unmerge", Cost(36, 8, 7), {}),
    Operation("create one row", "crm", "POST /api/v1/leads/bulk", Cost(15, 3, 5), {"leads": [{"first_name": "Row"}]}),
    Operation("create", "crm", "POST /api/v1/automations", Cost(6, 2, 4), {"name": "A", "trigger": {"type": "manual"}}),
    Operation("list", "crm", "GET /api/v1/automations", Cost(1, 1, 2)),
    Operation("run by hand", "crm", "POST /api/v1/automations/1/run", Cost(11, 3, 5), {"lead_id": 1}),
    Operation("list runs", "crm", "GET /api/v1/automations/1/runs", Cost(1, 3, 4)),
    Operation("create", "crm", "POST /api/v1/integrations", Cost(6, 1, 3), {"type": "zapier", "name": "Z"}),
    Operation("list", "crm", "GET /api/v1/integrations", Cost(1, 1, 2)),
    Operation("list types", "crm", "GET /api/v1/integrations/types", Cost(1, 0, 1)),
    Operation("create", "chatbot", "POST /api/v1/leads", CREATE, CHATBOT | person(5)),
    Operation("create", "chatbot", "POST /api/v1/chatbots/{chatbot}/leads", CREATE, CHATBOT | person(6)),
    Operation("refuse a known address", "chatbot", "POST /api/v1/leads", Cost(1, 3, 2), CHATBOT | person(6)),
    Operation("create", "lists", "POST /v1/leads", CREATE, LISTS),
    Operation("attach again", "lists", "POST /v1/leads", Cost(1, 5, 3), LISTS),
    Operation("attach", "lists", "POST /v1/leads", Cost(10, 5, 4), LISTS | {"list_id": "{other_list}"}),
    Operation("change", "lists", "PATCH /v1/leads/{uuid}", Cost(12, 1, 3), {"notes_append": "called"}),
    Operation("change nothing", "lists", "PATCH /v1/leads/{uuid}", Cost(1, 1, 2), {"status": "New"}),
    Operation("change the phone", "lists", "PATCH /v1/leads/{uuid}", Cost(16, 3, 4), {"phone_number": "+14155550301"}),
    Operation("make a list", "lists", "POST /v1/lists", Cost(3, 0, 2), {"name": "three"}),
    Operation("get a list", "lists", "GET /v1/lists/{list}", Cost(1, 3, 4)),
    Operation("count all lists", "lists", "GET /v1/lists", Cost(1, 4, 4)),
    Operation("rename a list", "lists", "PATCH /v1/lists/{list}", Cost(3, 4, 6), {"name": "first"}),
    Operation("import 100 new rows", "lists", "POST /v1/leads/bulk", Cost(1600, 105, 20), IMPORT),
    Operation("import 100 new rows once", "lists", "POST /v1/leads/bulk", Cost(1620, 110, 27), IMPORT_ONCE, ONCE),
    Operation("import the same 100 rows", "lists", "POST /v1/leads/bulk", Cost(1, 205, 14), IMPORT),
    Operation(
        "delete 100 leads", "lists", "POST /v1/leads/bulk-delete", Cost(1600, 220, 24), {"filter": {"tag": "once"}}
    ),
    Operation("change", "chatbot", "PUT /api/v1/leads/{lead_id}", Cost(12, 1, 3), {"metadata": {"score": 85}}),
    Operation("list chatbots", "chatbot", "GET /api/v1/chatbots", Cost(1, 1, 2)),
    Operation("make a chatbot", "chatbot", "POST /api/v1/chatbots", Cost(3, 0, 2), {"name": "two"}),
    Operation("say", "public", "POST /api/v1/pub/leads/{uuid}/messages", Cost(8, 2, 4), SAY),
    Operation(
        "complete", "public", "POST /api/v1/pub/leads/{uuid}/qualification", Cost(14, 2, 4), {"status": "COMPLETED"}
    ),
    Operation("miss a call", "public", "POST /api/v1/pub/missed-calls", Cost(20, 3, 3), {"phone": "+14155550499"}),
    Operation("create", "public", "POST /api/v1/pub/clients", CREATE, CLIENT),
    Operation("update nothing", "public", "POST /api/v1/pub/clients", Cost(1, 4, 3), CLIENT),
    Operation("update", "public", "POST /api/v1/pub/clients", Cost(12, 4, 4), CLIENT | {"city": "Dallas"}),
    Operation("move", "public", "POST /api/v1/pub/clients", Cost(18, 6, 5), CLIENT | {"email": "ruiz@example.com"}),
)


def dollars_per_million(cost: Cost) -> float:
    """What a million such calls cost at the table."""
    return cost.wru * WRU_DOLLARS + cost.rru * RRU_DOLLARS


def measure() -> list[tuple[Operation, Cost]]:
    """Every operation, once, in order, on a table of its own."""
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        tokens, names = factories.keys_of_families(ctx), _names(ctx)
        for dialect, path in OPENING.items():
            doors.send(ports, "GET", path, tokens[dialect])
        return [(operation, _measured(ctx, clock, operation, tokens, names)) for operation in OPERATIONS]


def _measured(ctx: Ctx, clock: Clock, operation: Operation, tokens: Keys, names: dict[str, str]) -> Cost:
    clock.advance(MOMENT)
    method, _, path = operation.route.format(**names).partition(" ")
    body = operation.body and {
        name: value.format(**names) if isinstance(value, str) else value for name, value in operation.body.items()
    }
    answer = doors.send(ctx.ports, method, path, tokens[operation.dialect], body=body, headers=operation.headers)
    consumed = re.fullmatch(r"wru=(\S+) rru=(\S+) trips=(\d+)", answer.headers["x-leadwire-capacity"])
    assert consumed
    return Cost(float(consumed[1]), float(consumed[2]), int(consumed[3]))


def _names(ctx: Ctx) -> dict[str, str]:
    number = service.create(ctx, factories.draft(1)).lead.number
    tags.create(ctx, "hot-lead")
    return {
        "uuid": ids.lead_uuid(ctx.tenant.id_key, number),
        "lead_id": ids.lead_id(ctx.tenant.id_key, number),
        "list": lists.create(ctx, "one").id,
        "other_list": lists.create(ctx, "two").id,
        "chatbot": chatbots.create(ctx, "bot").id,
    }


def table(measured: list[tuple[Operation, Cost]]) -> str:
    """Markdown, for people and for the documentation."""
    lines = ["| dialect | operation | WRU | RRU | trips | $ per million |", "|---|---|---|---|---|---|"]
    for operation, cost in measured:
        dollars = f"{dollars_per_million(cost):.2f}"
        name = f"{operation.does}: `{operation.route}`"
        lines.append(f"| {operation.dialect} | {name} | {cost.wru:g} | {cost.rru:g} | {cost.trips} | {dollars} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(measure()) + "\n")
