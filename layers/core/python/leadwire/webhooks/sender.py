"""The only way out to customers' servers: one POST, no redirects, no proxies, bounded in time and in size.

Requests' adapter is used without its Session, so nothing of the environment (proxies, netrc, CA bundles) and no cookie
gets in. Every attempt has a connection of its own: the address is checked for each (guard.py), and a stale connection
can never turn one attempt into two requests.
"""

from __future__ import annotations

import functools
import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from leadwire import VERSION

from . import guard
from .deadline import Deadline
from .model import Outcome

CONNECT = 3.0
READ = 64 * 1024
"""Bytes of an answer's body that are read at most, counted after decompression."""
WIRE = 2 * READ
"""Bytes of an answer that are taken from its connection at most: headers, chunk sizes and all."""
KEPT = 20_000
CHUNK = 8 * 1024
OURS = {"Content-Type": "application/json", "User-Agent": f"Leadwire/{VERSION}", "Connection": "close"}

type Dial = Callable[[str, int], socket.socket]


def send(url: str, headers: Mapping[str, str], body: bytes, *, timeout: float, private: bool) -> Outcome:
    """POST the body and say what came of it, whatever it is. `timeout` is seconds for the whole exchange."""
    started = time.monotonic()
    _hush()
    with Deadline(timeout) as deadline:
        try:
            answer = _exchange(url, headers, body, deadline, private=private)
        except guard.Refused:
            answer = {"kind": "refused", "error": guard.REFUSAL}
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            answer = _unreachable(error)
    if deadline.expired or time.monotonic() >= deadline.ends:  # a socket's own timeout may be a moment earlier
        answer = {"kind": "timeout", "error": f"no complete answer within {timeout:g} seconds"}
    return Outcome(ms=round((time.monotonic() - started) * 1000), **answer)


class _Bounded(io.RawIOBase):
    """A stream that ends after WIRE bytes."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw, self._left = raw, WIRE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if not self._left:
            return 0
        count = self._raw.readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """What `http.client` reads by itself has no bound: a hundred headers of 64 KiB each, and of a chunk with a negative
    size all that comes.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach()))


class _Plain(HTTPConnection):
    response_class = _Answer

    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class _Secure(HTTPSConnection):
    response_class = _Answer

    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class _Adapter(HTTPAdapter):
    """Requests' own adapter, whose connections are dialled by us and share one TLS context."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        super().__init__(pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        secure = isinstance(pool, urllib3.HTTPSConnectionPool)
        if secure:
            pool.conn_kw["ssl_context"] = _tls()
        pool.ConnectionCls = functools.partial(_Secure if secure else _Plain, dial=self._dial)
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The TLS context verifies; the original would load the CA bundle again for every connection."""


@functools.cache
def _hush() -> None:
    """urllib3 warns of headers that it cannot parse, and quotes them and the URL: a customer's data, and a token."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def _exchange(
    url: str, headers: Mapping[str, str], body: bytes, deadline: Deadline, *, private: bool
) -> dict[str, Any]:
    wrong = guard.problem(url, private=private)
    if wrong is not None:
        return {"kind": "refused", "error": wrong if wrong == guard.REFUSAL else f"the URL {wrong}"}

    def dial(host: str, port: int) -> socket.socket:
        patience = min(CONNECT, deadline.left())
        return guard.connect(host, port, private=private, patience=patience, watch=deadline.watch)

    adapter = _Adapter(dial)
    try:
        request = requests.Request("POST", url, headers={**OURS, **headers}, data=body).prepare()
        response = adapter.send(request, stream=True, timeout=(CONNECT, max(deadline.left(), 0.001)), proxies={})
        return _answer(response, _read(response.raw))
    finally:
        adapter.close()


def _answer(response: requests.Response, body: bytes) -> dict[str, Any]:
    status = response.status_code
    return {
        "kind": "answered",
        "status": status,
        "body": body[:KEPT].decode(errors="replace"),
        "retry_after": response.headers.get("retry-after", "")[:100],
        "directive": response.headers.get("webhook-delivery", "").strip().lower(),
        "error": "" if 200 <= status < 300 else f"the answer was HTTP {status}",  # noqa: PLR2004  # RFC 9110, 15.3
    }


def _read(raw: urllib3.BaseHTTPResponse) -> bytes:
    """The first bytes of the body. One that breaks off or cannot be decompressed does not undo the status before it."""
    body = b""
    try:
        while len(body) < READ and (chunk := raw.read(min(CHUNK, READ - len(body)), decode_content=True)):
            body += chunk
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
        return body
    finally:
        raw.close()
    return body


def _unreachable(error: Exception) -> dict[str, Any]:
    if isinstance(error, requests.Timeout | TimeoutError) or _caused_by(error, TimeoutError):
        return {"kind": "timeout", "error": "the connection timed out"}
    if _caused_by(error, ssl.SSLError):
        return {"kind": "unreachable", "error": "the TLS handshake failed; is the certificate valid for this host?"}
    return {"kind": "unreachable", "error": "the connection failed or broke off"}


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Requests and urllib3 wrap causes in arguments as well as in contexts."""
    if error is None or isinstance(error, kind):
        return error is not None
    inner = [one for one in error.args if isinstance(one, BaseException)]
    reason = getattr(error, "reason", None)
    return any(_caused_by(one, kind) for one in (*inner, reason if isinstance(reason, BaseException) else None))
