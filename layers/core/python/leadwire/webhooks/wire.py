"""One HTTP exchange over one connection of its own, bounded in time and in size. The only socket of the product.

The standard library's HTTP, over a socket that gives every read and write no more than the time that is left: timeouts
of sockets count from the last byte, so a receiver that drips a byte now and then would otherwise hold us for ever.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import certifi
from urllib3.util import Url

READ = 64 * 1024
"""Bytes of an answer that are read at most, counted before and after decompression."""
CHUNK = 8 * 1024
LAYERS = 2
"""Of compression that are taken off an answer; one with more is kept as it came."""
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

type Dial = Callable[[str, int, float], socket.socket]
"""Host, port, and the seconds that are left; raises OSError."""


class Deadline:
    """The end of an exchange."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than 0. Raises TimeoutError."""
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    @property
    def over(self) -> bool:
        return self._ends <= time.monotonic()


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name; `body` is the first READ bytes, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: Url, headers: Mapping[str, str], body: bytes, deadline: Deadline, dial: Dial) -> Answer:
    """POST and read the answer; redirects are answers. Raises OSError (TimeoutError, ssl.SSLError), HTTPException."""
    secure = url.scheme == "https"
    host, port = (url.host or "").strip("[]"), url.port or (443 if secure else 80)
    raw = dial(host, port, deadline.left())
    try:
        if secure:
            raw.settimeout(deadline.left())
            raw = _tls().wrap_socket(raw, server_hostname=host.rstrip("."))
        line = _Line(host, port, secure=secure)
        line.sock = _Timed(raw, deadline)
        line.request("POST", url.request_uri, body, dict(headers))
        response = line.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, answered, _read(response, answered.get("content-encoding", "")))
    finally:
        raw.close()


class _Line(http.client.HTTPConnection):
    """On a socket that is given, never reconnecting."""

    auto_open = 0

    def __init__(self, host: str, port: int, *, secure: bool) -> None:
        self.default_port = 443 if secure else 80  # decides what Host says
        super().__init__(host, port)
        self.sock: Any = None


class _Timed(io.RawIOBase):
    """As much of a socket as `http.client` uses. Whoever opened the socket closes it."""

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(self._deadline.left())
        self._raw.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, CHUNK)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._raw.settimeout(self._deadline.left())
        return self._raw.recv_into(buffer)

    def close(self) -> None:
        """The response that is still read holds on to it."""


def _read(response: http.client.HTTPResponse, encoding: str) -> bytes:
    """The first bytes of the body. One that breaks off or cannot be decompressed does not undo the status before it."""
    layers = [_decompressor(word) for word in reversed(_words(encoding))]
    body, raw = b"", 0
    try:
        while len(body) < READ and raw < READ and (chunk := response.read1(min(CHUNK, READ - raw))):
            raw += len(chunk)
            for layer in layers:
                chunk = layer.decompress(chunk, READ)
            body += chunk
            if any(layer.unconsumed_tail for layer in layers):
                break
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, zlib.error):
        return body[:READ]
    return body[:READ]


def _words(encoding: str) -> Sequence[str]:
    words = [word.strip().lower() for word in encoding.split(",")]
    known = [word for word in words if word in ("gzip", "x-gzip", "deflate")]
    return known if len(known) <= LAYERS else ()


def _decompressor(_word: str) -> Any:
    return zlib.decompressobj(GZIP_OR_ZLIB)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
