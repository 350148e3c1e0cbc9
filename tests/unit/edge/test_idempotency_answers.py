"""Answers under an Idempotency-Key that are out of the ordinary: larger than an item, not the last, of then."""

from __future__ import annotations

import random
import zlib

import pytest

from leadwire import lists
from leadwire.context import Ctx
from leadwire.leads import cascade, service
from leadwire.ports import Ports
from leadwire.store.limits import LARGEST_ITEM
from tests import doors, factories
from tests.factories import Clock, Keys

KEY = {"idempotency-key": "order-4711"}


def test_an_answer_that_no_item_holds_is_given_again(ports: Ports, ctx: Ctx, keys_of_families: Keys) -> None:
    """2,000 rows of a bulk import, each refused in words that no other row has."""
    r = random.Random(4711)
    rows = [{"phone_number": "".join(chr(r.randrange(0x20000, 0x2A000)) for _ in range(100))} for _ in range(2000)]
    body = {"list_id": lists.create(ctx, "Leads").id, "leads": rows}
    first, again = (
        doors.send(ports, "POST", "/v1/leads/bulk", keys_of_families["lists"], body=body, headers=KEY) for _ in range(2)
    )
    assert len(zlib.compress(first.text.encode())) > LARGEST_ITEM
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotency-replayed"] == "true"


def test_a_request_that_asks_for_itself_again_goes_on_under_the_same_key(
    ports: Ports, ctx: Ctx, clock: Clock, keys_of_families: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleting a tag goes through the leads that bear it, so many in a call."""
    monkeypatch.setattr(cascade, "LIMIT", 2)
    for number in range(5):
        service.create(ctx, factories.draft(number, tags=("vip",)))
    answers = [doors.send(ports, "DELETE", "/api/v1/tags/1", keys_of_families["crm"], headers=KEY) for _ in range(4)]
    assert [answer.status for answer in answers] == [202, 202, 204, 204]
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, None, None, "true"]
    assert not any("tags" in lead for lead in factories.leads(ports.engine))


def test_the_answer_is_what_was_stored_whatever_has_changed_since(
    ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    """The figures of an answer are read before the write that stores it, and not again after it."""
    service.create(ctx, factories.draft(1, tags=("vip",)))
    first, again = (
        doors.send(ports, "PATCH", "/api/v1/tags/1", keys_of_families["crm"], body={"name": "VIP"}, headers=KEY)
        for _ in range(2)
    )
    assert first.body["data"]["lead_count"] == 1
    assert (again.status, again.text) == (first.status, first.text) == (200, first.text)


def test_rows_with_endless_names_of_fields_are_answered_and_answered_again(
    ports: Ports, keys_of_families: Keys
) -> None:
    r = random.Random(4711)
    names = ["".join(chr(r.randrange(0x20000, 0x2A000)) for _ in range(300)) for _ in range(30)]
    rows = [{f"{number}{name}": 1 for name in names} for number in range(120)]
    first, again = (
        doors.send(ports, "POST", "/api/v1/leads/bulk", keys_of_families["crm"], body={"leads": rows}, headers=KEY)
        for _ in range(2)
    )
    assert (first.status, again.text) == (207, first.text)
    assert len(first.text.encode()) < 3 * 1024 * 1024
    assert [len(row.get("errors", ())) for row in first.body["data"][98:102]] == [10, 10, 0, 0]
