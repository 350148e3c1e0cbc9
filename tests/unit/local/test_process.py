"""What a person sees of the server: it starts, says what is wrong, stops, and starts again."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from leadwire.store.rows import FORMAT
from local.server import stop
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
    assert f"{server.state['url']}/docs\n" in server.said()
    assert server.request("GET", "/docs").ok
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


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PORT": "http"}, "PORT=http is no port"),
        ({"PORT": "65536"}, "PORT=65536 is no port"),
        ({"SCHEDULE_SCALE": "fast"}, "SCHEDULE_SCALE=fast is no factor"),
        ({"SCHEDULE_SCALE": "nan"}, "SCHEDULE_SCALE=nan is no factor"),
    ],
)
def test_a_wrong_switch_is_one_clear_line(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    refused = Server(tmp_path / "home", **variables)
    assert refused.ended() == 1
    assert refused.said().startswith(says)
    assert refused.said().count("\n") == 1


def test_a_folder_that_cannot_hold_data_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    refused = Server(tmp_path / "home")
    assert refused.ended() == 1
    assert refused.said() == f"cannot keep data in {tmp_path / 'home'} (File exists): make it a folder to write to\n"


def test_data_of_another_version_are_left_alone_and_the_way_out_is_told(server: Server) -> None:
    assert server.end() == 0
    with closing(sqlite3.connect(server.home / "leadwire.db")) as file:
        file.execute("PRAGMA user_version = 0")
    again = Server(server.home)
    assert again.ended() == 1
    assert again.said() == (
        f"{server.home / 'leadwire.db'} was made by another version of Leadwire (format 0, not {FORMAT}):"
        f" move {server.home} away, and `make run` begins a new one\n"
    )


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "leadwire.db").write_text("leads, " * 100)
    refused = Server(tmp_path / "home")
    assert refused.ended() == 1
    assert f"{tmp_path / 'home' / 'leadwire.db'} is no database" in refused.said()
    assert refused.said().count("\n") == 1


@pytest.mark.parametrize("damaged", ["", "null", '{"tenant": "demo"}'])
def test_where_the_notes_are_damaged_nothing_runs(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "local.json").write_text(damaged)
    assert not stop(tmp_path)


def test_damaged_notes_of_the_keys_are_followed_by_new_keys(server: Server) -> None:
    assert server.end() == 0
    (server.home / "local.json").write_text('{"tenant": "demo"}')
    again = Server(server.home)
    again.wait()
    assert again.request("GET", "/api/v1/leads", "crm").ok
    assert again.end() == 0


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    second = Server(server.home)
    assert second.ended() == 1
    assert second.said() == f"another server runs on {server.home}: stop it with `make stop`\n"
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
