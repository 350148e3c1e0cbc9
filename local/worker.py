"""The process that runs the pumps of `make run`. In the server's own, requests and pumps would wait for one lock.

    server ──── a line for each commit, or the name of a queue ───▶ worker: World.start
       └── end of file, however the server ended ─────────────────▶ the worker ends too

What a line says is only a hint to look: whoever misses one looks a second later. The worker holds the folder's lock as
long as it lives, so that the next server cannot begin beside it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Never

from .pumps import PATIENCE
from .world import World

GATHER = 0.005
"""Seconds for which lines gather, so that a crowd of commits wakes the pumps once."""
PAUSE = 1.0
"""Seconds before a worker that died is followed by another."""
LONGEST_READ = 65_536
COMMIT, STOP = "", "stop"

_log = logging.getLogger("leadwire.local")


class Worker:
    """The worker as the server sees it. `lock` is the descriptor of the folder's lock."""

    def __init__(self, world: World, home: Path, lock: int) -> None:
        self._home = home
        self._lock = lock
        self._stopping = threading.Event()
        self._process = self._begin()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        world.database.after_commit.append(partial(self._say, COMMIT))
        for queue in world.queues.names:
            world.queues.wake[queue] = partial(self._say, queue)

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        """Let it finish what it is at, for PATIENCE seconds at most; what is cut off then is taken up again."""
        self._stopping.set()
        self._say(STOP)
        try:
            self._process.wait(PATIENCE + PAUSE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._keeper.join()

    def _begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--home", str(self._home), "work"],
            stdin=subprocess.PIPE,
            pass_fds=(self._lock,),
            process_group=0,  # Ctrl-C is for the server, which says when
        )
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)
        return process

    def _keep(self) -> None:
        """Follow a worker that has died by another: its queues wait meanwhile, as they do on AWS."""
        while True:
            code = self._process.wait()
            if self._stopping.wait(PAUSE):
                return
            _log.error("the worker ended with %s; another one begins", code)
            self._process = self._begin()
            if self._stopping.is_set():  # too late for `stop` to tell this one
                self._say(STOP)

    def _say(self, what: str) -> None:
        pipe = self._process.stdin
        if pipe:
            with suppress(OSError):  # it is full, and the worker about to look; or the worker is gone
                os.write(pipe.fileno(), f"{what}\n".encode())


def work(world: World) -> Never:
    """Run the pumps until the server says so, or is gone."""
    world.start()
    wakes = list(world.database.after_commit)
    while said := os.read(sys.stdin.fileno(), LONGEST_READ):
        lines = set(said.decode().splitlines())
        if STOP in lines:
            break
        _wake(world, lines, wakes)
        time.sleep(GATHER)
    if said and world.stop():
        world.close()
    os._exit(0)  # without the server at once, like it; or a delivery still waits for its receiver


def _wake(world: World, lines: set[str], wakes: list[Callable[[], None]]) -> None:
    for line in lines:
        if line == COMMIT:
            for wake in wakes:
                wake()
        else:
            world.queues.notify(line)
