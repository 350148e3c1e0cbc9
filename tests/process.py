"""`python -m local serve` and `stop` as a person runs them: a real process, a real port on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from tests import published
from tests.flows.business import authorization

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
"""Seconds."""


class Server:
    """A server on this folder of data; `wait` until it answers. `state` is then what it wrote into local.json."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.state: dict[str, Any] = {}
        self._log = home.with_name(f"{home.name}-{uuid.uuid4().hex}.log")  # a pipe would fill up
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                _command("serve", home),
                cwd=ROOT,
                env={**os.environ, "PORT": "0", **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + PATIENCE
        while self.state.get("pid") != self.process.pid:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            with suppress(FileNotFoundError):
                self.state = json.loads((self.home / "local.json").read_text())
            time.sleep(0.02)
        assert self.request("GET", "/api/v1/health").ok

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what other processes do."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.said()
            time.sleep(0.02)

    def children(self) -> list[int]:
        """The processes that it has begun."""
        command = ["pgrep", "-P", str(self.process.pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def said(self) -> str:
        """Everything that it has printed so far."""
        return self._log.read_text()

    def request(self, method: str, path: str, dialect: str = "", body: object = None, **headers: str) -> Any:
        """A requests.Response; with the demo tenant's key if a dialect is given, and `headers` with _ for -."""
        sent = authorization(dialect, self.state["keys"][dialect]) if dialect else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = requests.request(method, self.state["url"] + path, json=body, headers=sent, timeout=PATIENCE)
        lowered = {name.lower(): value for name, value in sent.items()}
        published.check_http(method, path, lowered, (answer.status_code, answer.headers, answer.text))
        return answer

    def stop(self) -> str:
        """What `stop` says when it has ended whatever serves this folder."""
        done = subprocess.run(_command("stop", self.home), cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def ended(self) -> int:
        """Its exit code, when it has ended by itself."""
        return self.process.wait(PATIENCE)

    def end(self) -> int:
        """Its exit code, after `stop`."""
        if self.process.poll() is None and self.stop() != "stopped":
            self.process.kill()
        return self.ended()

    def kill(self) -> None:
        """With no chance to say goodbye."""
        self.process.kill()
        self.ended()


def _command(verb: str, home: Path) -> list[str]:
    return [sys.executable, "-m", "local", verb, "--home", str(home)]
