"""Every error that a caller can meet has a body in every dialect, in that dialect's shape, and says nothing of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from leadwire import errors
from leadwire.context import Tenant
from leadwire.dialects.chatbot import errors as chatbot
from leadwire.dialects.crm import errors as crm
from leadwire.dialects.lists import errors as lists
from leadwire.dialects.public import errors as public
from leadwire.edge.types import Reply
from leadwire.errors import FieldError, InvalidInput, LeadwireError, NotFound

TENANT = Tenant("0" * 16, "acme", b"k" * 16)
FIELD = FieldError("email", "must be a valid email address", "value_error", "nobody")
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "DuplicateEmail": ("ada@example.com", 7),
    "DuplicatePhone": ("+14155552671", 7),
    "InvalidInput": (FIELD, FieldError("name", "is required", "missing")),
    "NotFound": ("lead",),
    "RateLimited": (30,),
}


def subclasses(of: type[LeadwireError]) -> list[type[LeadwireError]]:
    return [found for child in of.__subclasses__() for found in (child, *subclasses(child))]


CLASSES = sorted(
    (found for found in subclasses(LeadwireError) if found.__module__ == errors.__name__),
    key=lambda found: found.__name__,
)
EXAMPLES: list[LeadwireError] = [
    *(one(*ARGUMENTS.get(one.__name__, ("A sentence for people",))) for one in CLASSES),
    NotFound("list", "list_id"),
    InvalidInput(FieldError("", "must be valid JSON", "json_invalid")),
]


def code_and_details(body: Any) -> None:
    """In public and chatbot."""
    assert body.keys() <= {"success", "error", "code", "details", "retryAfter"}
    assert body["success"] is False
    assert body["error"]
    assert re.fullmatch(r"[A-Z_]+", body["code"])


def problem_details(body: Any) -> None:
    """In lists: RFC 9457."""
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert re.fullmatch(r"https://[^ ]+/errors/[a-z_]+", body["type"])
    assert body["title"]
    assert body["instance"] == "request-1"
    for error in body.get("errors", []):
        assert error.keys() == {"path", "message", "code"}


def status_and_message(body: Any) -> None:
    """In crm."""
    assert body.keys() - {"errors"} == {"status", "message", "code"}
    assert body["status"] == "error"
    assert re.fullmatch(r"[A-Z_]+", body["code"])
    assert all(isinstance(sentences, list) and sentences for sentences in body.get("errors", {}).values())


type Render = Callable[[Tenant | None, LeadwireError, str], Reply]
type Shape = Callable[[Any], None]
DIALECTS: dict[str, tuple[Render, Shape]] = {
    "public": (public.render, code_and_details),
    "chatbot": (chatbot.render, code_and_details),
    "lists": (lists.render, problem_details),
    "crm": (crm.render, status_and_message),
}
every_error = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
every_dialect = pytest.mark.parametrize(("render", "shape"), DIALECTS.values(), ids=DIALECTS)


@every_error
@every_dialect
@pytest.mark.parametrize("tenant", [TENANT, None], ids=["known tenant", "no tenant"])
def test_an_error_has_a_body_in_the_dialects_shape(
    render: Render, shape: Shape, error: LeadwireError, tenant: Tenant | None
) -> None:
    reply = render(tenant, error, "request-1")
    shape(json.loads(json.dumps(reply.body, allow_nan=False)))
    assert reply.body.get("status") in (None, "error", reply.status)


@every_error
@every_dialect
def test_an_error_keeps_its_status_but_for_what_the_crm_calls_invalid(
    render: Render, shape: Shape, error: LeadwireError
) -> None:
    invalid = isinstance(error, InvalidInput) or (isinstance(error, NotFound) and error.field)
    expected = 422 if shape is status_and_message and invalid else error.status
    assert render(TENANT, error, "request-1").status == expected


@every_dialect
def test_every_wrong_field_is_in_the_body(render: Render, shape: Shape) -> None:
    shown = json.dumps(render(TENANT, InvalidInput(*ARGUMENTS["InvalidInput"]), "request-1").body)
    assert "email" in shown
    assert "name" in shown


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_the_tree_of_errors_shows_every_error_with_its_status(error: type[LeadwireError]) -> None:
    assert re.search(rf"─ {error.__name__} +{error.status} ", str(errors.__doc__)), error.__name__


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in CLASSES]
    assert len(codes) == len(set(codes))
