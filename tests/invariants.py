"""What must be true of the table at every moment, whoever wrote last and however badly it ended."""

from __future__ import annotations

import json

from leadwire.leads import identity
from leadwire.leads.identity import normal_email
from leadwire.store.engine import Engine
from leadwire.store.types import Item
from tests import factories


def check(engine: Engine) -> None:
    """Of every tenant: leads, events, identities and counters agree with one another."""
    state = factories.items(engine)
    leads = {item["pk"]: item for (_, sk), item in state.items() if sk == "LEAD"}
    events: dict[str, list[Item]] = {}
    for (pk, sk), item in state.items():
        if sk.startswith("EVT#"):
            events.setdefault(pk, []).append(item)
    for pk, lead in leads.items():
        _check_history(lead, events.get(pk, []))
        _check_identities(state, pk, lead)
    for (pk, sk), item in state.items():
        if sk == "ID":
            _check_members(state, pk, item)
    _check_numbers(state, leads)


def _check_history(lead: Item, events: list[Item]) -> None:
    """One event for each version, in order; the last one shows the lead as it is."""
    events = sorted(
        (event for event in events if event["type"].startswith("lead.")), key=lambda event: str(event["sk"])
    )
    assert [event["version"] for event in events] == list(range(1, lead["version"] + 1))
    assert events[-1]["sk"] == f"EVT#{lead['event']}"
    shown = json.loads(events[-1]["lead"])
    assert {name: shown.get(name) for name in ("email", "phone", "status")} == {
        name: lead.get(name) for name in ("email", "phone", "status")
    }


def _tenant(pk: str) -> str:
    return pk.split("#")[1]


def _identity_keys(pk: str, lead: Item) -> list[str]:
    emails = [normal_email(lead["email"])] if lead.get("email") else []
    phones = [lead["phone"]] if lead.get("phone") else []
    return [
        *(f"T#{_tenant(pk)}#ID#email#{email}" for email in {*emails, *lead.get("other_emails", ())}),
        *(f"T#{_tenant(pk)}#ID#phone#{phone}" for phone in {*phones, *lead.get("other_phones", ())}),
    ]


def _check_identities(state: dict[tuple[str, str], Item], pk: str, lead: Item) -> None:
    for key in _identity_keys(pk, lead):
        members = state[key, "ID"]["leads"]
        known = lead["number"] in members or len(members) == identity.MEMBERS
        assert known or _was_crowded(state, pk, key), f"{key} does not know lead {lead['number']}"


def _was_crowded(state: dict[tuple[str, str], Item], pk: str, key: str) -> bool:
    """Whether more leads have had this key than its record remembers (identity.MEMBERS), as the events tell."""
    told = (item for (place, sk), item in state.items() if sk.startswith("EVT#") and _tenant(place) == _tenant(pk))
    having = {item["number"] for item in told if key in _identity_keys(pk, json.loads(item["lead"]))}
    return len(having) > identity.MEMBERS


def _check_members(state: dict[tuple[str, str], Item], pk: str, item: Item) -> None:
    assert list(item["leads"]) == sorted(set(item["leads"]))
    for number in item["leads"]:
        lead_pk = f"T#{_tenant(pk)}#LEAD#{number}"
        assert pk in _identity_keys(lead_pk, state[lead_pk, "LEAD"])


def _check_numbers(state: dict[tuple[str, str], Item], leads: dict[str, Item]) -> None:
    for pk, lead in leads.items():
        assert lead["number"] == int(pk.rpartition("#")[2])
        assert state[f"T#{_tenant(pk)}#COUNTER#lead", "COUNTER"]["value"] >= lead["number"]
