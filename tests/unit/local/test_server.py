"""The WSGI side of the server, and its threads, without a socket; the real process is started in test_process.py."""

import io
import json
import threading
from pathlib import Path

from leadwire.store.types import Key, Put
from local.clock import Clock
from local.server import respond
from local.world import World


def request(world: World, method: str, target: str, body: bytes = b"", **environ: str) -> tuple[str, dict, bytes]:
    answered: list = []
    full = {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.input": io.BytesIO(body),
        **({"CONTENT_LENGTH": str(len(body))} if body else {}),
        **environ,
    }
    content = b"".join(respond(world, full, lambda status, headers: answered.extend([status, headers])))
    return answered[0], dict(answered[1]), content


def test_a_wsgi_request_reaches_the_function_as_an_event(world: World) -> None:
    status, headers, body = request(
        world, "POST", "/things?a=%20b", b'{"a":1}', CONTENT_TYPE="text/plain", HTTP_X_API_KEY="k1", HTTP_HOST="h:1"
    )
    event = json.loads(body)
    assert (status, headers["content-length"]) == ("200 OK", str(len(body)))
    assert event["body"] == '{"a":1}'
    assert event["rawQueryString"] == "a=%20b"
    assert event["headers"]["x-api-key"] == "k1"
    assert event["headers"]["content-length"] == "7"
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.1"


def test_cookies_and_odd_status_codes_are_handed_on(world: World) -> None:
    order = {"answer": {"statusCode": 299, "cookies": ["a=1"], "headers": {"X-A": "b"}}}
    status, headers, _ = request(world, "POST", "/things", json.dumps(order).encode(), CONTENT_TYPE="application/json")
    assert status == "299 Status"
    assert (headers["set-cookie"], headers["x-a"]) == ("a=1", "b")


def test_the_threads_carry_an_event_to_its_worker(root: Path, tmp_path: Path) -> None:
    world = World(root, data=tmp_path / "w.db", clock=Clock.real())
    arrived = threading.Event()

    def look() -> None:
        if world.engine.get(Key("WORK", "EVT#1"), consistent=True)[0]:
            arrived.set()

    world.start()
    world.database.after_commit.append(look)
    world.engine.write(Put({"pk": "P", "sk": "EVT#1"}))
    reached = arrived.wait(20)
    world.stop()
    world.close()
    assert reached


def test_stopped_threads_leave_nothing_running(root: Path, tmp_path: Path) -> None:
    before = threading.active_count()
    world = World(root, data=tmp_path / "w.db", clock=Clock.real())
    world.start()
    assert threading.active_count() > before
    world.stop()
    world.close()
    assert threading.active_count() == before
