"""Golden files: what goes in, what comes out, for people to review. Their language is at the top of README.md here."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.factories import Answer

HERE = Path(__file__).parent
PLACEHOLDER = re.compile(r"\{(\w+)(?::(\w+))?\}")
KINDS = {
    "number": r"[1-9][0-9]*",
    "count": r"[0-9]+",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "lead_id": r"lead_[0-9a-f]{16}",
    "chatbot_id": r"cb_[0-9a-f]{16}",
    "workspace_id": r"ws_[0-9a-f]{16}",
    "company_id": r"[0-9a-f]{16}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "time_ms": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "time_offset": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00",
    "secret": r"whsec_[A-Za-z0-9+/]{43}=",
    "x": r'"?x+',
    "time_offset_ms": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00",
    "cursor": r"[A-Za-z0-9_-]{10,200}",
    "unix_time": r"\d{10}",
    "request_id": r"\S{8,64}",
    "seconds": r"[0-9]+",
    "submission_id": r"sub_[0-9a-z]{26}",
    "key_id": r"key_[0-9a-z]{26}",
    "token": r"lh_[0-9A-Za-z]{33}",
    "hex": r"[0-9a-f]{32}",
    "hex6": r"[0-9a-f]{6}",
    "ulid": r"[0-9A-HJKMNP-TV-Z]{26}",
    "hint": r"••••[0-9A-Za-z]{4}",
    "actor": r"api_key:key_[0-9a-z]{26}",
    "inbound_url": r"/hooks/acme/[0-9]+/[\w-]{32}",
    "url": r"https?://\S+",
    "version": r"\d+\.\d+\.\d+\S*",
}

type Send = Callable[[str, str, str, str | None, Mapping[str, str]], Answer]
"""method, path, token, body, headers (lower case)"""


@dataclass(slots=True)
class Run:
    """One file on its way: the values that its placeholders have met so far, by kind and name."""

    tokens: Mapping[str, str]
    send: Send
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)

    def step(self, step: Mapping[str, Any]) -> Answer:
        """Send the step's request, as often as it says, and compare each answer."""
        *_, last = [self._once(step) for _ in range(step.get("times", 1))]
        return last

    def _once(self, step: Mapping[str, Any]) -> Answer:
        method, _, path = self.filled(step["request"]).partition(" ")
        answer = self.send(method, path, self.token(step), self.body(step), self.headers(step))
        _same(step, "status", step["status"], answer.status, answer.text)
        for name, expected in step.get("headers", {}).items():
            actual = answer.headers.get(name.lower())
            _same(step, name, self.met(expected, actual), actual)
        if "answer" in step:
            _same(step, "answer", self.met(step["answer"], answer.body), answer.body)
        return answer

    def token(self, step: Mapping[str, Any]) -> str:
        name = step.get("key", "none")
        return "" if name == "none" else self.tokens[name]

    def body(self, step: Mapping[str, Any]) -> str | None:
        if "bytes" in step:
            return "x" * int(step["bytes"])
        if "text" in step:
            return str(step["text"])
        return json.dumps(self.filled(step["body"]), ensure_ascii=False) if "body" in step else None

    @staticmethod
    def headers(step: Mapping[str, Any]) -> dict[str, str]:
        """Bodies are JSON unless the step says otherwise."""
        return {"content-type": "application/json", **{k.lower(): v for k, v in step.get("sends", {}).items()}}

    def filled(self, value: Any) -> Any:
        """A request's value, with what named placeholders have met before."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(self._value, value)
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value

    def _value(self, match: re.Match[str]) -> str:
        return repeated(match) or (str(self.seen[match[1], match[2]]) if match[2] else match[0])

    def met(self, expected: Any, actual: Any) -> Any:
        """What is expected, with the actual value in place of each placeholder that it fits."""
        if isinstance(expected, dict) and isinstance(actual, dict):
            return {name: self.met(inner, actual.get(name)) for name, inner in expected.items()}
        if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
            return [self.met(*pair) for pair in zip(expected, actual, strict=True)]
        match = PLACEHOLDER.fullmatch(expected) if isinstance(expected, str) else None
        if match is None:
            return actual if _fits(expected, actual) else expected
        if not re.fullmatch(KINDS[match[1]], str(actual)):
            return expected
        return self.seen.setdefault((match[1], match[2]), actual) if match[2] else actual


def repeated(match: re.Match[str]) -> str:
    """`{x:300}` in a request is so many x."""
    return "x" * int(match[2]) if match[1] == "x" else ""


def _fits(expected: Any, actual: Any) -> bool:
    """Whether a text with unnamed placeholders inside of it is met."""
    if not isinstance(expected, str) or not isinstance(actual, str):
        return False
    pattern = PLACEHOLDER.sub(lambda match: "\0" if match[1] in KINDS and not match[2] else match[0], expected)
    kinds = [KINDS[match[1]] for match in PLACEHOLDER.finditer(expected) if match[1] in KINDS and not match[2]]
    head, *tails = map(re.escape, pattern.split("\0"))
    return re.fullmatch(head + "".join(f"(?:{k}){t}" for k, t in zip(kinds, tails, strict=True)), actual) is not None


def _same(step: Mapping[str, Any], what: str, expected: Any, actual: Any, more: str = "") -> None:
    assert expected == actual, (
        f"{step['does']}: {what}\n  expected {json.dumps(expected)}\n  got      {json.dumps(actual)} {more}"
    )


def files() -> list[Path]:
    return sorted(HERE.rglob("*.yaml"))


@functools.cache
def steps(path: Path) -> Sequence[Mapping[str, Any]]:
    return tuple(yaml.safe_load(path.read_text()))
