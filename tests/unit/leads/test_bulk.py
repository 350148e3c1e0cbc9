"""Bulk import and bulk deletion: exact for each row, and the same after a crash and a repeat."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from leadwire import ids, lists
from leadwire.context import Ctx
from leadwire.leads import bulk, cascade, deletions, jobs, query
from leadwire.leads.query import LeadQuery
from leadwire.ports import Ports
from leadwire.store.engine import Engine
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Consumed, TransactWrite
from tests import doors, factories, invariants
from tests.factories import Answer, Clock, Kept, Keys
from tests.unit.leads.verbs import create

HELD = 31
"""Seconds after which a claim of a dead request may be taken over."""


@pytest.fixture
def queue() -> Kept:
    return Kept()


@pytest.fixture
def ports(clock: Clock, queue: Kept) -> Iterator[Ports]:
    with factories.engine(":memory:", clock) as engine:
        yield replace(factories.ports(engine, clock, jobs_queue_url="jobs"), queue=queue)


def phone(number: int) -> str:
    return f"+1415{5000000 + number}"


def rows(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"phone_number": phone(n), "name": f"Ada {n}", "email": f"a{n}@example.org", **fields} for n in range(count)
    ]


def post(ports: Ports, token: str, path: str, body: Any, key: str = "") -> Answer:
    return doors.send(ports, "POST", path, token, body=body, headers={"idempotency-key": key} if key else {})


def facts(engine: Engine) -> list[dict[str, Any]]:
    """The leads without what a second try may make different: numbers, times and ids of events."""
    volatile = ("pk", "sk", "number", "event", "created_at", "updated_at", "possible_duplicate_of")
    shown = [{k: v for k, v in lead.items() if k not in volatile and k[0] != "g"} for lead in factories.leads(engine)]
    return sorted(shown, key=lambda lead: str(lead["phone"]))


# --- import -----------------------------------------------------------------------------------------------------------


def test_a_merge_that_would_be_too_large_is_refused_in_the_words_of_the_dialect(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    token, one = keys_of_families["lists"], lists.create(ctx, "one").id
    for name, errors in (("a", []), ("b", [("too_large", "metadata must not be larger than 32 KiB")])):
        sent = {"list_id": one, "leads": rows(1, metadata={name: "x" * 20_000})}
        answer = post(ports, token, "/v1/leads/bulk", sent).body
        assert [(error["code"], error["message"]) for error in answer["errors"]] == errors


def test_two_thousand_rows_pass_in_one_call(ports: Ports, ctx: Ctx, keys_of_families: Keys) -> None:
    one = lists.create(ctx, "one").id
    answer = post(ports, keys_of_families["lists"], "/v1/leads/bulk", {"list_id": one, "leads": rows(2000)}, "once")
    assert answer.body["inserted"] == answer.body["total_processed"] == 2000
    assert query.totals(ctx, [f"list={one}"]) == {f"list={one}": 2000}
    print(f"2,000 new rows: {answer.headers['x-leadwire-capacity']}")  # noqa: T201  # what it consumes is to be seen
    invariants.check(ports.engine)


def test_more_than_two_thousand_rows_are_refused(ports: Ports, ctx: Ctx, keys_of_families: Keys) -> None:
    body = {"list_id": lists.create(ctx, "one").id, "leads": rows(2001)}
    assert post(ports, keys_of_families["lists"], "/v1/leads/bulk", body).status == 400


def test_rows_of_one_address_share_an_identity_and_all_but_the_first_are_flagged(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    body = {"list_id": lists.create(ctx, "one").id, "leads": rows(5, email="same@example.org")}
    post(ports, keys_of_families["lists"], "/v1/leads/bulk", body)
    assert [lead.get("possible_duplicate_of") for lead in factories.leads(ports.engine)] == [None, 1, 1, 1, 1]
    invariants.check(ports.engine)


def test_a_row_that_would_make_the_notes_too_long_is_told_and_the_others_are_stored(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    create(ctx, phone=phone(1), notes="x" * 65_000)
    body = {"list_id": lists.create(ctx, "one").id, "leads": rows(3, notes="y" * 600)}
    answer = post(ports, keys_of_families["lists"], "/v1/leads/bulk", body)
    assert (answer.body["inserted"], answer.body["updated"]) == (2, 0)
    assert [(error["index"], error["code"]) for error in answer.body["errors"]] == [(1, "too_long")]


def test_rows_that_are_too_large_for_one_transaction_are_stored_in_several(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    for number in range(15):
        create(ctx, number + 1, phone=phone(number), notes="x" * 60_000, custom={"a": "y" * 30_000})
    body = {"list_id": lists.create(ctx, "one").id, "leads": rows(15, notes="more")}
    answer = post(ports, keys_of_families["lists"], "/v1/leads/bulk", body)
    assert (answer.body["updated"], answer.body["errors"]) == (15, [])
    invariants.check(ports.engine)


def test_an_answer_with_an_error_for_every_row_is_kept_for_a_repeat(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    body = {"list_id": lists.create(ctx, "one").id, "leads": [{"phone_number": "ü" * 300, "x" * 300: 1}] * 2000}
    first, again = (post(ports, keys_of_families["lists"], "/v1/leads/bulk", body, "once") for _ in range(2))
    assert len(first.body["errors"]) == 2000
    assert (again.text, again.headers["idempotency-replayed"]) == (first.text, "true")


# --- dying ------------------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


type Request = tuple[str, str, Any]
"""Dialect, path, body."""


def an_import(_ctx: Ctx, list_id: str) -> Request:
    wanted = [*rows(45), *rows(3, notes="again"), {"phone_number": "nobody"}]
    return "lists", "/v1/leads/bulk", {"list_id": list_id, "leads": wanted}


def a_bulk_create(_ctx: Ctx, _list_id: str) -> Request:
    wanted = [{"first_name": "Row", "phone": phone(number), "tags": [f"tag {number % 7}"]} for number in range(60)]
    return "crm", "/api/v1/leads/bulk", {"leads": [*wanted, {"last_name": "Nobody"}]}


def a_deletion_by_ids(ctx: Ctx, _list_id: str) -> Request:
    wanted = [ids.lead_uuid(ctx.tenant.id_key, number) for number in range(1, 45)]
    return "lists", "/v1/leads/bulk-delete", {"ids": wanted}


def a_deletion_by_filter(_ctx: Ctx, list_id: str) -> Request:
    return "lists", "/v1/leads/bulk-delete", {"filter": {"list_id": list_id}}


def prepared(engine: Engine, clock: Clock) -> tuple[Ctx, str, Keys]:
    """A tenant with 30 leads, some of whose phones the import has too."""
    ports = replace(factories.ports(engine, clock), queue=Kept())
    ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
    one = lists.create(ctx, "one").id
    for number in range(30):
        create(ctx, number + 1, phone=phone(number * 2), lists=(one,), notes="first")
    return ctx, one, factories.keys_of_families(ctx)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_", [an_import, a_bulk_create, a_deletion_by_ids, a_deletion_by_filter])
def test_a_crash_at_any_call_and_a_repeat_end_like_one_clean_run(
    request_: Callable[[Ctx, str], Request], when: str, clock: Clock
) -> None:
    calls, clean, clean_answer = _run(request_, when, clock, 0)
    assert calls > 10
    for call in range(1, calls + 1):
        _, found, answer = _run(request_, when, clock, call)
        assert found == clean, f"crashed {when} call {call}"
        assert _counts(answer) == _counts(clean_answer)


class OneStep(FaultyEngine):
    """Dies at the second step of a bulk create, once."""

    steps = 0

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        self.steps += any(op.key.sk.startswith("STEP#") for op in ops)
        if self.steps == 2:
            self.steps += 1
            raise Crash
        return super().transact(ops)


def test_what_a_try_made_before_it_died_is_told_as_made_though_its_stage_is_gone_now(clock: Clock) -> None:
    with factories.engine(":memory:", clock) as sqlite:
        ctx, _, tokens = prepared(OneStep(sqlite), clock)
        body = {"leads": [{"first_name": "Row", "pipeline_stage_id": 2}] * (bulk.PER_STEP + 1)}
        with contextlib.suppress(Crash):
            post(ctx.ports, tokens["crm"], "/api/v1/leads/bulk", body, "once")
        cascade.delete_stage(ctx, 1, 2)
        clock.advance(HELD)
        answer = post(ctx.ports, tokens["crm"], "/api/v1/leads/bulk", body, "once").body
        assert [row["status"] for row in answer["data"]] == [*[201] * bulk.PER_STEP, 422]
        assert answer["meta"] == {"total": bulk.PER_STEP + 1, "created": bulk.PER_STEP, "failed": 1}


def _run(
    request_: Callable[[Ctx, str], Request], when: str, clock: Clock, call: int
) -> tuple[int, list[dict[str, Any]], Any]:
    """The calls of the last try, the leads after a crash at this call (0: none) and a repeat, and the answer."""
    with factories.engine(":memory:", clock) as sqlite:
        faulty = FaultyEngine(sqlite)
        ctx, one, tokens = prepared(faulty, clock)
        dialect, path, body = request_(ctx, one)
        token = tokens[dialect]
        if call:
            (faulty.fail_before if when == "before" else faulty.fail_after)(faulty.calls + call, Crash())
            with contextlib.suppress(Crash):
                post(ctx.ports, token, path, body, "once")
            clock.advance(HELD)
            faulty.heal()
            invariants.check(sqlite)
        before = faulty.calls
        answer = post(ctx.ports, token, path, body, "once")
        assert answer.status in (200, 207)
        invariants.check(sqlite)
        return faulty.calls - before, [_named(lead, one) for lead in facts(sqlite)], answer.body


def _named(lead: dict[str, Any], one: str) -> dict[str, Any]:
    """Its list by name, and its notes without their times: both differ from run to run."""
    notes = [line.partition("] ")[2] or line for line in str(lead.get("notes", "")).split("\n")]
    return {**lead, "lists": [text.replace(one, "one") for text in lead.get("lists", ())], "notes": notes}


def _counts(answer: Any) -> Any:
    """Without what may differ: a crash may burn numbers, so those of the leads that come after it."""
    if "data" in answer:
        answer = {**answer, "data": [{**row, "id": None} for row in answer["data"]]}
    return {name: value for name, value in answer.items() if name not in ("duration_ms", "skipped_payload")}


# --- jobs -------------------------------------------------------------------------------------------------------------


def imported(ports: Ports, ctx: Ctx, token: str, count: int) -> str:
    one = lists.create(ctx, "one").id
    post(ports, token, "/v1/leads/bulk", {"list_id": one, "leads": rows(count, email=None)})
    return one


def work(ports: Ports, queue: Kept) -> None:
    """Everything that the queue holds, each message twice, as SQS may."""
    while queue.messages:
        message = queue.messages.pop(0)
        for _ in range(2):
            record = {"messageId": "m", "body": message.body}
            assert deletions.run_messages(ports, [record]) == {"batchItemFailures": []}


def test_a_large_deletion_is_a_job_that_is_followed_to_its_end(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept
) -> None:
    token = keys_of_families["lists"]
    one = imported(ports, ctx, token, 1200)
    kept = create(ctx, 1).number
    answer = post(ports, token, "/v1/leads/bulk-delete", {"filter": {"list_id": one}})
    assert answer.status == 202
    expected = {"kind": "async", "status": "pending", "total_leads": 1200, "chunks_total": 2}
    assert {**answer.body, "job_id": ""} == {**expected, "job_id": ""}
    path = f"/v1/bulk-jobs/{answer.body['job_id']}"
    assert doors.send(ports, "GET", path, token).body["status"] == "pending"
    deletions.run(ports, json.loads(queue.messages[0].body))
    half = doors.send(ports, "GET", path, token).body
    assert (half["status"], half["chunks_done"], half["deleted"]) == ("running", 1, 1000)
    work(ports, queue)
    done = doors.send(ports, "GET", path, token).body
    assert (done["status"], done["chunks_done"], done["deleted"], done["skipped"]) == ("done", 2, 1200, 0)
    assert [lead["number"] for lead in factories.leads(ports.engine)] == [kept]
    invariants.check(ports.engine)


def test_a_repeated_request_is_the_same_job(ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept) -> None:
    token = keys_of_families["lists"]
    body = {"filter": {"list_id": imported(ports, ctx, token, 501)}}
    first, again = (post(ports, token, "/v1/leads/bulk-delete", body, "once") for _ in range(2))
    assert (first.status, again.text) == (202, first.text)


def test_a_lead_that_is_no_longer_what_was_chosen_is_kept(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept
) -> None:
    token = keys_of_families["lists"]
    one = imported(ports, ctx, token, 600)
    job = post(ports, token, "/v1/leads/bulk-delete", {"filter": {"list_id": one, "status": "New"}}).body["job_id"]
    saved = ids.lead_uuid(ctx.tenant.id_key, 600)
    assert doors.send(ports, "PATCH", f"/v1/leads/{saved}", token, body={"status": "Converted"}).status == 200
    work(ports, queue)
    assert [lead["number"] for lead in factories.leads(ports.engine)] == [600]
    assert (jobs.find(ctx, job).deleted, jobs.find(ctx, job).position) == (599, 600)


def test_a_job_of_another_tenant_is_not_there(ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept) -> None:
    one = imported(ports, ctx, keys_of_families["lists"], 501)
    job = post(ports, keys_of_families["lists"], "/v1/leads/bulk-delete", {"filter": {"list_id": one}}).body["job_id"]
    stranger = factories.keys_of_families(factories.ctx(ports, factories.tenant(ports, "other")))["lists"]
    assert doors.send(ports, "GET", f"/v1/bulk-jobs/{job}", stranger).status == 404


def test_leads_leave_a_deleted_list_and_stay(ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept) -> None:
    token = keys_of_families["lists"]
    one, two = imported(ports, ctx, token, 250), lists.create(ctx, "two").id
    both = create(ctx, 1, lists=(one, two)).number
    assert doors.send(ports, "DELETE", f"/v1/lists/{one}", token).status == 204
    assert doors.send(ports, "GET", f"/v1/lists/{one}", token).status == 404
    work(ports, queue)
    assert query.run(ctx, LeadQuery()).total == 251
    assert {lead["number"]: lead.get("lists", ()) for lead in factories.leads(ports.engine)}[both] == [two]
    assert not [lead for lead in factories.leads(ports.engine) if one in lead.get("lists", ())]


def test_a_lead_that_was_on_its_way_when_its_list_was_deleted_leaves_it_too(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept
) -> None:
    """The list is there when the request looks, and gone, with all its leads out of it, before the lead is written."""
    token, one = keys_of_families["lists"], lists.create(ctx, "one").id

    class Late(FaultyEngine):
        def transact(self, ops: Any) -> Any:
            assert doors.send(ports, "DELETE", f"/v1/lists/{one}", token).status == 204
            deletions.run(ports, json.loads(queue.messages.pop().body))
            return super().transact(ops)

    late = replace(ports, engine=Late(ports.engine))
    assert post(late, token, "/v1/leads", {"name": "Ada", "phone_number": "+14155550100", "list_id": one}).status == 201
    assert [lead["lists"] for lead in factories.leads(ports.engine)] == [[one]]
    work(ports, queue)
    assert [lead.get("lists", ()) for lead in factories.leads(ports.engine)] == [()]
    invariants.check(ports.engine)


def test_a_list_that_is_not_there_cannot_be_deleted_and_nothing_is_queued(
    ports: Ports, keys_of_families: Keys, queue: Kept
) -> None:
    path = "/v1/lists/550e8400-e29b-41d4-a716-446655440000"
    assert doors.send(ports, "DELETE", path, keys_of_families["lists"]).status == 404
    assert queue.messages == []


def test_a_deletion_whose_request_died_before_the_job_was_stored_does_nothing(
    ports: Ports, ctx: Ctx, keys_of_families: Keys, queue: Kept
) -> None:
    one = imported(ports, ctx, keys_of_families["lists"], 3)
    deletions.run(ports, {"tenant": ctx.tenant.id, "list": one})
    deletions.run(ports, {"tenant": ctx.tenant.id, "job": "550e8400-e29b-41d4-a716-446655440000"})
    assert query.totals(ctx, [f"list={one}"]) == {f"list={one}": 3}
