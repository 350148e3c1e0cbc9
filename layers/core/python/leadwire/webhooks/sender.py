"""The way out to customers' servers: one POST to an address that is allowed, and what came of it, whatever it is.

Every attempt has a connection of its own: the address is checked for each (guard.py), and a stale connection can never
turn one attempt into two requests. Nothing of the environment (proxies, netrc, CA bundles) and no cookie gets in.
"""

from __future__ import annotations

import functools
import http.client
import ssl
import time
from collections.abc import Mapping
from typing import Any

from urllib3.util import parse_url

from leadwire import VERSION

from . import guard, wire
from .model import Outcome
from .wire import Answer, Deadline

CONNECT = 3.0
KEPT = 20_000
OURS = {"Content-Type": "application/json", "User-Agent": f"Leadwire/{VERSION}", "Connection": "close"}


def send(url: str, headers: Mapping[str, str], body: bytes, *, timeout: float, private: bool) -> Outcome:
    """POST the body; redirects are failures. `timeout` is seconds for the whole exchange."""
    started = time.monotonic()
    deadline = Deadline(timeout)
    wrong = guard.problem(url, private=private)
    told: dict[str, Any]
    try:
        if wrong is not None:
            told = {"kind": "refused", "error": wrong if wrong == guard.REFUSAL else f"the URL {wrong}"}
        else:
            dial = functools.partial(_dial, private=private)
            told = _answered(wire.post(parse_url(url), {**OURS, **headers}, body, deadline, dial))
    except guard.Refused:
        told = {"kind": "refused", "error": guard.REFUSAL}
    except TimeoutError:
        late = f"no complete answer within {timeout:g} seconds" if deadline.over else "the connection timed out"
        told = {"kind": "timeout", "error": late}
    except ssl.SSLError:
        error = "the TLS handshake failed; is the certificate valid for this host?"
        told = {"kind": "unreachable", "error": error}
    except (OSError, http.client.HTTPException):
        told = {"kind": "unreachable", "error": "the connection failed or broke off"}
    return Outcome(ms=round((time.monotonic() - started) * 1000), **told)


def _dial(host: str, port: int, left: float, *, private: bool) -> Any:
    return guard.connect(host, port, private=private, patience=min(CONNECT, left))


def _answered(answer: Answer) -> dict[str, Any]:
    status = answer.status
    return {
        "kind": "answered",
        "status": status,
        "body": answer.body[:KEPT].decode(errors="replace"),
        "retry_after": answer.headers.get("retry-after", "")[:100],
        "directive": answer.headers.get("webhook-delivery", "").strip().lower(),
        "error": "" if 200 <= status < 300 else f"the answer was HTTP {status}",  # noqa: PLR2004  # RFC 9110, 15.3
    }
