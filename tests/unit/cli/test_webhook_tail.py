"""`leadwire webhook tail` on the embedded database."""

from __future__ import annotations

import json

import pytest

from cli.webhooks import AttemptLog
from leadwire import tenants
from leadwire.store.types import Put
from leadwire.webhooks import endpoints, record, store
from leadwire.webhooks.attempts import Made
from leadwire.webhooks.model import Delivery, Outcome, Webhook
from leadwire.webhooks.retry import Done, RetryAt

AT = 1_795_000_000_000
WEBHOOK = Webhook(id="w1", face="public_v2", event_types=frozenset({"LEAD_CREATED"}), url="https://example.com/in")


@pytest.fixture
def ctx(ports):
    return tenants.operate(ports, tenants.create(ports, "demo", "Demo"), "test")


@pytest.fixture
def delivery(ctx):
    ctx.table.write(Put(endpoints.item(ctx.tenant.id, WEBHOOK)))
    return new_delivery(ctx, "d1", "01M80000000000000000000001")


def new_delivery(ctx, id_, event):
    delivery = Delivery(
        id=id_.ljust(32, "0"),
        tenant=ctx.tenant.id,
        webhook="w1",
        event=event,
        type="LEAD_CREATED",
        sequence=1,
        body="{}",
        headers={},
        timeout=10.0,
        waits=(5.0, 300.0),
        state="pending",
        next_at=AT,
        created_at=AT,
    )
    ctx.table.write(store.new_delivery(delivery, due=False))
    return delivery


def attempt(ctx, delivery, outcome, step, at):
    webhook = endpoints.find(ctx.table, ctx.tenant.id, "w1")
    [after] = record.record(ctx.table, webhook, [Made(webhook, delivery, outcome, step, at, at)], at).deliveries
    return after


def fail(ctx, delivery, at):
    outcome = Outcome(kind="answered", ms=12, status=503, error="answered 503")
    return attempt(ctx, delivery, outcome, RetryAt(at + 5000), at)


def succeed(ctx, delivery, at):
    return attempt(ctx, delivery, Outcome(kind="answered", ms=9, status=200), Done(), at)


def test_each_attempt_is_shown_once_as_it_is_made(ctx, delivery):
    log = AttemptLog(ctx)
    assert log.new() == []
    delivery = fail(ctx, delivery, AT)
    (first,) = log.new()
    assert (first["attempt"], first["status"], first["ms"], first["state"]) == (1, 503, 12, "pending")
    assert first["next_at"] == "2026-11-18T11:06:45.000Z"
    assert log.new() == []
    succeed(ctx, delivery, AT + 5000)
    (second,) = log.new()
    assert (second["attempt"], second["status"], second["state"], second["next_at"]) == (2, 200, "delivered", None)
    assert log.new() == []


def test_attempts_of_several_deliveries_come_in_the_order_in_which_they_were_made(ctx, delivery):
    other = new_delivery(ctx, "d2", "01M80000000000000000000000")
    delivery = fail(ctx, delivery, AT)
    succeed(ctx, other, AT + 1000)
    succeed(ctx, delivery, AT + 2000)
    assert [(row["delivery"][:2], row["attempt"]) for row in AttemptLog(ctx).new()] == [("d1", 1), ("d2", 1), ("d1", 2)]


def test_an_attempt_that_met_no_server_shows_the_reason(ctx, delivery, run):
    outcome = Outcome(kind="timeout", ms=10_000, error="no answer within 10 s")
    attempt(ctx, delivery, outcome, RetryAt(AT + 60_000), AT)
    shown = run("webhook", "tail", "--tenant", "demo", "--once").stdout
    assert "LEAD_CREATED  w1  attempt 1: no answer within 10 s, 10000 ms, next try 2026-11-18T11:07:40.000Z" in shown


def test_machines_get_one_json_object_a_line(ctx, delivery, run):
    succeed(ctx, fail(ctx, delivery, AT), AT + 5000)
    lines = run("webhook", "tail", "--tenant", "demo", "--once", "--json").stdout.splitlines()
    assert [json.loads(line)["status"] for line in lines] == [503, 200]
    assert json.loads(lines[0])["url"] == "https://example.com/in"


def test_an_unknown_tenant_is_refused(run):
    assert run("webhook", "tail", "--tenant", "nobody", "--once").exit_code == 1
