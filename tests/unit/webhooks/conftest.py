"""A receiver of webhooks on the loopback: a real server whose answers a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

type Behave = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """What arrived, and how to answer: `answers` in turn, then `answer` for ever."""

    url: str = ""
    answer: tuple[int, dict[str, str], bytes] = (204, {}, b"")
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    behave: Behave | None = None
    """Takes the place of the answers; it may do what no good server does."""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over: a server that stalls may wait for it."""

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0))).decode()
        self.received.append(({name.lower(): value for name, value in request.headers.items()}, body))
        if self.behave is not None:
            self.behave(request)
            return
        status, headers, content = self.answers.pop(0) if self.answers else self.answer
        request.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    hook = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                hook.serve(self)
            except OSError:
                self.close_connection = True  # the sender hung up, as it should

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        hook.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
