import io
import json

import pytest

from local.console import Console, readable

REQUEST = {
    "level": "INFO",
    "location": "request:25",
    "message": "request",
    "timestamp": "2026-11-21 21:40:01,123+0000",
    "service": "leadwire",
    "request_id": "r1",
    "route": "POST /v1/leads",
    "dialect": "lists",
    "status": 409,
    "error": "DUPLICATE_EMAIL",
    "tenant": "t1",
    "replayed": False,
    "wru": 7,
    "rru": 0.5,
}


def test_a_request_is_one_line_with_its_outcome_and_its_cost() -> None:
    assert readable(json.dumps(REQUEST)).split() == [
        *("21:40:01", "409", "POST", "/v1/leads", "lists", "7", "wru", "0.5", "rru", "DUPLICATE_EMAIL"),
    ]


def test_any_other_line_shows_its_message_and_what_is_particular_to_it() -> None:
    line = {"level": "WARNING", "message": "delivery", "timestamp": REQUEST["timestamp"], "attempt": 2, "error": None}
    assert readable(json.dumps(line)).split() == ["21:40:01", "WARNING", "delivery", "attempt=2"]


def test_metrics_are_left_out_and_other_text_stays() -> None:
    assert readable('{"_aws": {}, "Requests": 1}') is None
    assert readable("hello") == "hello"
    assert readable("{not json") == "{not json"


@pytest.mark.parametrize("pieces", [["hello\nyou\n"], ["hel", "lo", "\n", "you\n"], ["hello\nyo", "u", "\n"]])
def test_lines_come_out_whole_however_they_are_written(pieces: list[str]) -> None:
    out = io.StringIO()
    console = Console(out)
    for piece in pieces:
        console.write(piece)
    assert out.getvalue() == "hello\nyou\n"


def test_colours_are_for_terminals_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        Console(out).write(json.dumps(REQUEST) + "\n")
    assert "\x1b[33m409" in terminal.getvalue()
    assert "\x1b" not in file.getvalue()
