"""The samples of the published pages, run by their own programs against a server, unchanged but for host and key.

In the Python sample the indentation is ours: the page has lost it. The placeholders of the lists sample are none that
a server can take, and it sends two fields that exclude each other: it is refused as such, and goes through filled in.
The page of crm hides its e-mail addresses from robots, and so from us: `[email protected]` is filled in too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server

from leadwire import chatbots, lists, named, tenants
from leadwire.context import Ctx
from leadwire.named import Kind, Named
from leadwire.store.types import Put
from local import demo
from local.server import respond
from local.world import World
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).parent / "samples"
HIDDEN = ("[email protected]", "sarah@example.com")
PUBLISHED_LIST = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
PUBLISHED_CHATBOT = "cb_1234567890abcdef"
PATIENCE = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server on loopback, and the demo tenant with the list and the chatbot that the samples name."""

    url: str
    keys: dict[str, str]
    world: World

    def sample(self, name: str, *placeholders: tuple[str, str]) -> str:
        """The published text with our host and key, which it must name, and other placeholders filled in."""
        own = [("https://your-domain.com", self.url), ("sk-workspace_your_api_key", self.keys["chatbot"])]
        if name.startswith("lists"):
            own = [("https://api.topcalls.ai", self.url), ("<token>", self.keys["lists"])]
        if name.startswith("crm"):
            own = [("https://yourdomain.com", self.url), ("lh_your_api_key_here", self.keys["crm"])]
        text = (SAMPLES / f"{name}.txt").read_text()
        for published, ours in (*own, *placeholders):
            assert published in text
            text = text.replace(published, ours)
        return text


@pytest.fixture
def served() -> Iterator[Served]:
    world = World(ROOT)
    state = demo.make(world.ports)
    ctx = tenants.operate(world.ports, tenants.by_slug(world.ports, demo.SLUG), "tests")
    _put(ctx, lists.KIND, PUBLISHED_LIST)
    _put(ctx, chatbots.KIND, PUBLISHED_CHATBOT)
    sockets: dict[int, Any] = {}
    server: Any = create_server(
        lambda environ, start: respond(world, environ, start), map=sockets, host="127.0.0.1", port=0
    )
    stopping = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, sockets, stopping), daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.effective_port}", state["keys"], world)
    stopping.set()
    server.pull_trigger()
    thread.join(PATIENCE)
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(sockets)  # not before its thread has ended: it may use any of them
    world.close()


def _serve(server: Any, sockets: dict[int, Any], stopping: threading.Event) -> None:
    while not stopping.is_set():
        server.asyncore.loop(timeout=PATIENCE, map=sockets, count=1)


def _put(ctx: Ctx, kind: Kind, id_: str) -> None:
    ctx.table.write(Put(named.item(kind, ctx.tenant.id, Named(id_, "Published", ctx.now_ms(), ctx.now_ms()))))


def run(*command: str, stdin: str = "") -> str:
    """What the program prints; it must succeed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def the_lead(served: Served) -> dict[str, Any]:
    (lead,) = factories.leads(served.world.table)
    return lead


def is_john(lead: dict[str, Any]) -> bool:
    known = (lead["first_name"], lead["last_name"], lead["email"], lead["phone_given"], lead["source"])
    return known == ("John", "Doe", "john.doe@example.com", "+1-555-123-4567", "website")


def test_the_curl_of_the_chatbot_page(served: Served) -> None:
    body = json.loads(run("sh", "-c", served.sample("chatbot.curl")))
    assert (body["success"], body["data"]["name"], body["data"]["phone"]) == (True, "John Doe", "+1-555-123-4567")
    assert is_john(the_lead(served))
    assert the_lead(served)["chatbot"] == PUBLISHED_CHATBOT


def test_the_javascript_of_the_chatbot_page(served: Served) -> None:
    run("node", "-", stdin=served.sample("chatbot.javascript"))
    assert is_john(the_lead(served))


def test_the_python_of_the_chatbot_page(served: Served) -> None:
    printed = run(sys.executable, "-", stdin=served.sample("chatbot.python"))
    assert printed.startswith("Lead created: lead_")
    assert is_john(the_lead(served))


def test_the_curl_of_the_lists_page_as_it_stands_is_told_what_to_fill_in(served: Served) -> None:
    problem = json.loads(run("sh", "-c", served.sample("lists.curl")))
    assert (problem["status"], problem["type"].rpartition("/")[2]) == (400, "validation_error")
    assert [error["path"] for error in problem["errors"]] == ["phone_number", "notes_append"]


def test_the_curl_of_the_lists_page_filled_in(served: Served) -> None:
    filled = [
        ('"name": "<string>"', '"name": "Jane Smith"'),
        ('"phone_number": "<string>"', '"phone_number": "+14155552671"'),
        ('"notes": "<string>",\n  "notes_append": "<string>"', '"notes": "called twice"'),
    ]
    lead = json.loads(run("sh", "-c", served.sample("lists.curl", *filled)))
    assert (lead["existed"], lead["list_ids"], lead["notes"]) == (False, [PUBLISHED_LIST], "called twice")
    again = json.loads(run("sh", "-c", served.sample("lists.curl", *filled)))
    assert (again["existed"], again["id"]) == (True, lead["id"])


def test_the_curls_of_the_crm_page(served: Served) -> None:
    list_leads, create_lead = served.sample("crm.curl", HIDDEN).split("\n\n")
    assert json.loads(run("sh", "-c", list_leads))["data"] == []
    created = json.loads(run("sh", "-c", create_lead))["data"]
    assert (created["first_name"], created["email"], created["source"]) == ("Sarah", "sarah@example.com", "api")
    assert [lead["id"] for lead in json.loads(run("sh", "-c", list_leads))["data"]] == [created["id"]]


def test_the_curl_of_the_crm_page_as_it_stands_is_told_that_its_address_is_none(served: Served) -> None:
    create_lead = served.sample("crm.curl").split("\n\n")[1]
    refusal = json.loads(run("sh", "-c", create_lead))
    assert (refusal["code"], list(refusal["errors"])) == ("VALIDATION_FAILED", ["email"])


def test_the_javascript_of_the_crm_page(served: Served) -> None:
    run("node", "--input-type=module", "-", stdin=served.sample("crm.javascript", HIDDEN))
    lead = the_lead(served)
    assert (lead["first_name"], lead["email"], lead["source"]) == ("Sarah", "sarah@example.com", "website")


def test_the_php_of_the_crm_page(served: Served) -> None:
    if not shutil.which("php") or "curl" not in run("php", "-m").split():
        pytest.skip("the sample needs PHP with its curl extension")
    run("php", stdin=f"<?php\n{served.sample('crm.php', HIDDEN)}")
    lead = the_lead(served)
    assert (lead["first_name"], lead["email"], lead["source"]) == ("Sarah", "sarah@example.com", "api")
