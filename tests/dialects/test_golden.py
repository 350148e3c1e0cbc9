"""The golden files, run at the doors in this process, or at LEADWIRE_URL with the keys of the file LEADWIRE_KEYS."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from leadwire import apikeys, chatbots, ids, lists, tenants, users
from leadwire.context import Ctx
from leadwire.dialects.chatbot.faces import FACE as CHATBOT
from leadwire.dialects.lists.faces import FACE as LISTS
from leadwire.dialects.public.faces import FACE_V2 as PUBLIC
from leadwire.leads import deletions, service
from leadwire.leads.service import Requirement
from leadwire.ports import Message, Ports, Queue
from leadwire.webhooks import service as webhooks
from local import vault
from local.vault import LocalVault
from tests import doors, factories
from tests.dialects import golden
from tests.factories import Answer

URL = os.environ.get("LEADWIRE_URL", "")
STRANGER = "stranger"
THEIR_LEADS = 9
HOOK = "https://example.com/hook"


class Anywhere(Queue):
    """Takes what is left for workers: golden files are about answers."""

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        return []


def name(path: Path) -> str:
    return str(path.relative_to(golden.HERE).with_suffix(""))


@pytest.mark.parametrize("path", golden.files(), ids=name)
@pytest.mark.skipif(bool(URL), reason="runs at LEADWIRE_URL instead")
def test_the_doors_answer_as_written(path: Path, ports: Ports, ctx: Ctx) -> None:
    sealing = replace(ports, vault=LocalVault(vault.key_in(None)), queue=Anywhere())

    def send(method: str, path: str, token: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        return doors.send(sealing, method, path, token, body=body, headers=headers)

    run = golden.Run(tokens(ctx), send, world(factories.ctx(sealing, ctx.tenant)))
    for step in golden.steps(path):
        before = factories.without_counters(factories.items(ports.engine))
        answer = run.step(step)
        if answer.status >= 400 or step["request"].startswith("GET"):
            after = factories.without_counters(factories.items(ports.engine))
            assert after == before, f"{step['does']}: something was written"


@pytest.mark.emulator
@pytest.mark.parametrize("path", golden.files(), ids=name)
@pytest.mark.skipif(not URL, reason="needs LEADWIRE_URL and LEADWIRE_KEYS")
def test_a_running_stack_answers_as_written(path: Path) -> None:
    """LEADWIRE_KEYS: `{"keys": {name: token}, "list": uuid, "chatbot": id}` of a tenant that nothing else uses."""
    made = json.loads(Path(os.environ["LEADWIRE_KEYS"]).read_text())
    story = golden.steps(path)
    missing = {step.get("key", "none") for step in story} - made["keys"].keys() - {"none"}
    if missing:
        pytest.skip(f"no key for {', '.join(sorted(missing))}")
    if ":their_" in path.read_text():
        pytest.skip("needs records of another tenant")
    run = golden.Run(made["keys"], over_http, {("uuid", "list"): made["list"], ("chatbot_id", "bot"): made["chatbot"]})
    for step in story:
        run.step(step)


def over_http(method: str, path: str, token: str, body: str | None, headers: Mapping[str, str]) -> Answer:
    key = {"x-api-key": token} if token.startswith(factories.PUBLIC) else {"authorization": f"Bearer {token}"}
    sent = dict(headers) | (key if token else {})
    request = urllib.request.Request(URL + path, body.encode() if body else None, sent, method=method)  # noqa: S310  # ours
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # the URL is the operator's own
            return read(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as refused:
        return read(refused.code, dict(refused.headers), refused.read())


def read(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body.decode())


# --- what every file starts with --------------------------------------------------------------------------------------


def tokens(ctx: Ctx) -> dict[str, str]:
    made = factories.keys_of_families(ctx)
    stranger = factories.ctx(ctx.ports, factories.tenant(ctx.ports, STRANGER))
    for family, kind in apikeys.FAMILIES.items():
        body = kind.prefix + "0" * kind.random
        made[f"{family} unknown"] = body + apikeys._checksum(body)
        made[f"{family} reader"] = apikeys.create(ctx, family, "reader", scopes=["read:users"])[1]
        made[f"{family} once"] = apikeys.create(stranger if kind.per_company else ctx, family, "once", limit=1)[1]
    return made


def world(ctx: Ctx) -> dict[tuple[str, str], str]:
    """What placeholders stand for from the beginning. `ctx` can seal, and its other tenant is there (`tokens`)."""
    for number in range(1, 6):
        users.create(ctx, f"User {number}", f"user{number}@example.com")
    return {
        ("uuid", "list"): lists.create(ctx, "Newsletter").id,
        ("chatbot_id", "bot"): chatbots.create(ctx, "Website").id,
        ("uuid", "job"): deletions.delete_named(ctx, [1]).id,
        **theirs(factories.ctx(ctx.ports, tenants.by_slug(ctx.ports, STRANGER))),
    }


def theirs(ctx: Ctx) -> dict[tuple[str, str], str]:
    """Another tenant's records; its last lead has a number that the own tenant does not come to."""
    their_list, their_bot = lists.create(ctx, "Theirs").id, chatbots.create(ctx, "Theirs").id
    exists = Requirement(lists.exists(ctx, their_list), "list")
    *_, last = [service.create_or_attach(ctx, factories.draft(n), their_list, exists) for n in range(THEIR_LEADS)]
    hooks = {
        face.name: webhooks.create(ctx, face, event_types=frozenset({"lead.created"}), url=HOOK, scope=scope).webhook
        for face, scope in ((PUBLIC, ""), (CHATBOT, chatbots.DEFAULT), (LISTS, ""))
    }
    return {
        ("lead_id", "their_lead"): ids.lead_id(ctx.tenant.id_key, last.lead.number),
        ("uuid", "their_lead"): ids.lead_uuid(ctx.tenant.id_key, last.lead.number),
        ("number", "their_phone"): last.lead.phone,
        ("uuid", "their_list"): their_list,
        ("chatbot_id", "their_bot"): their_bot,
        ("uuid", "their_job"): deletions.delete_named(ctx, [1]).id,
        **{("uuid", f"their_{name}_webhook"): webhook.id for name, webhook in hooks.items()},
    }
