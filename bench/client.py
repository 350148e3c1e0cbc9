"""One client of bench-http, a process of its own on a kept connection: `bench.client PORT KEY OPERATION SEED SECONDS`.

Warms up, says `ready`, waits for a line, sends requests one after another, and prints their milliseconds as JSON.
Only the standard library, so that eight of them start at once and leave the processor to the server.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import time
from collections.abc import Iterator

WARM_UP = 50
"""Requests."""

type Request = tuple[str, str, str | None]


def requests_of(operation: str, seed: int) -> Iterator[Request]:
    """Method, path and body; creates have an e-mail and a phone that no client has used."""
    for number in itertools.count(seed * 100_000):
        lead = {
            "first_name": "Ann",
            "last_name": "Lee",
            "email": f"ann{number}@example.com",
            "phone": f"+1{2_125_000_000 + number}",
            "source": "bench",
        }
        yield {
            "create": ("POST", "/api/v1/leads", json.dumps(lead)),
            "get": ("GET", "/api/v1/leads/1", None),
            "list": ("GET", "/api/v1/leads", None),
        }[operation]


def main() -> None:
    port, key, operation, seed, seconds = sys.argv[1:]
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    requests = requests_of(operation, int(seed))
    for request in itertools.islice(requests, WARM_UP):
        send(connection, key, request)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(measure(connection, key, requests, float(seconds))))


def measure(
    connection: http.client.HTTPConnection, key: str, requests: Iterator[Request], seconds: float
) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        send(connection, key, next(requests))
        times.append((time.perf_counter() - start) * 1000)
    return times


def send(connection: http.client.HTTPConnection, key: str, request: Request) -> None:
    method, path, body = request
    connection.request(method, path, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status not in (200, 201):
        raise SystemExit(f"the server answered {answer.status}: {content.decode()}")


if __name__ == "__main__":
    main()
