"""schemathesis against the running embedded stack, one dialect after the other: `make fuzz`, MINUTES=5 in all.

    python -m tests.fuzz [--minutes 5] [--phases examples,coverage] [--seed 1] [dialect …]

Every check that is on in schemathesis.toml must hold; a failure is printed with the curl that repeats it. Afterwards
no worker may have given anything up, and the table must be whole. Nothing leaves the machine: webhooks go to public
addresses only, and no name resolves here.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from waitress.server import create_server

from leadwire import apikeys, chatbots, lists, tenants, users
from leadwire.dialects.crm.faces import FACE as CRM
from leadwire.webhooks import service as webhooks
from local.clock import Clock
from local.server import respond
from local.world import World
from tests import invariants, published

ROOT = Path(__file__).parents[1]
UNLIMITED = 10**9


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("dialects", nargs="*", metavar="dialect")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    asked = parser.parse_args()
    print(f"seed {asked.seed}: repeat it with --seed {asked.seed}", flush=True)
    names = asked.dialects or published.DIALECTS
    how = ["--max-time", str(max(1, int(asked.minutes * 60 / len(names)))), "--phases", asked.phases]
    how += ["--seed", str(asked.seed)]
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as (url, tokens):
        failed = [name for name in names if not fuzz(name, url, tokens[name], how)]
    sys.exit(f"not as published: {', '.join(failed)}" if failed else 0)


def fuzz(name: str, url: str, token: str, how: Sequence[str]) -> bool:
    """Whether the stack kept what the dialect's document says. `how` are options of schemathesis."""
    print(f"\n--- {name}", flush=True)
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", ROOT / "schemathesis.toml", "run"]
    command += [published.FOLDER / f"{name}.json", "--url", url, *how]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "LEADWIRE_KEY": token}, check=False).returncode == 0


@contextmanager
def running(home: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The stack on a port of its own, and a token of each dialect for a tenant that has a little of everything."""
    with (home / "log").open("w") as log, redirect_stdout(log):
        world = World(ROOT, data=home / "leadwire.db", clock=Clock.real())
        server: Any = create_server(lambda *call: respond(world, *call), host="127.0.0.1", port=0, threads=4)
        socket.getaddrinfo = _nowhere  # type: ignore[assignment]  # for the rest of this process
        ctx = tenants.operate(world.ports, tenants.create(world.ports, "fuzz", "Fuzz"), "fuzz")
        chatbots.create(ctx, "Website")
        lists.create(ctx, "Newsletter")
        users.create(ctx, "Ada", "ada@example.com")
        webhooks.create(ctx, CRM, event_types=frozenset({"lead.created"}), url="https://hooks.example.com/in")
        tokens = {one: apikeys.create(ctx, one, "fuzz", limit=UNLIMITED)[1] for one in apikeys.FAMILIES}
        world.start()
        threading.Thread(target=server.run, daemon=True).start()
        yield f"http://127.0.0.1:{server.effective_port}", tokens
        server.close()
        world.stop()
        given_up = {queue: len(world.dead_letters(queue)) for queue in world.stack.queues}
        log.flush()
        errors = [line for line in (home / "log").read_text().splitlines() if '"level":"ERROR"' in line]
        invariants.check(world.table)
        world.close()
    if errors or any(given_up.values()):
        sys.exit("\n".join(["workers or requests failed:", *errors, str(given_up)]))


def _nowhere(*_arguments: Any, **_more: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "no name resolves here")


if __name__ == "__main__":
    main()
