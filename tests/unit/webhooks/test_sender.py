from __future__ import annotations

import gzip
import http.server
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadwire.webhooks import guard, sender
from leadwire.webhooks.model import Outcome


def post(url: str, timeout: float = 5.0, **headers: str) -> Outcome:
    return sender.send(url, headers, b'{"a":1}', timeout=timeout, private=True)


def test_the_body_and_the_headers_arrive_as_given(receiver: Any) -> None:
    outcome = post(receiver.url, **{"x-event-type": "LEAD_CREATED"})
    [(headers, body)] = receiver.received
    assert (outcome.kind, outcome.status, outcome.delivered, outcome.error) == ("answered", 204, True, "")
    assert body == '{"a":1}'
    assert headers["x-event-type"] == "LEAD_CREATED"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Leadwire/")
    assert headers["connection"] == "close"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_never_followed(status: int, receiver: Any) -> None:
    receiver.answer = (status, {"location": receiver.url}, b"")
    outcome = post(receiver.url)
    assert (outcome.status, outcome.delivered, len(receiver.received)) == (status, False, 1)


def test_an_answer_is_told_with_what_steers_us(receiver: Any) -> None:
    receiver.answer = (503, {"retry-after": "120", "webhook-delivery": " Abort-Message "}, b"down")
    outcome = post(receiver.url)
    assert (outcome.status, outcome.retry_after, outcome.directive) == (503, "120", "abort-message")
    assert (outcome.body, outcome.error) == ("down", "the answer was HTTP 503")


def test_only_the_first_20_kb_of_an_answer_are_kept(receiver: Any) -> None:
    receiver.answer = (200, {}, b"x" * 60_000)
    assert len(post(receiver.url).body) == 20_000


def test_an_endless_answer_is_cut_off(receiver: Any) -> None:
    written = []

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not receiver.ended.is_set():
            written.append(request.wfile.write(b"x" * 8192))

    receiver.behave = endless
    outcome = post(receiver.url)
    assert (outcome.kind, outcome.status, len(outcome.body)) == ("answered", 200, 20_000)


def test_a_small_answer_that_unpacks_to_gigabytes_is_cut_off(receiver: Any) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 50_000_000, 9), 9)
    receiver.answer = (200, {"content-encoding": "gzip, gzip"}, bomb)
    outcome = post(receiver.url)
    assert (outcome.status, len(outcome.body)) == (200, 20_000)


BOMB = gzip.compress(gzip.compress(bytes(50_000_000), 9), 9)
HEADERS = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 60_000) for number in range(99))
HUGE = {
    "a body without end": b"\r\n",
    "a hundred headers of 60 KB": HEADERS + b"\r\n",
    "a line without end": b"X: ",
    "a chunk of negative size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk of a terabyte": b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
    "a size of a chunk without end": b"Transfer-Encoding: chunked\r\n\r\n0",
    "a zipped zip of 50 MB": b"Content-Encoding: gzip, gzip\r\n\r\n" + BOMB,
}


@pytest.mark.parametrize("head", HUGE.values(), ids=HUGE)
def test_no_answer_costs_more_memory_than_what_is_read_of_it(head: bytes, receiver: Any) -> None:
    block = b"x" * 65_536

    def flood(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        request.wfile.write(head)
        for _ in range(500):  # 32 MB
            request.wfile.write(block)

    receiver.behave = flood
    tracemalloc.start()
    try:
        post(receiver.url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_headers_that_are_none_are_not_quoted_in_the_log(receiver: Any, caplog: pytest.LogCaptureFixture) -> None:
    receiver.behave = lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\necho zoe@example.org\r\n\r\n")
    with caplog.at_level("DEBUG"):
        assert post(receiver.url + "?token=hush").delivered
    assert caplog.text == ""


def test_an_answer_that_cannot_be_unpacked_still_counts_by_its_status(receiver: Any) -> None:
    receiver.answer = (200, {"content-encoding": "gzip"}, b"this is no gzip")
    assert post(receiver.url).delivered


def test_a_body_that_breaks_off_still_counts_by_its_status(receiver: Any) -> None:
    receiver.behave = lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    outcome = post(receiver.url)
    assert outcome.delivered


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b"HTTP/1.1 200 OK\r\n\r\nx"],
    ids=["nothing", "half the headers", "half the body", "a body without end"],
)
def test_a_server_that_stalls_is_a_timeout_wherever_it_stops(beginning: bytes, receiver: Any) -> None:
    def stall(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(beginning)
        request.wfile.flush()
        receiver.ended.wait(10)

    receiver.behave = stall
    outcome = post(receiver.url, timeout=0.3)
    assert (outcome.kind, outcome.delivered) == ("timeout", False)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["headers", "body"])
def test_a_server_that_drips_byte_by_byte_cannot_outlast_the_deadline(head: bytes, receiver: Any) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        while not receiver.ended.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    receiver.behave = drip
    assert post(receiver.url, timeout=0.4).kind == "timeout"


def test_a_server_that_says_continue_for_ever_cannot_outlast_the_deadline(receiver: Any) -> None:
    def never(request: BaseHTTPRequestHandler) -> None:
        while not receiver.ended.wait(0.02):
            request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    receiver.behave = never
    assert post(receiver.url, timeout=0.4).kind == "timeout"


def test_a_server_that_says_continue_as_fast_as_it_can_is_hung_up_on(receiver: Any) -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        while not receiver.ended.is_set():
            request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    receiver.behave = flood
    assert post(receiver.url, timeout=30).kind == "unreachable"


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"],
    ids=["hangs up", "no HTTP", "no status", "two hundred headers"],
)
def test_an_answer_that_is_no_http_is_data_not_an_error(answer: bytes, receiver: Any) -> None:
    receiver.behave = lambda request: request.wfile.write(answer)
    outcome = post(receiver.url)
    assert (outcome.kind, outcome.delivered) == ("unreachable", False)
    assert outcome.error == "the connection failed or broke off"


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").kind == "unreachable"


def test_a_name_server_that_does_not_answer_is_a_timeout_while_it_still_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, gave_up = threading.Event(), threading.Event()

    def hang(*_args: Any, **_kwargs: Any) -> Any:
        answers.wait(30)
        gave_up.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    outcome = post("http://slow.example/", timeout=0.3)
    assert (outcome.kind, gave_up.is_set()) == ("timeout", False)
    answers.set()


def test_lookups_that_hang_are_so_many_at_most_and_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, asked = threading.Event(), list[str]()

    def hang(host: str, *_args: Any, **_kwargs: Any) -> Any:
        asked.append(host)
        answers.wait(30)
        raise socket.gaierror

    monkeypatch.setattr(guard, "_lookups", threading.BoundedSemaphore(2))
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    outcomes = [post(f"http://slow{number}.example/", timeout=0.1) for number in range(4)]
    answers.set()
    assert {outcome.kind for outcome in outcomes} == {"timeout"}
    assert asked == ["slow0.example", "slow1.example"]


def test_no_proxy_of_the_environment_is_used(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url).delivered


def test_a_loopback_address_is_refused_unless_private_targets_are_on(receiver: Any) -> None:
    outcome = sender.send(receiver.url, {}, b"{}", timeout=1, private=False)
    assert (outcome.kind, receiver.received) == ("refused", [])


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with secure_server(tmp_path) as (port, _certificate):
        outcome = post(f"https://localhost:{port}/")
    assert (outcome.kind, "certificate" in outcome.error) == ("unreachable", True)


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure_server(tmp_path) as (port, certificate):
        monkeypatch.setattr(sender, "_tls", lambda: ssl.create_default_context(cafile=certificate))
        outcome = post(f"https://127.0.0.1:{port}/")
    assert (outcome.kind, "certificate" in outcome.error) == ("unreachable", True)


def test_https_delivers_where_the_certificate_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secure_server(tmp_path) as (port, certificate):
        monkeypatch.setattr(sender, "_tls", lambda: ssl.create_default_context(cafile=certificate))
        assert post(f"https://localhost:{port}/").delivered


def test_a_server_that_does_not_read_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = sender.send(url, {}, bytes(20_000_000), timeout=0.3, private=True)
    assert outcome.kind == "timeout"


def test_a_connection_has_three_seconds_and_never_more_than_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[float]()

    def connect(*_target: Any, patience: float, **_: Any) -> socket.socket:
        asked.append(patience)
        raise ConnectionRefusedError

    monkeypatch.setattr(guard, "connect", connect)
    for timeout in (30, 2):
        post("http://example.com/", timeout=timeout)
    long, short = asked
    assert (long, short <= 2) == (3, True)


def test_a_tls_handshake_that_never_ends_is_a_timeout(receiver: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = post(f"https://127.0.0.1:{server.getsockname()[1]}/", timeout=0.3)
    assert outcome.kind == "timeout"


@contextmanager
def secure_server(folder: Path) -> Iterator[tuple[int, str]]:
    """An HTTPS server for `localhost` with a certificate of its own making; the path of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are the point
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield server.server_port, str(pem)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
