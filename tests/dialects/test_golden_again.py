"""The golden files once more: what may change something is sent under an Idempotency-Key, and repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadwire.context import Ctx
from leadwire.ports import Ports
from local import vault
from local.vault import LocalVault
from tests import doors, factories
from tests.dialects import golden
from tests.dialects.test_golden import Anywhere, name, tokens, world
from tests.factories import Answer

HEADER = "idempotency-key"


@pytest.mark.parametrize("path", golden.files(), ids=name)
def test_a_repeated_request_has_no_effect_and_the_same_answer(path: Path, ports: Ports, ctx: Ctx) -> None:
    sealing = replace(ports, vault=LocalVault(vault.key_in(None)), queue=Anywhere())
    sent: list[tuple[Any, ...]] = []

    def send(method: str, path: str, token: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        keyed = dict(headers) if method == "GET" or HEADER in headers else {**headers, HEADER: f"step {len(sent)}"}
        sent.append((method, path, token, body, keyed))
        return doors.send(sealing, method, path, token, body=body, headers=keyed)

    run = golden.Run(tokens(ctx), send, world(factories.ctx(sealing, ctx.tenant)))
    for step in golden.steps(path):
        first = run.step(step)
        method, path_, token, body, headers = sent[-1]
        if method == "GET" or first.status >= 400:
            continue
        before = factories.without_counters(factories.items(ports.engine))
        again = doors.send(sealing, method, path_, token, body=body, headers=headers)
        assert (again.status, again.text) == (first.status, first.text), step["does"]
        assert again.headers["idempotency-replayed"] == "true", step["does"]
        assert factories.without_counters(factories.items(ports.engine)) == before, step["does"]
