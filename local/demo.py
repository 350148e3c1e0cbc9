"""The tenant that a fresh Leadwire begins with, so that the first call is one copy away."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadwire import apikeys, chatbots, lists, tenants, users
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.ports import Ports

SLUG = "demo"
TEAM = ("Ada", "Ben", "Cleo", "Dan", "Eve")


def make(ports: Ports) -> dict[str, Any]:
    """`tenant` (its slug), `keys` (a token for each dialect), `chatbot_id`, `list_id`.

    Tokens are shown once, so if the demo tenant is there but its tokens are lost, it gets new ones.
    """
    try:
        tenant = tenants.by_slug(ports, SLUG)
    except NotFound:
        tenant = tenants.create(ports, SLUG, "Demo")
        _hire(tenants.operate(ports, tenant, "demo"))
    ctx = tenants.operate(ports, tenant, "demo")
    tokens = {family: apikeys.create(ctx, family, "demo")[1] for family in apikeys.FAMILIES}
    chatbot_id, list_id = chatbots.create(ctx, "Demo").id, lists.create(ctx, "Demo").id
    return {"tenant": SLUG, "keys": tokens, "chatbot_id": chatbot_id, "list_id": list_id}


def _hire(ctx: Ctx) -> None:
    """The published sample of the crm dialect assigns its lead to user 5."""
    for name in TEAM:
        users.create(ctx, name, f"{name.lower()}@example.com")


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write what `make` gave, and where it answers, for the owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=1)
    temporary.replace(path)


def fill(event: str, state: Mapping[str, Any]) -> str:
    """A sample of events/ with the demo tenant's keys and list in the place of KEY_OF_<DIALECT> and LIST_ID."""
    for family, token in state.get("keys", {}).items():
        event = event.replace(f"KEY_OF_{family.upper()}", token)
    return event.replace("LIST_ID", state.get("list_id", "LIST_ID"))


def summary(state: Mapping[str, Any]) -> str:
    """What to know and what to copy: `state` is what `make` gave with `url`."""
    width = max(len(family) for family in state["keys"])
    tokens = "\n".join(f"  {family:{width}}  {token}" for family, token in state["keys"].items())
    body = json.dumps({"name": "Ann Lee", "phone_number": "+14155552671", "list_id": state["list_id"]})
    return f"""Leadwire answers at {state["url"]}
API reference:      {state["url"]}/docs

Keys of the tenant {state["tenant"]}:
{tokens}

Create a lead:
  curl {state["url"]}/v1/leads -H 'Authorization: Bearer {state["keys"]["lists"]}' \\
    -H 'Content-Type: application/json' -d '{body}'
"""
