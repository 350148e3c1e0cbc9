"""Who a lead is: normal forms, and the record of those who share one (decisions D6, D7)."""

from __future__ import annotations

import re
import string
from dataclasses import replace

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from leadwire import keys
from leadwire.context import Tenant
from leadwire.leads import identity
from leadwire.leads.identity import Identity, Malformed
from leadwire.leads.model import Lead
from leadwire.store.types import ABSENT, Delete, Put, equals

TENANT = Tenant("0" * 16, "acme", b"k" * 16)
GERMAN = replace(TENANT, region="DE")
VALID = replace(TENANT, valid_phones=True)
KEY = keys.identity(TENANT.id, "email", "ada@example.com")


# --- e-mail -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "normal"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("ada@exämple.com", "ada@xn--exmple-cua.com"),
        ("ADA@XN--EXMPLE-CUA.com", "ada@xn--exmple-cua.com"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_an_address_has_one_normal_form(given_: str, normal: str) -> None:
    assert identity.normal_email(given_) == normal


@pytest.mark.parametrize(
    "text", ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example", "ada@@example.com", "a\n@example.com"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="valid email"):
        identity.normal_email(text)


LOCAL = st.text(string.ascii_letters + string.digits + "äöüñ+_-", min_size=1, max_size=20)


@given(local=LOCAL, domain=st.from_regex(r"[a-zA-Z]{2,10}\.(com|org|de)", fullmatch=True))
def test_a_normal_address_is_its_own_normal_form_whatever_its_case(local: str, domain: str) -> None:
    normal = identity.normal_email(f"{local}@{domain}")
    assert identity.normal_email(normal) == normal
    assert identity.normal_email(f"{local}@{domain}".upper()) == normal


PARTS = st.text("aZ9_+-.@ü", max_size=70)


@given(text=st.builds("{}@{}{}".format, PARTS, PARTS, st.sampled_from(["", ".com", ".test", "." + "x" * 200])))
@example(text=f"{'l' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 57}.com")
@example(text=f"{'l' * 65}@example.com")
@example(text="a@-example.com")
def test_a_plain_address_is_what_the_library_says_of_it_as_a_whole(text: str) -> None:
    try:
        checked = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(Malformed):
            identity.normal_email(text)
    else:
        assert identity.normal_email(text) == (checked.ascii_email or checked.normalized).lower()


@given(text=st.text(max_size=50))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        normal = identity.normal_email(text)
    except Malformed:
        return
    assert identity.normal_email(normal) == normal


# --- phones -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["8001234567", "+18001234567", "(800) 123-4567", "1-800-123-4567", "800.123.4567"])
def test_the_spellings_of_one_us_number_are_one(text: str) -> None:
    assert identity.normal_phone(TENANT, text, nanp_only=True) == "+18001234567"


def test_the_published_samples_are_possible_numbers() -> None:
    assert identity.normal_phone(TENANT, "+1-555-123-4567") == "+15551234567"
    assert identity.normal_phone(TENANT, "8001234567") == "+18001234567"


def test_a_tenant_may_ask_for_valid_numbers() -> None:
    assert identity.normal_phone(VALID, "+14155551234") == "+14155551234"
    with pytest.raises(Malformed):
        identity.normal_phone(VALID, "+1-555-123-4567")


def test_a_national_number_is_read_in_the_tenants_region() -> None:
    assert identity.normal_phone(GERMAN, "0151 12345678") == "+4915112345678"
    assert identity.normal_phone(GERMAN, "8001234567", nanp_only=True) == "+18001234567"


@pytest.mark.parametrize("text", ["", "x", "123", "+", "+999123456789", "+1 415 555 1234 ext. 5", "0" * 60])
def test_what_cannot_be_dialled_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="phone number"):
        identity.normal_phone(TENANT, text)


def test_the_public_dialect_takes_north_american_numbers_only() -> None:
    with pytest.raises(Malformed, match="US phone number"):
        identity.normal_phone(TENANT, "+4915112345678", nanp_only=True)


@given(text=st.text(string.digits + "+-() .x", max_size=30))
def test_any_text_is_an_e164_number_or_malformed(text: str) -> None:
    try:
        normal = identity.normal_phone(TENANT, text)
    except Malformed:
        return
    assert re.fullmatch(r"\+[1-9]\d{1,16}", normal)
    assert identity.normal_phone(GERMAN, normal) == normal


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_lead_has_a_key_for_each_of_e_mail_and_phone() -> None:
    both = identity.keys_of(TENANT, Lead(email="Ada@Example.com", phone="+14155551234"))
    assert both == {"email": KEY, "phone": keys.identity(TENANT.id, "phone", "+14155551234")}
    assert identity.keys_of(TENANT, Lead()) == {}


@given(numbers=st.lists(st.integers(1, 10**6), unique=True, max_size=150))
def test_the_primary_is_the_lowest_number_however_they_came(numbers: list[int]) -> None:
    known = Identity(KEY)
    for number in numbers:
        known = identity.from_item(KEY, identity.joined(known, number).item)
    assert known.primary == min(numbers, default=None)
    assert list(known.leads) == sorted(known.leads)
    assert len(known.leads) == min(len(numbers), identity.MEMBERS)


def test_a_record_is_written_only_if_it_is_as_it_was_read() -> None:
    assert identity.joined(Identity(KEY), 1).condition == ABSENT
    assert identity.joined(Identity(KEY, (1,), 3), 2).condition == equals("version", 3)
    assert identity.left(Identity(KEY, (1,), 3), 1) == Delete(KEY, equals("version", 3))


def test_a_lead_leaves_and_the_others_stay() -> None:
    write = identity.left(Identity(KEY, (1, 2, 3), 5), 2)
    assert isinstance(write, Put)
    assert write.item["leads"] == (1, 3)


def test_a_lead_can_leave_a_record_that_forgot_it() -> None:
    """The bug: the delete of a record that is not there asked for version 0, and so could never succeed."""
    assert identity.left(Identity(KEY), 101) == Delete(KEY, ABSENT)


@given(text=st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True), region=st.sampled_from(["US", "DE", "CA"]))
def test_a_north_american_number_in_e164_is_what_the_library_says_of_it(text: str, region: str) -> None:
    number = phonenumbers.parse(text, region)
    assert phonenumbers.is_possible_number(number)
    assert number.country_code == identity.NANP
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert identity.normal_phone(replace(TENANT, region=region), text) == normal
