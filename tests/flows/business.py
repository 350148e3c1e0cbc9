"""A business with programs of its own, in front of a world: it creates and reads leads through all four dialects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadwire import apikeys, chatbots, ids, lists, users
from leadwire.context import Ctx
from local.gateway import Response
from local.world import World
from tests import factories
from tests.factories import Keys

WEBHOOKS = "/api/v2/pub/webhooks"
DIALECTS = tuple(apikeys.FAMILIES)
TEAM = 5


def authorization(dialect: str, token: str) -> dict[str, str]:
    """The header in which the dialect wants its key."""
    return {"x-api-key": token} if dialect == "public" else {"authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Business:
    """A tenant with a list, a chatbot, five users, and one key for each dialect."""

    world: World
    ctx: Ctx
    keys: Keys
    list_id: str
    chatbot_id: str

    def call(self, dialect: str, method: str, path: str, body: object = None, *, key: str = "") -> Response:
        """Through the gateway, with the business's own key or another one."""
        return self.world.http(method, path, authorization(dialect, key or self.keys[dialect]), body)

    def create(self, dialect: str, **fields: Any) -> Response:
        """The dialect's published sample, with `fields` changed."""
        path, sample = self.sample(dialect)
        return self.call(dialect, "POST", path, {**sample, **fields})

    def sample(self, dialect: str) -> tuple[str, dict[str, Any]]:
        """Path and body of the published create; `lists` publishes placeholders for a name and a phone."""
        match dialect:
            case "public":
                return "/api/v1/pub/clients", PUBLIC
            case "chatbot":
                return f"/api/v1/chatbots/{self.chatbot_id}/leads", CHATBOT
            case "lists":
                return "/v1/leads", {**LISTS, "list_id": self.list_id}
        return "/api/v1/leads", CRM

    def address(self, dialect: str, number: int) -> str:
        """Where the dialect has the lead with this number."""
        key = self.ctx.tenant.id_key
        return {
            "public": f"/api/v1/pub/leads/{ids.lead_uuid(key, number)}",
            "chatbot": f"/api/v1/chatbots/{self.chatbot_id}/leads/{ids.lead_id(key, number)}",
            "lists": f"/v1/leads/{ids.lead_uuid(key, number)}",
            "crm": f"/api/v1/leads/{number}",
        }[dialect]

    def webhook(self, url: str) -> dict[str, Any]:
        """A webhook of V2; `id` and `secret` of it."""
        made = self.call("public", "POST", WEBHOOKS, {"eventType": "LEAD_CREATED", "url": url})
        assert made.status == 201, made.text
        data: dict[str, Any] = made.json()["data"]
        return data

    def patch(self, webhook: dict[str, Any], **fields: Any) -> None:
        answer = self.call("public", "PATCH", f"{WEBHOOKS}/{webhook['id']}", fields)
        assert answer.status == 200, answer.text


def found(world: World, slug: str) -> Business:
    ctx = factories.ctx(world.ports, factories.tenant(world.ports, slug))
    for number in range(1, TEAM + 1):
        users.create(ctx, f"User {number}", f"user{number}@example.com")
    keys = factories.keys_of_families(ctx)
    return Business(world, ctx, keys, lists.create(ctx, "Newsletter").id, chatbots.create(ctx, "Website").id)


PUBLIC = {
    "phone": "8001234567", "firstName": "John", "lastName": "Doe", "email": "john.doe@example.com",
    "address1": "123 Main St", "address2": "Unit 456", "city": "Austin", "state": "TX", "zip": "78701", "country": "US",
}  # fmt: skip
CHATBOT = {
    "name": "John Doe", "email": "john.doe@example.com", "phone": "+1-555-123-4567", "source": "website",
    "status": "new", "metadata": {"utm_source": "google", "interests": ["product_a", "product_b"]},
}  # fmt: skip
LISTS = {
    "name": "Omar Ali", "phone_number": "+14155552671", "email": "jsmith@example.com", "status": "New",
    "notes": "<string>", "tags": [], "metadata": {},
}  # fmt: skip
CRM = {
    "first_name": "Sarah", "last_name": "Johnson", "email": "sarah@example.com", "phone": "+14155551234",
    "source": "website", "status": "new", "pipeline_id": 1, "pipeline_stage_id": 2, "assigned_user_id": 5,
    "notes": "Interested in the enterprise plan.", "custom_fields": {"budget": "10000"},
    "tags": ["hot-lead", "enterprise"],
}  # fmt: skip
