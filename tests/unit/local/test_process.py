"""What a person sees of the server: it starts, says what is wrong, stops, and starts again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Server

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(60)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    server.wait()
    yield server
    server.end()


def test_it_serves_until_it_is_stopped_and_keeps_its_keys(server: Server) -> None:
    assert (server.home / "local.json").stat().st_mode & 0o777 == 0o600
    assert set(server.state["keys"]) == {"public", "chatbot", "lists", "crm"}
    assert server.end() == 0
    assert server.stop() == "nothing was running"
    again = Server(server.home)
    again.wait()
    assert again.state["keys"] == server.state["keys"]
    assert again.end() == 0


def test_a_used_port_is_one_clear_line(server: Server, tmp_path: Path) -> None:
    port = server.state["url"].rpartition(":")[2]
    second = Server(tmp_path / "second", PORT=port)
    assert second.ended() == 1
    assert second.said() == f"port {port} is taken (Address already in use): say PORT=<another> make run\n"


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    second = Server(server.home)
    assert second.ended() == 1
    assert second.said() == f"another server runs on {server.home}: end it with `make stop`\n"
    assert server.request("GET", "/api/v1/health").ok


def test_a_killed_server_is_followed_by_one_that_goes_on(server: Server) -> None:
    server.kill()
    again = Server(server.home)
    again.wait()
    assert again.state["keys"] == server.state["keys"]
    assert again.end() == 0


def test_a_worker_that_died_is_followed_by_another(server: Server) -> None:
    (first,) = server.children()
    os.kill(first, signal.SIGKILL)
    server.until(lambda: server.children() not in ([], [first]))
    assert server.request("POST", "/api/v1/leads", "crm", {"first_name": "Ann"}).status_code == 201
    server.until(lambda: "events.relayed" in server.said())
    assert "the worker ended with -9; another one begins" in server.said()


def test_no_worker_outlives_its_server(server: Server) -> None:
    (worker,) = server.children()
    server.kill()
    server.until(lambda: not alive(worker))


def alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() not in ("", "Z")
