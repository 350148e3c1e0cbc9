"""The JSON lines of the functions as lines that a person can read; metrics are left out."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from typing import Any, TextIO

DULL = frozenset(
    ["level", "location", "message", "timestamp", "service", "xray_trace_id", "request_id", "exception_name"]
)
"""Fields that every line has, or that say nothing at a terminal."""
GREEN, YELLOW, RED, GREY, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[90m", "\x1b[0m"


class Console(io.TextIOBase):
    """A text stream before another one. Each thread's text is kept until its line is whole."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty()
        self._rest = threading.local()

    def write(self, text: str) -> int:
        whole, newline, rest = (getattr(self._rest, "text", "") + text).rpartition("\n")
        self._rest.text = rest
        if newline:
            lines = [readable(line) for line in whole.split("\n")]
            self._out.write("".join(f"{self._painted(line)}\n" for line in lines if line is not None))
            self._out.flush()
        return len(text)

    def flush(self) -> None:
        self._out.flush()

    def isatty(self) -> bool:
        return self._colours

    def _painted(self, line: str) -> str:
        if not self._colours or len(line) < len("00:00:00  200") or line[2:3] != ":":
            return line
        colour = {"2": GREEN, "4": YELLOW, "5": RED, "E": RED, "W": YELLOW}.get(line[10], "")
        return f"{GREY}{line[:8]}{PLAIN}  {colour}{line[10:15]}{PLAIN}{line[15:]}"


def readable(line: str) -> str | None:
    """The line for a person; None for a line of metrics; what is not JSON stays as it is."""
    if not line.startswith("{"):
        return line
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if "_aws" in record:
        return None
    time = str(record.get("timestamp", ""))[11:19]
    if record.get("message") == "request":
        return f"{time}  {_request(record)}"
    level = "" if record.get("level") == "INFO" else str(record.get("level", ""))
    message = f"{record.get('message', '')}"
    facts = " ".join(f"{name}={_short(value)}" for name, value in record.items() if _interesting(name, value))
    return f"{time}  {level:5} {message:24} {facts}".rstrip()


def _request(record: Mapping[str, Any]) -> str:
    cost = f"{record.get('wru', 0):g} wru {record.get('rru', 0):g} rru"
    error = record.get("error") or ("replayed" if record.get("replayed") else "")
    route, dialect = record.get("route", ""), record.get("dialect", "")
    return f"{record.get('status')!s:5} {route:40} {dialect:8} {cost:16} {error}".rstrip()


def _interesting(name: str, value: object) -> bool:
    return name not in DULL and value not in (None, "", [], {})


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
