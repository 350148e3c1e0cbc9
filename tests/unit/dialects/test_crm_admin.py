"""API keys that make API keys: never more than their own right."""

from __future__ import annotations

import pytest

from leadwire import apikeys
from leadwire.context import Ctx
from leadwire.ports import Ports
from tests import doors

KEYS = "/api/v1/api-keys"


def key(ctx: Ctx, *scopes: str) -> str:
    return apikeys.create(ctx, "crm", "maker", scopes=scopes)[1]


@pytest.mark.parametrize("wanted", [["*"], ["delete:leads"], ["read:leads", "leads:delete"]])
def test_a_key_cannot_make_one_that_may_do_more(ports: Ports, ctx: Ctx, wanted: list[str]) -> None:
    token = key(ctx, "write:api-keys", "read:leads")
    answer = doors.send(ports, "POST", KEYS, token, body={"name": "more", "scopes": wanted})
    assert answer.status == 422
    assert list(answer.body["errors"]) == ["scopes"]
    assert len(apikeys.every(ctx)) == 1


def test_without_scopes_it_makes_its_equal(ports: Ports, ctx: Ctx) -> None:
    token = key(ctx, "write:api-keys", "read:leads")
    made = doors.send(ports, "POST", KEYS, token, body={"name": "equal"}).body["data"]
    assert made["scopes"] == ["read:leads", "write:api-keys"]
    assert doors.send(ports, "GET", "/api/v1/leads", made["token"]).status == 200
    assert doors.send(ports, "GET", KEYS, made["token"]).status == 403


def test_a_revoked_key_is_refused_at_its_next_call_and_stays_on_the_list(ports: Ports, ctx: Ctx) -> None:
    token = key(ctx, "*")
    made = doors.send(ports, "POST", KEYS, token, body={"name": "short-lived"}).body["data"]
    assert doors.send(ports, "DELETE", f"{KEYS}/{made['id']}", token).status == 204
    assert doors.send(ports, "GET", KEYS, made["token"]).status == 401
    shown = doors.send(ports, "GET", KEYS, token).body["data"]
    assert {one["name"]: one["is_active"] for one in shown} == {"maker": True, "short-lived": False}
    assert all("token" not in one for one in shown)
