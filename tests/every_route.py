"""One business's day: every published operation once, with success, in an order in which each finds what it needs.

It runs on the embedded cloud (tests/contracts/test_every_route.py) and after a real `sam deploy` on the emulator
(tests/flows/emulator/test_every_route.py). A route that is added fails the first of them until it has a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OK, CREATED, ACCEPTED, NO_CONTENT, MANY = 200, 201, 202, 204, 207

type Answer = tuple[int, Any]
"""Status, and the body as JSON or None."""
type Send = Callable[[str, str, str, Any], Answer]
"""Dialect (empty: without a key), method, path, body."""
type Patiently = Callable[[Callable[[], bool]], None]
"""Try until it holds: workers have to come by first."""


@dataclass(frozen=True, slots=True)
class Row:
    """`dialect METHOD path` with {names}; `keeps` are names and where in the answer their values are (`data.0.id`).

    One that `waits` is repeated until it has something to keep.
    """

    call: str
    status: int = OK
    body: Mapping[str, Any] | None = None
    keeps: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False

    @property
    def dialect(self) -> str:
        return self.call.split()[0].replace("open", "")

    @property
    def method(self) -> str:
        return self.call.split()[1]

    @property
    def path(self) -> str:
        return self.call.split()[2]


def get(call: str, **keeps: str) -> Row:
    return Row(f"{call.partition(' ')[0]} GET {call.partition(' ')[2]}", keeps=keeps)


def post(call: str, body: Mapping[str, Any] | None, status: int = CREATED, **keeps: str) -> Row:
    return Row(f"{call.partition(' ')[0]} POST {call.partition(' ')[2]}", status, body, keeps)


def put(call: str, body: Mapping[str, Any], method: str = "PUT") -> Row:
    return Row(f"{call.partition(' ')[0]} {method} {call.partition(' ')[2]}", OK, body)


def patch(call: str, body: Mapping[str, Any]) -> Row:
    return put(call, body, "PATCH")


def delete(call: str, status: int = NO_CONTENT, body: Mapping[str, Any] | None = None) -> Row:
    return Row(f"{call.partition(' ')[0]} DELETE {call.partition(' ')[2]}", status, body)


HOOK = {"url": "{receiver}"}
CLIENT = {"phone": "+14155550401", "firstName": "Ana", "email": "ana@example.com"}
BOT_LEADS, BOT_HOOKS = "chatbot /api/v1/chatbots/{bot}/leads", "chatbot /api/v1/chatbots/{bot}/webhooks"
PIPELINE, STAGE = "crm /api/v1/pipelines/{pipeline}", "crm /api/v1/pipelines/{pipeline}/stages/{stage}"
DELIVERIES, RECOVER = "crm /api/v1/webhook-deliveries", {"webhook_id": "{hook}", "since": "{an_hour_ago}"}
ROWS = [
    get("open /api/v1/health"),
    get("open /openapi/crm.json"),
    get("open /docs"),
    get("open /docs/page.js"),
    # webhooks first, so that there is something to deliver
    post("public /api/v2/pub/webhooks", {"eventType": "LEAD_CREATED", **HOOK}, hook="data.id"),
    get("public /api/v2/pub/webhooks"),
    patch("public /api/v2/pub/webhooks/{hook}", {"enabled": False}),
    put("public /api/v2/pub/webhooks/{hook}", {"enabled": True}),
    post("public /api/v1/pub/webhooks/missed-call", HOOK),
    post("public /api/v1/pub/webhooks/chat-widget", HOOK),
    get("public /api/v1/pub/webhooks"),
    delete("public /api/v1/pub/webhooks/missed-call", OK, HOOK),
    delete("public /api/v1/pub/webhooks/chat-widget", OK, HOOK),
    post("lists /v1/webhooks", {"event": "lead.created", **HOOK}, subscription="id"),
    get("lists /v1/webhooks"),
    get("lists /v1/webhooks/{subscription}"),
    delete("lists /v1/webhooks/{subscription}"),
    post("chatbot /api/v1/chatbots", {"name": "Shop"}, bot="data.id"),
    get("chatbot /api/v1/chatbots"),
    get("chatbot /api/v1/chatbots/{bot}"),
    patch("chatbot /api/v1/chatbots/{bot}", {"name": "Store"}),
    post(BOT_HOOKS, {"name": "Hook", "eventTypes": ["LEAD_CREATED"], **HOOK}, bot_hook="webhook.id"),
    get(BOT_HOOKS),
    get(BOT_HOOKS + "/{bot_hook}"),
    patch(BOT_HOOKS + "/{bot_hook}", {"name": "Other"}),
    post(BOT_HOOKS + "/{bot_hook}/rotate-secret", {"overlapSeconds": 60}, OK),
    # chatbot
    post(BOT_LEADS, {"name": "Bo", "email": "bo@example.com"}, bot_lead="data.id"),
    get(BOT_LEADS),
    get(BOT_LEADS + "/{bot_lead}"),
    put(BOT_LEADS + "/{bot_lead}", {"metadata": {"score": 85}}),
    delete(BOT_LEADS + "/{bot_lead}", OK),
    post("chatbot /api/v1/leads", {"name": "Cy", "email": "cy@example.com"}, chatted="data.id"),
    get("chatbot /api/v1/leads"),
    get("chatbot /api/v1/leads/{chatted}"),
    put("chatbot /api/v1/leads/{chatted}", {"status": "qualified"}),
    delete("chatbot /api/v1/leads/{chatted}", OK),
    post(BOT_HOOKS + "/{bot_hook}/test", None, ACCEPTED),
    Row(f"chatbot GET {BOT_HOOKS.split()[1]}/{{bot_hook}}/deliveries", keeps={"tried": "deliveries.0.id"}, waits=True),
    delete(BOT_HOOKS + "/{bot_hook}", OK),
    # lists
    post("lists /v1/lists", {"name": "Spring"}, list="id"),
    get("lists /v1/lists"),
    get("lists /v1/lists/{list}"),
    patch("lists /v1/lists/{list}", {"name": "Summer"}),
    post("lists /v1/leads", {"name": "Di", "phone_number": "+14155550402", "list_id": "{list}"}, uuid="id"),
    get("lists /v1/leads"),
    get("lists /v1/leads/{uuid}"),
    patch("lists /v1/leads/{uuid}", {"notes_append": "called"}),
    post("lists /v1/leads/bulk", {"list_id": "{list}", "leads": [{"name": "Ed", "phone_number": "+14155550403"}]}, OK),
    delete("lists /v1/leads/{uuid}?list_id={list}"),
    post("lists /v1/leads", {"name": "Di", "phone_number": "+14155550402", "list_id": "{list}"}, uuid="id"),
    post("lists /v1/leads/bulk-delete", {"ids": ["{uuid}"]}, OK),
    get("lists /v1/bulk-jobs/{job}"),
    delete("lists /v1/lists/{list}"),
    # public
    post("public /api/v1/pub/clients", CLIENT, client="data.leadId"),
    get("public /api/v1/pub/clients/+14155550401"),
    post("public /api/v1/pub/leads/{client}/messages", {"direction": "inbound", "message": "Hello"}),
    post("public /api/v1/pub/leads/{client}/qualification", {"status": "COMPLETED"}, OK),
    post("public /api/v1/pub/missed-calls", {"phone": "+14155550404"}),
    get("public /api/v1/pub/leads"),
    get("public /api/v1/pub/leads/light"),
    get("public /api/v1/pub/leads/{client}"),
    # crm
    post("crm /api/v1/users", {"name": "Mia", "email": "mia@example.com"}, user="data.id"),
    get("crm /api/v1/users"),
    get("crm /api/v1/users/{user}"),
    put("crm /api/v1/users/{user}", {"name": "Mia Lee"}),
    patch("crm /api/v1/users/{user}", {"role": "manager"}),
    post("crm /api/v1/pipelines", {"name": "Partners"}, pipeline="data.id"),
    get("crm /api/v1/pipelines"),
    get(PIPELINE),
    put(PIPELINE, {"name": "Partner deals"}),
    patch(PIPELINE, {"name": "Partners"}),
    post(PIPELINE + "/stages", {"name": "Offer"}, stage="data.id"),
    get(PIPELINE + "/stages"),
    get(STAGE),
    put(STAGE, {"name": "Offered"}),
    patch(STAGE, {"color": "#00ff00"}),
    post("crm /api/v1/tags", {"name": "vip"}, tag="data.id"),
    get("crm /api/v1/tags"),
    get("crm /api/v1/tags/{tag}"),
    post("crm /api/v1/leads", {"first_name": "Eve", "tags": ["vip"], "pipeline_stage_id": "{stage}"}, lead="data.id"),
    post("crm /api/v1/leads", {"first_name": "Eve", "email": "eve@example.com"}, twin="data.id"),
    get("crm /api/v1/leads"),
    get("crm /api/v1/leads/{lead}"),
    put("crm /api/v1/leads/{lead}", {"last_name": "Lee"}),
    patch("crm /api/v1/leads/{lead}", {"assigned_user_id": "{user}"}),
    post("crm /api/v1/leads/{lead}/tags", {"tag": "hot"}, OK),
    delete("crm /api/v1/leads/{lead}/tags/hot"),
    post("crm /api/v1/leads/{lead}/merge", {"lead_id": "{twin}"}, OK),
    post("crm /api/v1/leads/{lead}/unmerge", {"lead_id": "{twin}"}, OK),
    post("crm /api/v1/leads/bulk", {"leads": [{"first_name": "Fay"}]}, MANY),
    get("crm /api/v1/leads/stats"),
    get("crm /api/v1/leads/{lead}/timeline", event="data.0.id"),
    get("crm /api/v1/events"),
    put("crm /api/v1/tags/{tag}", {"name": "gold"}),
    patch("crm /api/v1/tags/{tag}", {"color": "#ffcc00"}),
    delete("crm /api/v1/tags/{tag}"),
    delete(STAGE),
    delete(PIPELINE + "?move_to=1"),
    delete("crm /api/v1/users/{user}"),
    delete("crm /api/v1/leads/{twin}"),
    post("crm /api/v1/forms", {"name": "Signup"}, form="data.id"),
    get("crm /api/v1/forms"),
    get("crm /api/v1/forms/{form}"),
    put("crm /api/v1/forms/{form}", {"name": "Sign up"}),
    patch("crm /api/v1/forms/{form}", {"tags": ["web"]}),
    post("crm /api/v1/forms/{form}/submissions", {"email": "form@example.com"}),
    delete("crm /api/v1/forms/{form}"),
    post("crm /api/inbound/leads?tenant={tenant}", {"email": "in@example.com"}),
    post("crm /api/v1/automations", {"name": "Welcome", "trigger": {"type": "manual"}}, automation="data.id"),
    get("crm /api/v1/automations"),
    get("crm /api/v1/automations/{automation}"),
    put("crm /api/v1/automations/{automation}", {"name": "Hello"}),
    patch("crm /api/v1/automations/{automation}", {"description": "Says hello"}),
    post("crm /api/v1/automations/{automation}/run", {"lead_id": "{lead}"}, ACCEPTED),
    get("crm /api/v1/automations/{automation}/runs"),
    delete("crm /api/v1/automations/{automation}"),
    post("crm /api/v1/integrations", {"type": "zapier", "name": "Zapier"}, integration="data.id"),
    get("crm /api/v1/integrations"),
    get("crm /api/v1/integrations/types"),
    get("crm /api/v1/integrations/{integration}"),
    put("crm /api/v1/integrations/{integration}", {"name": "Zap"}),
    patch("crm /api/v1/integrations/{integration}", {"is_active": False}),
    delete("crm /api/v1/integrations/{integration}"),
    post("crm /api/v1/api-keys", {"name": "Zapier"}, key="data.id"),
    get("crm /api/v1/api-keys"),
    delete("crm /api/v1/api-keys/{key}"),
    Row(f"crm GET {DELIVERIES.split()[1]}?status=delivered", keeps={"delivery": "data.0.id"}, waits=True),
    get(DELIVERIES + "/{delivery}"),
    post(DELIVERIES + "/{delivery}/resend", None, ACCEPTED),
    post(DELIVERIES + "/recover", RECOVER, OK),
    post(DELIVERIES + "/replay-missing", RECOVER, OK),
    post(DELIVERIES + "/dry-run", {"event_id": "{event}"}, OK),
    delete("public /api/v2/pub/webhooks/{hook}", OK),
    delete("chatbot /api/v1/chatbots/{bot}", OK),
    delete("crm /api/v1/leads/{lead}"),
]


def run(send: Send, patiently: Patiently, names: Mapping[str, Any]) -> list[str]:
    """What failed, a line each. `names` are `tenant` (its slug), `receiver`, `job`, `an_hour_ago`."""
    known, failed = dict(names), []
    for row in ROWS:
        missing = _tried(row, send, patiently, known)
        failed += [f"{row.call}: {missing}"] if missing else []
    return failed


def _tried(row: Row, send: Send, patiently: Patiently, known: dict[str, Any]) -> str:
    """What is wrong with the answer, or nothing. `known` gets what the row keeps."""
    seen: list[Answer] = []

    def once() -> bool:
        path, body = filled(row.path, known), filled(row.body, known)
        seen.append(send(row.dialect, row.method, path, body))
        status, content = seen[-1]
        known.update({name: found for name, where in row.keeps.items() if (found := _at(content, where)) is not None})
        return status == row.status and known.keys() >= row.keeps.keys()

    try:
        patiently(once) if row.waits else once()
    except KeyError as unknown:
        return f"nothing was kept as {unknown}"
    status, content = seen[-1]
    return "" if status == row.status and known.keys() >= row.keeps.keys() else f"{status} {content}"


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """With what the {names} in it stand for; one that is all there is keeps its type."""
    if isinstance(value, str):
        alone = value[:1] == "{" and value[-1:] == "}" and value.count("{") == 1
        return known[value[1:-1]] if alone else value.format(**known)
    if isinstance(value, Mapping):
        return {name: filled(inner, known) for name, inner in value.items()}
    return [filled(inner, known) for inner in value] if isinstance(value, list) else value


def _at(content: Any, where: str) -> Any:
    for step in where.split("."):
        if step.isdigit():
            content = content[int(step)] if isinstance(content, list) and len(content) > int(step) else None
        else:
            content = content.get(step) if isinstance(content, Mapping) else None
    return content
