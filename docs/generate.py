"""Writes what the documents say about the code from the code itself: `.venv/bin/python -m docs.generate`.

docs/data.md and functions/reference/openapi/*.json are generated as a whole; in other documents the text between
`<!-- generated: name -->` and `<!-- end -->`. tests/contracts/test_docs.py compares them with what this would write.
"""
# ruff: noqa: INP001  # a script, not a package

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from docs import measure, openapi
from docs.openapi import dialects, webhooks
from leadwire import errors, events, faces, keys
from leadwire.dialects.chatbot import shapes as chatbot
from leadwire.dialects.chatbot.faces import FACE as CHATBOT
from leadwire.dialects.crm import shapes as crm
from leadwire.dialects.lists import shapes as lists
from leadwire.errors import FieldError, LeadwireError
from leadwire.leads.model import STATUSES
from leadwire.store.types import Key
from leadwire.webhooks import retry
from leadwire.webhooks.model import Face
from tests.contracts.route_budgets import BUDGETS

DOCS = Path(__file__).parent
READS = "_of"
"""Ends the names of functions that read a key rather than make one."""
LONG = 600
"""Minutes from which a schedule is told in hours."""
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated or partly generated document, and the text that it should have."""
    yield DOCS / "data.md", data()
    yield from openapi.written()
    for path in [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]:
        text = path.read_text()
        if BLOCK.search(text):
            yield path, BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}{found[3]}", text)


# --- data.md ----------------------------------------------------------------------------------------------------------


def data() -> str:
    intro, *rest = (inspect.getdoc(keys) or "").split("\n")
    rows = [_key_row(function) for function in _makers(keys)]
    table = _table(("function of keys.py", "makes, for example", ""), rows)
    page, rule = "\n".join(rest).strip(), intro.partition(": ")[2]
    return (
        "# The table on one page\n\n"
        "Generated from `layers/core/python/leadwire/keys.py` by `docs/generate.py`: do not edit it.\n\n"
        f"{rule[:1].upper()}{rule[1:]}\n\n{page}\n\n## Every key, by the function that makes it\n\n{table}"
    )


def _makers(module: ModuleType) -> list[Callable[..., Any]]:
    """The module's own public functions that make keys, in the order in which they stand."""
    members = [member for name, member in inspect.getmembers(module, inspect.isfunction) if name[0] != "_"]
    own = [member for member in members if member.__module__ == module.__name__]
    makers = [
        member
        for member in own
        if inspect.signature(member).return_annotation in ("Key", "str") and not member.__name__.endswith(READS)
    ]
    return sorted(makers, key=lambda member: member.__code__.co_firstlineno)


def _key_row(function: Callable[..., Any]) -> tuple[str, str, str]:
    parameters = inspect.signature(function).parameters
    samples = {"int": 7, "bool": True}
    made = function(**{name: samples.get(parameter.annotation, name) for name, parameter in parameters.items()})
    shown = f"`{made.pk}` / `{made.sk}`" if isinstance(made, Key) else f"`{made}`"
    doc = " ".join((inspect.getdoc(function) or "").split())
    return f"`{function.__name__}({', '.join(parameters)})`", shown.replace(keys.SEPARATOR, "␟"), doc


# --- blocks of dialects.md --------------------------------------------------------------------------------------------


def routes() -> str:
    rows = [
        (name, f"`{route.key}`", f"`{route.scope}`")
        for name in dialects.NAMES
        for _, dialect in dialects.declared(name)
        for route in dialect.routes
    ]
    return _table(("dialect", "operation", "scope"), [*rows, ("crm", "`GET /api/v1/health`", "none, no key")])


def statuses() -> str:
    """What each dialect shows for a status, and what it takes: the two differ where a dialect knows fewer."""
    rows = []
    for status in STATUSES:
        taken = {name: word for word, name in lists.STATUS_IN.items()}.get(status)
        shown = lists.STATUS_OUT.get(status, "Contacted")
        rows.append(
            (
                f"`{status}`",
                f"`{status.upper()}`",
                _word(chatbot.STATUS_OUT.get(status, status), status),
                _word(shown, taken),
                f"`{status}`, takes `{crm.WON}` too" if status == "converted" else f"`{status}`",
            )
        )
    return _table(("status", "public (shows only)", "chatbot", "lists", "crm"), rows)


def _word(shown: str, taken: str | None) -> str:
    return f"`{shown}`" if shown == taken else f"shown as `{shown}`"


def refusals() -> str:
    """Status and code of every error in each dialect, as its renderer gives them."""
    renderers = {name: next(dialects.declared(name))[1].render_error for name in dialects.NAMES}
    rows = []
    for note, error in SAMPLES:
        replies = [renderers[name](None, error, "") for name in dialects.NAMES]
        shown = [f"{reply.status} `{_code(reply.body)}`" for reply in replies]
        rows.append((f"`{type(error).__name__}`{note}", *shown))
    return _table(("error", *dialects.NAMES), rows)


SAMPLES: Sequence[tuple[str, LeadwireError]] = (
    (", no key sent", errors.Unauthorized("", missing=True)),
    (", a key that is not good", errors.Unauthorized("")),
    ("", errors.Forbidden("")),
    (", of the path", errors.NotFound("lead")),
    (", named in the body", errors.NotFound("list", "list_id")),
    ("", errors.InvalidInput(FieldError("name", "is required", "missing"))),
    ("", errors.TooLarge("")),
    ("", errors.UnsupportedMediaType("")),
    ("", errors.Conflict("")),
    ("", errors.WebhookLimitReached("")),
    ("", errors.DuplicateEmail("a@example.com", 1)),
    ("", errors.DuplicatePhone("+14155552671", 1)),
    ("", errors.IdempotencyMismatch("")),
    ("", errors.IdempotencyInProgress("")),
    ("", errors.RateLimited(1)),
    ("", errors.Unready("")),
    ("", errors.Broken("")),
)


def _code(body: Mapping[str, Any]) -> str:
    return str(body.get("code") or body["type"].rpartition("/")[2])


def catalogue() -> str:
    return _table(("event", "tells"), [(f"`{name}`", text) for name, text in events.CATALOGUE.items()])


def sending() -> str:
    """Each way of sending webhooks: its words, and what it keeps to."""
    rows = []
    for face in faces.ALL:
        words = [one.word for name in dialects.NAMES for one in webhooks.declared(name) if one.face is face]
        own = [*face.headers(words[0], webhooks.SETTINGS), *([face.signature] if face.signature else [])]
        limits = (f"{face.timeout:g} s", _attempts(face), str(face.limit))
        rows.append((f"`{face.name}`", _listed(words), *limits, _listed(own)))
    heads = ("way of sending", "its words", "answer within", "attempts", "webhooks at most", "headers of its own")
    return _table(heads, rows)


def _attempts(face: Face) -> str:
    if face is CHATBOT:
        return "1 to 11, as the webhook says"
    waits = retry.SCHEDULES[face.schedule]
    over = sum(waits) / retry.MINUTE
    return f"{len(waits) + 1} over {f'{over // 60:g} h' if over > LONG else f'{over:g} min'}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


# --- blocks of operations.md and README.md ----------------------------------------------------------------------------


def costs() -> str:
    """What DynamoDB takes for each kind of call, as measured on the embedded table."""
    rows = [
        (
            cost.name,
            f"{cost.wru:g}",
            f"{cost.rru:g}",
            "" if cost.trips is None else str(cost.trips),
            f"${cost.dollars:.2f}",
        )
        for cost in _measured()
    ]
    return _table(("call", "write units", "read units", "round trips", "DynamoDB, a million"), rows)


def prices() -> str:
    return _table(("call", "a million"), [(cost.name, f"${cost.dollars:.2f}") for cost in _measured()])


@functools.cache
def _measured() -> list[measure.Cost]:
    return [*measure.calls(), *measure.aftermath()]


def budgets() -> str:
    """What one call of each route may consume (tests/contracts/route_budgets.py), and a million of them cost."""
    rows = []
    for route, (wru, rru, trips) in BUDGETS.items():
        dialect, _, key = route.partition(" ")
        dollars = wru * measure.WRITE_UNIT + rru * measure.READ_UNIT
        rows.append((dialect, f"`{key}`", f"{wru:g}", f"{rru:g}", str(trips), f"${dollars:.2f}"))
    return _table(("dialect", "route", "write units", "read units", "round trips", "DynamoDB, a million"), rows)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "routes": routes,
    "statuses": statuses,
    "errors": refusals,
    "events": catalogue,
    "sending": sending,
    "costs": costs,
    "prices": prices,
    "budgets": budgets,
}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):  # the functions log
        written = list(documents())
    for path, text in written:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
