"""`python -m local serve` and `stop` as a person runs them: a real process, a real port on loopback."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(60)]


def command(verb: str, home: Path) -> list[str]:
    return [sys.executable, "-m", "local", verb, "--home", str(home)]


class Server:
    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            command("serve", home),
            cwd=REPOSITORY,
            env={**os.environ, "PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.state: dict = {}

    def wait(self) -> None:
        """Until it has said where its data lives, which is the last thing that it says before it serves."""
        assert self.process.stdout
        while "Data:" not in (line := self.process.stdout.readline()):
            assert line, "the server has ended"
        self.state = json.loads((self.home / "local.json").read_text())

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection(self.state["url"].removeprefix("http://"), timeout=20)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def stop(self) -> str:
        done = subprocess.run(command("stop", self.home), cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def end(self) -> int:
        """Its exit code."""
        if self.process.poll() is None and self.stop() != "stopped":
            self.process.kill()
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    server.wait()
    yield server
    server.end()


def test_it_serves_until_it_is_stopped_and_keeps_its_keys(server: Server) -> None:
    assert server.get("/api/v1/health") == 200
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
    out, _ = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert out == f"port {port} is taken (Address already in use): say PORT=<another> make run\n"


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    second = Server(server.home)
    out, _ = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert out == f"another server runs on {server.home}: end it with `make stop`\n"
    assert server.get("/api/v1/health") == 200


def test_a_killed_server_is_followed_by_one_that_goes_on(server: Server) -> None:
    server.process.kill()
    server.process.communicate(timeout=20)
    again = Server(server.home)
    again.wait()
    assert again.get("/api/v1/health") == 200
    assert again.state["keys"] == server.state["keys"]
    assert again.end() == 0
