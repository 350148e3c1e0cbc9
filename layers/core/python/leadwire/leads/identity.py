"""Who a lead is: normal forms of e-mail and phone, and the record of the leads that share one (decision D6)."""

from __future__ import annotations

import functools
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from leadwire import keys
from leadwire.context import Tenant
from leadwire.store.types import ABSENT, Condition, Delete, Item, Key, Put, equals

from .model import Lead

MEMBERS = 100
"""Numbers that an identity keeps, the lowest ones: a placeholder address that 100,000 leads share stays one small item.
Only if all hundred were deleted would the key be forgotten while others still bear it."""

NANP = 1
"""Calling code of the United States and their neighbours, the only numbers that the public dialect takes."""


NOT_A_PHONE = "must be a phone number that can be dialled, national or in E.164 format"


class Malformed(ValueError):
    """The text is not an e-mail address, or not a phone number. Its message is for the caller."""


_PLAIN = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]+)")
"""An address whose local part and domain can be checked apart: nearly all of them."""
LONGEST_EMAIL, LONGEST_LOCAL = 254, 64
"""Characters (RFC 5321)."""


@functools.lru_cache(maxsize=64)  # a request asks for the same address more than once
def normal_email(text: str) -> str:
    """Lower case, domain in ASCII (IDNA). Raises Malformed. RFC 5321/6531 by the email-validator library."""
    plain = _PLAIN.fullmatch(text)
    if plain and len(text) <= LONGEST_EMAIL and len(plain[1]) <= LONGEST_LOCAL:
        return f"{plain[1].lower()}{_domain_of(f'a@{plain[2]}')}"
    return _checked(text)


@functools.lru_cache(maxsize=1024)  # many addresses share a domain, and checking it is what takes long
def _domain_of(address: str) -> str:
    """The @ and what follows it."""
    return _checked(address).removeprefix("a")


def _checked(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  # 35 ms: only who needs it pays it

    try:
        checked = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise Malformed("must be a valid email address") from error
    return (checked.ascii_email or checked.normalized).lower()


_NORMAL_NANP = re.compile(r"\+1[2-9][0-9]{9}")
"""A possible number, in E.164 already: what most callers send, and what the library takes longest to confirm."""


def normal_phone(tenant: Tenant, text: str, *, nanp_only: bool = False) -> str:
    """E.164, national numbers understood in the tenant's region (decision D7). Raises Malformed."""
    if not tenant.valid_phones and _NORMAL_NANP.fullmatch(text):
        return text
    import phonenumbers  # noqa: PLC0415  # 46 ms: only who needs it pays it

    try:
        number = phonenumbers.parse(text, "US" if nanp_only else tenant.region)
    except phonenumbers.NumberParseException as error:
        raise Malformed(NOT_A_PHONE) from error
    good = phonenumbers.is_valid_number if tenant.valid_phones else phonenumbers.is_possible_number
    if not good(number) or number.extension:
        raise Malformed(NOT_A_PHONE)
    if nanp_only and number.country_code != NANP:
        raise Malformed("must be a US phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@dataclass(frozen=True, slots=True)
class Identity:
    """One key (an e-mail or a phone) and the numbers of the leads that share it, the primary (lowest) first."""

    key: Key
    leads: tuple[int, ...] = ()
    version: int = 0

    @property
    def primary(self) -> int | None:
        return self.leads[0] if self.leads else None


def keys_of(tenant: Tenant, lead: Lead) -> dict[str, Key]:
    """`email` and `phone` to the key of the identity record, for those that the lead has.

    Addresses and phones that came with a merge have kinds of their own; no key is named twice.
    """
    found = {}
    if lead.email:
        found["email"] = keys.identity(tenant.id, "email", normal_email(lead.email))
    if lead.phone:
        found["phone"] = keys.identity(tenant.id, "phone", lead.phone)
    others = [("email", email) for email in lead.other_emails] + [("phone", phone) for phone in lead.other_phones]
    more = {f"other {kind} {value}": keys.identity(tenant.id, kind, value) for kind, value in others}
    return found | {kind: key for kind, key in more.items() if key not in found.values()}


def from_item(key: Key, item: Item | None) -> Identity:
    return Identity(key, tuple(item["leads"]), item["version"]) if item else Identity(key)


def joined(identity: Identity, number: int) -> Put | Delete:
    """The write that adds a lead, right only if nobody changed the record since it was read."""
    return rewritten(identity, {*identity.leads, number})


def left(identity: Identity, number: int) -> Put | Delete:
    """The write that takes a lead out; an empty record goes away."""
    return rewritten(identity, {*identity.leads} - {number})


def rewritten(identity: Identity, leads: AbstractSet[int]) -> Put | Delete:
    """The write that gives the record these members: the lowest of them, or none and it goes away."""
    if not leads:
        return Delete(identity.key, _unchanged(identity))
    item = {"pk": identity.key.pk, "sk": identity.key.sk, "leads": tuple(sorted(leads)[:MEMBERS])}
    return Put({**item, "version": identity.version + 1}, _unchanged(identity))


def _unchanged(identity: Identity) -> Condition:
    return equals("version", identity.version) if identity.version else ABSENT
