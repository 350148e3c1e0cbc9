"""An endpoint on each way of sending webhooks, made through its dialect, and the verifiers of other people."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadwire.dialects.crm.faces import FACE as CRM
from leadwire.leads import service as leads
from leadwire.leads.model import Lead
from leadwire.webhooks import service
from tests import published
from tests.flows.business import Business
from tests.unit.webhooks.conftest import Receiver

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    secret: str
    own: str = ""
    """The face's own signature header."""


def public_v2(acme: Business, url: str) -> Endpoint:
    made = acme.webhook(url)
    return Endpoint(made["id"], made["secret"])


def public_v1(kind: str) -> Callable[[Business, str], Endpoint]:
    def make(acme: Business, url: str) -> Endpoint:
        answer = acme.call("public", "POST", f"/api/v1/pub/webhooks/{kind}", {"url": url})
        assert answer.status == 201, answer.text
        return Endpoint("", answer.json()["data"]["secret"])

    return make


def chatbot(acme: Business, url: str, **more: Any) -> Endpoint:
    body = {"name": "CRM", "url": url, "eventTypes": ["LEAD_CREATED", "LEAD_UPDATED", "LEAD_DELETED"], **more}
    answer = acme.call("chatbot", "POST", "/api/v1/chatbots/default/webhooks", body)
    assert answer.status == 201, answer.text
    webhook = answer.json()["webhook"]
    return Endpoint(webhook["id"], webhook["secret"], "x-webhook-signature")


def lists(acme: Business, url: str, event: str = "lead.created", **filters: Any) -> Endpoint:
    answer = acme.call("lists", "POST", "/v1/webhooks", {"event": event, "url": url, "filters": filters})
    assert answer.status == 201, answer.text
    return Endpoint(answer.json()["id"], answer.json()["secret"])


def crm(acme: Business, url: str) -> Endpoint:
    made = service.create(acme.ctx, CRM, event_types=frozenset({"lead.created", "lead.updated"}), url=url)
    return Endpoint(made.webhook.id, made.secret, "x-leadhub-signature")


FACES: dict[str, Callable[[Business, str], Endpoint]] = {
    "public V2": public_v2,
    "public V1 missed call": public_v1("missed-call"),
    "public V1 chat widget": public_v1("chat-widget"),
    "chatbot": chatbot,
    "lists": lists,
    "crm": crm,
}


def happen(acme: Business) -> None:
    """A conversation of each kind is complete: every face has a word for one of the two."""
    for source, phone in (("missed_call", "+14155550101"), ("popup", "+14155550102")):
        draft = Lead(first_name="Zoë", phone=phone, source=source, custom={"qualification": "COMPLETED"})
        leads.create(acme.ctx, draft)


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    """What it has received so far. Fails if a body is not as published."""
    received = [json.loads(body) for _, body in receiver.received]
    for body in received:
        published.check_delivery(body)
    return received


type Verify = Callable[[list[dict[str, Any]]], list[str]]
"""Deliveries (secret, headers, body) to what the library says of each."""


def in_python(library: str) -> Verify:
    return functools.partial(_run, [str(TOOLS / "verifiers/bin/python"), "tools/verify.py"], library)


def in_javascript(library: str) -> Verify:
    node = shutil.which("node")
    assert node, "the verifiers in JavaScript need Node"
    return functools.partial(_run, [node, ".tools/js/verify.js"], library)


def _run(command: list[str], library: str, deliveries: list[dict[str, Any]]) -> list[str]:
    asked = json.dumps({"library": library, "deliveries": deliveries})
    done = subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"make .tools/js/.done .tools/verifiers/.done\n{done.stderr}"
    return done.stdout.splitlines()


VERIFIERS: dict[str, Callable[[], Verify]] = {
    "standardwebhooks (Python)": lambda: in_python("standardwebhooks"),
    "svix (Python)": lambda: in_python("svix"),
    "standardwebhooks (JavaScript)": lambda: in_javascript("standardwebhooks"),
    "svix (JavaScript)": lambda: in_javascript("svix"),
}
