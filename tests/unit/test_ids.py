"""Ids: every spelling leads back to its number, and nothing else leads anywhere (decision D3)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leadwire import ids

KEY = b"0123456789abcdef"
OTHER = b"fedcba9876543210"
NUMBERS = st.integers(1, 2**ids.NUMBER_BITS - 1)
ID_KEYS = st.binary(min_size=16, max_size=16)
type Spell = Callable[[bytes, int], str]
type Read = Callable[[bytes, str], int | None]
SPELLINGS: dict[str, tuple[Spell, Read]] = {
    "uuid": (ids.lead_uuid, ids.number_of_uuid),
    "lead_id": (ids.lead_id, ids.number_of_lead_id),
}
spelling = pytest.mark.parametrize(("spell", "read"), SPELLINGS.values(), ids=SPELLINGS)


@spelling
@given(id_key=ID_KEYS, number=NUMBERS)
def test_every_spelling_leads_back_to_its_number(spell: Spell, read: Read, id_key: bytes, number: int) -> None:
    assert read(id_key, spell(id_key, number)) == number


@spelling
@given(number=NUMBERS, other=ID_KEYS)
def test_another_tenant_reads_nothing_from_an_id(spell: Spell, read: Read, number: int, other: bytes) -> None:
    assume(other != KEY)
    assert read(other, spell(KEY, number)) is None


@given(number=NUMBERS, bit=st.integers(0, 127))
def test_a_uuid_with_one_bit_turned_is_no_id(number: int, bit: int) -> None:
    tampered = uuid.UUID(int=uuid.UUID(ids.lead_uuid(KEY, number)).int ^ 1 << bit)
    assert ids.number_of_uuid(KEY, str(tampered)) is None


@pytest.mark.parametrize("number", [1, 2, 1000, 2**40 - 1])
@pytest.mark.parametrize("bit", range(64))
def test_a_lead_id_with_one_bit_turned_is_no_id(number: int, bit: int) -> None:
    hidden = int(ids.lead_id(KEY, number).removeprefix("lead_"), 16) ^ 1 << bit
    assert ids.number_of_lead_id(KEY, f"lead_{hidden:016x}") is None


@given(number=NUMBERS)
def test_a_uuid_has_the_version_and_variant_of_rfc_9562(number: int) -> None:
    value = uuid.UUID(ids.lead_uuid(KEY, number))
    assert (value.version, value.variant) == (8, uuid.RFC_4122)


@given(number=NUMBERS)
def test_a_uuid_is_read_in_capital_letters_too(number: int) -> None:
    assert ids.number_of_uuid(KEY, ids.lead_uuid(KEY, number).upper()) == number


@given(text=st.text(max_size=60))
def test_any_other_text_is_no_id(text: str) -> None:
    assert ids.number_of_uuid(KEY, text) is None
    assert ids.number_of_lead_id(KEY, text) is None


@pytest.mark.parametrize("text", ["{%s}", "urn:uuid:%s", "%s\n", " %s"])
def test_a_uuid_in_another_dress_is_no_id(text: str) -> None:
    assert ids.number_of_uuid(KEY, text % ids.lead_uuid(KEY, 1)) is None


def test_a_random_uuid_is_no_id() -> None:
    assert all(ids.number_of_uuid(KEY, str(uuid.uuid4())) is None for _ in range(100))


def test_number_zero_has_no_spelling_that_is_read() -> None:
    assert ids.number_of_uuid(KEY, ids.lead_uuid(KEY, 0)) is None
    assert ids.number_of_lead_id(KEY, ids.lead_id(KEY, 0)) is None


def test_neighbouring_numbers_do_not_look_alike() -> None:
    """The ids of a hundred leads in a row share no more leading digits than chance gives."""
    spelled = sorted(ids.lead_id(KEY, number).removeprefix("lead_") for number in range(1, 101))
    assert len({text[:4] for text in spelled}) > 95
    assert len({ids.lead_uuid(KEY, number)[:4] for number in range(1, 101)}) > 95


def test_a_lead_id_is_spelled_as_the_contract_says() -> None:
    assert re.fullmatch(r"lead_[0-9a-f]{16}", ids.lead_id(KEY, 7))


# --- ulids ------------------------------------------------------------------------------------------------------------

MILLISECONDS = st.integers(0, 2**48 - 1)


@given(now=MILLISECONDS)
def test_a_ulid_is_26_characters_and_carries_its_time(now: int) -> None:
    made = ids.ulid(now)
    assert re.fullmatch(f"[{ids.CROCKFORD}]{{26}}", made)
    assert ids.ulid_ms(made) == now


@given(times=st.lists(st.integers(0, 2**47), min_size=2, max_size=20))
def test_ulids_rise_whatever_the_clock_does(times: list[int]) -> None:
    made = [""]
    for now in times:
        made.append(ids.ulid(now, made[-1]))
    assert made == sorted(set(made))


@given(earlier=MILLISECONDS, later=MILLISECONDS)
def test_ulids_of_different_times_sort_by_time(earlier: int, later: int) -> None:
    assume(earlier < later)
    assert ids.ulid(earlier) < ids.ulid(later)


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_tenant_ids_are_64_random_bits() -> None:
    made = {ids.tenant_id() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in made)


@given(tenant=st.integers(0, 2**64 - 1), other=st.integers(0, 2**64 - 1))
def test_an_account_uuid_is_stable_valid_and_its_tenants_own(tenant: int, other: int) -> None:
    assume(tenant != other)
    made = ids.account_uuid(f"{tenant:016x}")
    assert made == ids.account_uuid(f"{tenant:016x}")
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    assert made != ids.account_uuid(f"{other:016x}")


def test_a_workspace_id_is_the_tenants_with_a_prefix() -> None:
    assert ids.workspace_id("00ff") == "ws_00ff"
