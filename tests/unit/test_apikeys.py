"""API keys: their form, what lets them in, and counts that stay exact under any concurrency."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire import apikeys, keys
from leadwire.admission import Admission
from leadwire.admission import admit as admit_call
from leadwire.context import Ctx
from leadwire.errors import InvalidInput, NotFound, Unauthorized
from leadwire.ports import Ports
from leadwire.store.faults import FaultyEngine
from leadwire.store.table import Meter, Table
from leadwire.store.types import Consumed, Item, Put, Query, Write
from tests import factories
from tests.factories import Clock

FAMILIES = sorted(apikeys.FAMILIES)
family = pytest.mark.parametrize("family", FAMILIES)


def admit(ports: Ports, token: str, meter: Meter | None = None) -> Admission:
    return admit_call(Table(ports.engine, "", meter or Meter()), token, int(ports.clock()))


def let_in(ports: Ports, token: str) -> bool:
    return not admit(ports, token).retry_after


# --- form -------------------------------------------------------------------------------------------------------------


@family
def test_a_token_has_its_familys_prefix_160_random_bits_and_a_checksum(ctx: Ctx, family: str) -> None:
    kind = apikeys.FAMILIES[family]
    _, token = apikeys.create(ctx, family, "k")
    assert re.fullmatch(f"{kind.prefix}[0-9A-Za-z]{{{kind.random + apikeys.CHECKSUM}}}", token)
    assert 62**kind.random >= 2**160
    assert apikeys.family_of(token) == family


def test_a_chatbot_token_is_64_characters_long(ctx: Ctx) -> None:
    assert len(apikeys.create(ctx, "chatbot", "k")[1]) == 64


@family
def test_a_token_with_one_wrong_character_never_reaches_the_table(ctx: Ctx, family: str) -> None:
    _, token = apikeys.create(ctx, family, "k")
    for at in range(len(token)):
        wrong = "x" if token[at] != "x" else "y"
        assert apikeys.family_of(token[:at] + wrong + token[at + 1 :]) is None


@given(text=st.text(max_size=80))
def test_any_other_text_is_no_token(text: str) -> None:
    assert apikeys.family_of(text) is None


def test_only_the_hash_of_a_token_is_stored(ports: Ports, ctx: Ctx) -> None:
    _, token = apikeys.create(ctx, "crm", "k")
    stored = factories.items(ports.engine)
    assert ("KEY#" + hashlib.sha256(token.encode()).hexdigest(), "KEY") in stored
    assert token not in repr(stored)


# --- who is let in ----------------------------------------------------------------------------------------------------


@family
def test_a_key_lets_its_own_tenant_in(ports: Ports, ctx: Ctx, family: str) -> None:
    key, token = apikeys.create(ctx, family, "k")
    admission = admit(ports, token)
    assert (admission.key_id, admission.family, admission.tenant) == (key.id, family, ctx.tenant)
    assert (admission.used, admission.limit) == (1, apikeys.FAMILIES[family].limit)
    assert admission.reset == ports.clock() + apikeys.FAMILIES[family].window


@family
def test_an_unknown_key_is_refused(ports: Ports, ctx: Ctx, family: str) -> None:
    body = apikeys.FAMILIES[family].prefix + "0" * apikeys.FAMILIES[family].random
    with pytest.raises(Unauthorized):
        admit(ports, body + apikeys._checksum(body))


@family
def test_a_revoked_key_is_refused_at_its_next_call(ports: Ports, ctx: Ctx, family: str) -> None:
    key, token = apikeys.create(ctx, family, "k")
    admit(ports, token)
    apikeys.revoke(ctx, key.id)
    with pytest.raises(Unauthorized):
        admit(ports, token)


@family
def test_a_key_is_refused_from_the_second_at_which_it_expires(
    ports: Ports, ctx: Ctx, clock: Clock, family: str
) -> None:
    _, token = apikeys.create(ctx, family, "k", valid_until=int(clock.now) + 10)
    clock.advance(9)
    admit(ports, token)
    clock.advance(1)
    with pytest.raises(Unauthorized):
        admit(ports, token)


def test_a_refused_key_is_not_counted(ports: Ports, ctx: Ctx) -> None:
    key, token = apikeys.create(ctx, "crm", "k")
    apikeys.revoke(ctx, key.id)
    with pytest.raises(Unauthorized):
        admit(ports, token)
    assert [one.used for one in apikeys.every(ctx)] == [0]


def test_an_unknown_key_cannot_be_revoked_nor_can_anothers(ports: Ports, ctx: Ctx) -> None:
    other = factories.ctx(ports, factories.tenant(ports, "other"))
    theirs, token = apikeys.create(other, "crm", "k")
    with pytest.raises(NotFound):
        apikeys.revoke(ctx, theirs.id)
    assert let_in(ports, token)


# --- how often --------------------------------------------------------------------------------------------------------


@family
def test_the_call_after_the_last_one_waits_until_the_window_ends(
    ports: Ports, ctx: Ctx, clock: Clock, family: str
) -> None:
    _, token = apikeys.create(ctx, family, "k", limit=2)
    window = apikeys.FAMILIES[family].window
    assert [let_in(ports, token), let_in(ports, token)] == [True, True]
    clock.advance(window - 1)
    refused = admit(ports, token)
    assert (refused.retry_after, refused.used, refused.limit) == (1, 2, 2)
    clock.advance(1)
    assert admit(ports, token).used == 1


def test_an_open_window_costs_one_write_and_a_new_one_two(ports: Ports, ctx: Ctx, clock: Clock) -> None:
    _, token = apikeys.create(ctx, "crm", "k")
    first, second = Meter(), Meter()
    admit(ports, token, first)
    admit(ports, token, second)
    assert (first.trips, second.trips, second.consumed.wru) == (2, 1, 1)


@pytest.fixture
def on_disk(tmp_path: Path, clock: Clock) -> Iterator[Ports]:
    """Threads read beside the writer only if the table is a file."""
    with factories.engine(tmp_path / "table.db", clock) as engine:
        yield factories.ports(engine, clock)


def at_once(threads: int, work: Any) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(work) for _ in range(threads)]]


@family
def test_sixteen_threads_are_counted_exactly(on_disk: Ports, clock: Clock, family: str) -> None:
    ctx = factories.ctx(on_disk, factories.tenant(on_disk, "acme"))
    _, token = apikeys.create(ctx, family, "k", limit=40)
    for _ in range(2):
        answers = at_once(16, lambda: [let_in(on_disk, token) for _ in range(4)])
        assert sum(map(sum, answers)) == 40
        clock.advance(apikeys.FAMILIES[family].window)


def test_of_sixteen_threads_that_find_the_window_over_one_opens_the_next(on_disk: Ports, clock: Clock) -> None:
    ctx = factories.ctx(on_disk, factories.tenant(on_disk, "acme"))
    _, token = apikeys.create(ctx, "crm", "k")
    at_once(16, lambda: admit(on_disk, token))
    assert [key.used for key in apikeys.every(ctx)] == [16]


def test_a_call_that_is_overtaken_while_it_opens_a_window_is_counted_in_the_one_that_is_open(
    ports: Ports, ctx: Ctx, clock: Clock
) -> None:
    """Between the refusal that says "the window is over" and the new window, three others call."""
    _, token = apikeys.create(ctx, "crm", "k")

    class Overtaken(FaultyEngine):
        def write(self, op: Write) -> tuple[Item | None, Consumed]:
            if self.calls == 1:
                assert [admit(ports, token).used for _ in range(3)] == [1, 2, 3]
            return super().write(op)

    assert admit(factories.ports(Overtaken(ports.engine), clock), token).used == 4


# --- public counts per company ----------------------------------------------------------------------------------------


def test_all_public_keys_of_a_company_share_one_count(ports: Ports, ctx: Ctx) -> None:
    tokens = [apikeys.create(ctx, "public", f"k{number}", limit=3)[1] for number in range(3)]
    assert [admit(ports, token).used for token in tokens] == [1, 2, 3]
    assert not any(let_in(ports, token) for token in tokens)


def test_the_public_keys_of_two_companies_do_not(ports: Ports, ctx: Ctx) -> None:
    other = factories.ctx(ports, factories.tenant(ports, "other"))
    tokens = [apikeys.create(one, "public", "k", limit=1)[1] for one in (ctx, other)]
    assert all(let_in(ports, token) for token in tokens)


def test_keys_of_other_dialects_count_by_themselves(ports: Ports, ctx: Ctx) -> None:
    tokens = [apikeys.create(ctx, "crm", f"k{number}", limit=1)[1] for number in range(2)]
    assert all(let_in(ports, token) for token in tokens)


def test_a_revoked_first_key_still_counts_for_the_company_but_lets_nobody_in(
    ports: Ports, ctx: Ctx, clock: Clock
) -> None:
    first, token = apikeys.create(ctx, "public", "first", limit=2)
    _, second = apikeys.create(ctx, "public", "second")
    apikeys.revoke(ctx, first.id)
    assert [let_in(ports, second) for _ in range(3)] == [True, True, False]
    clock.advance(60)
    assert let_in(ports, second)
    with pytest.raises(Unauthorized):
        admit(ports, token)


def test_a_revoked_further_key_is_refused(ports: Ports, ctx: Ctx) -> None:
    apikeys.create(ctx, "public", "first")
    second, token = apikeys.create(ctx, "public", "second")
    apikeys.revoke(ctx, second.id)
    with pytest.raises(Unauthorized):
        admit(ports, token)


def test_eight_threads_that_create_public_keys_share_one_count(on_disk: Ports) -> None:
    ctx = factories.ctx(on_disk, factories.tenant(on_disk, "acme"))
    tokens = at_once(8, lambda: apikeys.create(ctx, "public", "k")[1])
    assert sorted(admit(on_disk, token).used for token in tokens) == list(range(1, 9))


# --- scopes and keeping -----------------------------------------------------------------------------------------------


def test_a_scope_may_be_spelled_either_way_round(ports: Ports, ctx: Ctx) -> None:
    key, token = apikeys.create(ctx, "lists", "k", scopes=["leads:write", "read:leads"])
    assert key.scopes == ("write:leads", "read:leads")
    admission = admit(ports, token)
    assert [admission.may(f"{verb}:leads") for verb in ("read", "write", "delete")] == [True, True, False]


def test_a_key_without_scopes_of_its_own_may_do_everything(ports: Ports, ctx: Ctx) -> None:
    admission = admit(ports, apikeys.create(ctx, "crm", "k")[1])
    assert all(admission.may(scope) for scope in apikeys.SCOPES)


@pytest.mark.parametrize("scope", ["", "leads", "read:", "write:lead", "*:*", "READ:leads"])
def test_an_unknown_scope_is_refused(ctx: Ctx, scope: str) -> None:
    with pytest.raises(InvalidInput):
        apikeys.create(ctx, "crm", "k", scopes=[scope])


def test_an_unknown_family_is_refused(ctx: Ctx) -> None:
    with pytest.raises(InvalidInput):
        apikeys.create(ctx, "soap", "k")


def test_keys_are_listed_by_age_without_their_tokens(ports: Ports, ctx: Ctx, clock: Clock) -> None:
    made = []
    for name in ("a", "b", "c"):
        made.append(apikeys.create(ctx, "crm", name)[0])
        clock.advance(1)
    apikeys.revoke(ctx, made[1].id)
    assert apikeys.every(ctx) == [made[0], replace(made[1], enabled=False), made[2]]


def test_a_tenants_keys_are_not_listed_for_another(ports: Ports, ctx: Ctx) -> None:
    apikeys.create(factories.ctx(ports, factories.tenant(ports, "other")), "crm", "theirs")
    assert apikeys.every(ctx) == []


def test_a_key_can_be_found_by_its_tenant_only_through_the_index(ports: Ports, ctx: Ctx) -> None:
    """The item itself stands outside of the tenant, because it is what finds the tenant."""
    key, _ = apikeys.create(ctx, "crm", "k")
    rows = ctx.table.query(Query(keys.api_keys(ctx.tenant.id), index="g1")).items
    assert [row["g1sk"] for row in rows] == [key.id]
    assert all(row["pk"].startswith("KEY#") for row in rows)


def test_a_meter_without_its_key_lets_nobody_in(ports: Ports, ctx: Ctx) -> None:
    """What cannot happen must not open the door."""
    apikeys.create(ctx, "public", "first")
    _, token = apikeys.create(ctx, "public", "second")
    key = keys.api_key(hashlib.sha256(token.encode()).hexdigest())
    item = factories.items(ports.engine)[key.pk, key.sk]
    ports.engine.write(Put({**item, "meter": "KEY#gone"}))
    with pytest.raises(Exception, match="did not hold"):
        admit(ports, token)
