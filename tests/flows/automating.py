"""Making automations and looking at what became of them, through the crm API."""

from __future__ import annotations

from typing import Any

from tests.flows.business import Business

BASE = "/api/v1/automations"
HOUR, DAY = 3600, 86_400


def action(name: str, **config: Any) -> dict[str, Any]:
    return {"type": "action", "action": name, "config": config}


def condition(name: str, **config: Any) -> dict[str, Any]:
    return {"type": "condition", "condition": name, "config": config}


def delay(**config: Any) -> dict[str, Any]:
    return {"type": "delay", "config": config}


def automate(acme: Business, trigger: str, *steps: dict[str, Any], **config: Any) -> int:
    """The id of a new automation."""
    body = {"name": trigger, "trigger": {"type": trigger, "config": config}, "steps": list(steps)}
    made = acme.call("crm", "POST", BASE, body)
    assert made.status == 201, made.text
    id_: int = made.json()["data"]["id"]
    return id_


def runs(acme: Business, automation: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = acme.call("crm", "GET", f"{BASE}/{automation}/runs").json()["data"]
    return found


def statuses(acme: Business, automation: int) -> list[str]:
    return [run["status"] for run in runs(acme, automation)]


def results(run: dict[str, Any]) -> list[str]:
    return [step["result"] for step in run["steps"]]


def lead(acme: Business, number: int = 1) -> dict[str, Any]:
    shown: dict[str, Any] = acme.call("crm", "GET", f"/api/v1/leads/{number}").json()["data"]
    return shown


def patch(acme: Business, number: int = 1, **fields: Any) -> None:
    answer = acme.call("crm", "PATCH", f"/api/v1/leads/{number}", fields)
    assert answer.status == 200, answer.text


def create(acme: Business, **fields: Any) -> int:
    made = acme.call("crm", "POST", "/api/v1/leads", {"first_name": "Ada", **fields})
    assert made.status == 201, made.text
    number: int = made.json()["data"]["id"]
    return number
