"""HTTP in front of a world, as `make run` starts it: waitress here, the pumps in worker.py, one folder of data."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, TextIO

from waitress.server import create_server

from leadwire import tenants
from leadwire.errors import NotFound
from leadwire.store.types import Unavailable, Unreadable

from . import demo, worker
from .clock import Clock
from .console import Console
from .gateway import LARGEST_REQUEST, Request
from .template import TemplateRefused
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".leadwire"
HOST = "127.0.0.1"
DEFAULT_PORT = 8787
LARGEST_PORT = 65_535
THREADS = 8
SWITCH_INTERVAL = 0.02
"""Seconds for which a thread keeps Python's lock when others want it. Requests give it up by themselves whenever they
reach the table; being interrupted oftener only costs (`make bench-http`: 226 creates a second at 0.5 ms, 352 at 20)."""
STOP_SECONDS = 10
LOCK_SECONDS = 1
"""How long a server waits for the folder: the worker of one that was killed ends a moment later."""


class NotStarted(Exception):
    """The server cannot start; the message says why and what to do, in one line."""


def serve(home: Path = HOME) -> None:
    """Serve until Ctrl-C or SIGTERM. Port and switches come from the environment. Raises NotStarted."""
    port = _port()
    _set_process()
    worlds: list[World] = []
    try:
        server = create_server(
            lambda environ, start: respond(worlds[0], environ, start),
            host=HOST,
            port=port,
            threads=THREADS,
            ident=None,
            max_request_body_size=2 * LARGEST_REQUEST,
        )
    except OSError as taken:
        raise NotStarted(f"port {port} is taken ({taken.strerror}): say PORT=<another> make run") from taken
    with _folder(home) as lock:
        _take(lock, home)
        worlds.append(_world(home))
        _run(worlds[0], server, home, lock.fileno())


def work(home: Path) -> Never:
    """Run the pumps of the server that has begun this process, and end with it."""
    _set_process()
    worker.work(_world(home))


def stop(home: Path = HOME) -> bool:
    """End the server that runs on this folder, and wait until it is gone. False if there is none."""
    state = _kept(home)
    pid = state.get("pid", 0)
    if not _serves(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    for _ in range(STOP_SECONDS * 20):
        if not _serves(pid):
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return True


def respond(world: World, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """One request of a WSGI server."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    body = environ["wsgi.input"].read() if "CONTENT_LENGTH" in environ else b""
    method, target, address = environ["REQUEST_METHOD"], environ["REQUEST_URI"], environ["REMOTE_ADDR"]
    response = world.handle(Request(method, target, headers, body, address))
    answered = [(name, value) for name, value in response.headers.items() if name != "content-length"]
    answered += [("set-cookie", cookie) for cookie in response.cookies]
    answered.append(("content-length", str(len(response.body))))
    start_response(f"{response.status} {_phrase(response.status)}", answered)
    return [response.body]


def _port() -> int:
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) > LARGEST_PORT:
        raise NotStarted(f"PORT={text} is no port: say a number from 0 (any that is free) to {LARGEST_PORT}")
    return int(text)


def _folder(home: Path) -> TextIO:
    """The folder's lock, not taken yet."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / "lock").open("w")
    except OSError as refused:
        raise NotStarted(f"cannot keep data in {home} ({refused.strerror}): make it a folder to write to") from refused


def _set_process() -> None:
    if os.environ.get("LEADWIRE_LOG") != "json":
        sys.stdout = Console(sys.stdout)
        os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"  # their lines are for CloudWatch
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s  %(levelname)-5.5s %(message)s", datefmt="%H:%M:%S")
    sys.setswitchinterval(SWITCH_INTERVAL)


def _run(world: World, server: Any, home: Path, lock: int) -> None:
    state = _state(world, home, f"http://{HOST}:{server.effective_port}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    pumps = worker.Worker(world, home, lock)
    pumps.start()
    print(f"{demo.summary(state)}\nData: {home}; stop with Ctrl-C or `make stop`\n")
    server.run()  # returns on KeyboardInterrupt, when requests under way are answered
    pumps.stop()
    demo.save({**state, "pid": 0}, home / "local.json")
    world.close()
    print("stopped", flush=True)


def _take(lock: TextIO, home: Path) -> None:
    """Two servers on one folder would do everything twice. The lock ends with the process, however it ends."""
    for _ in range(LOCK_SECONDS * 20):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.05)
    raise NotStarted(f"another server runs on {home}: stop it with `make stop`")


def _world(home: Path) -> World:
    overrides = {"LEADWIRE_PRIVATE_TARGETS": "true", **_scale()}
    data = home / "leadwire.db"
    try:
        return World(ROOT, data=data, clock=Clock.real(), overrides=overrides)
    except TemplateRefused as refused:
        raise NotStarted(str(refused)) from refused
    except Unreadable as other:
        raise NotStarted(f"{data} {other}: move {home} away, and `make run` begins a new one") from other
    except Unavailable as fault:
        raise NotStarted(f"{data} cannot be used ({fault})") from fault


def _scale() -> dict[str, str]:
    text = os.environ.get("SCHEDULE_SCALE") or "1"
    try:
        scale = float(text)
    except ValueError:
        scale = -1
    if not 0 <= scale < math.inf:
        raise NotStarted(f"SCHEDULE_SCALE={text} is no factor: say a number such as 0.001")
    return {"LEADWIRE_SCHEDULE_SCALE": text}


def _state(world: World, home: Path, url: str) -> dict[str, Any]:
    """What local.json holds: the demo tenant's keys, which nothing else knows, and where this process answers."""
    state = _kept(home)
    if not state or not _exists(world, state["tenant"]):
        state = demo.make(world.ports)
    state = {**state, "url": url, "pid": os.getpid()}
    demo.save(state, home / "local.json")
    return state


def _exists(world: World, slug: str) -> bool:
    try:
        tenants.by_slug(world.ports, slug)
    except NotFound:
        return False
    return True


def _kept(home: Path) -> dict[str, Any]:
    """Nothing if the file is not there or is damaged: then the demo tenant gets new keys."""
    with suppress(OSError, ValueError):
        state = json.loads((home / "local.json").read_text())
        if isinstance(state, dict) and state.keys() >= {"tenant", "keys", "list_id", "pid"}:
            return state
    return {}


def _serves(pid: int) -> bool:
    """Whether the process lives and is a server: after a restart of the machine the number may be another's."""
    if not pid:
        return False
    found = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return "-m local serve" in found.stdout


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _phrase(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Status"
