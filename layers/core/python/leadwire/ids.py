"""Ids: time-ordered ULIDs, tenants' random ids, and the public spellings of a lead's number (decision D3).

A lead is stored under one dense number per tenant. Its public spellings are computed, never stored and never looked up:
a keyed permutation hides the number, and redundant bits that only the tenant's key can produce tell a foreign or
tampered id (1 in 2^24 for `lead_…`, 1 in 2^58 more for a uuid); what slips through is still only a number of the
caller's own tenant.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_BITS = 40
ROUNDS = 8
_LEAD_ID = re.compile(r"lead_([0-9a-f]{16})")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def ulid(now_ms: int, after: str = "") -> str:
    """26 characters that sort by time; always greater than `after`, even if the clock stands still or goes back.

    By how much is random too: of two that follow the same one within a millisecond, neither is the other.
    """
    value = (now_ms << 80) | secrets.randbits(80)
    if after:
        value = max(value, _from_crockford(after) + 1 + secrets.randbits(64))
    return "".join(CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def first_ulid(ms: int) -> str:
    """The lowest ULID of this epoch millisecond: a bound for everything that happened since."""
    return "".join(CROCKFORD[ms >> shift & 31] for shift in range(45, -1, -5)) + "0" * 16


def ulid_ms(ulid: str) -> int:
    """The time in a ULID, in epoch milliseconds."""
    return _from_crockford(ulid) >> 80


def tenant_id() -> str:
    """16 hex digits, 64 random bits."""
    return secrets.token_hex(8)


def account_uuid(tenant: str) -> uuid.UUID:
    """The tenant's id spelled as a uuid (decision D2)."""
    return _uuid8(int(tenant, 16) << 58 | _keyed(tenant.encode(), b"account", 58))


def workspace_id(tenant: str) -> str:
    return f"ws_{tenant}"


def lead_uuid(id_key: bytes, number: int) -> str:
    """Public and lists: a version 8 UUID that carries the number under the tenant's key."""
    hidden = _permute(id_key, number)
    return str(_uuid8(hidden << 58 | _keyed(id_key, b"uuid%d" % number, 58)))


def number_of_uuid(id_key: bytes, text: str) -> int | None:
    """None for what is not a uuid of this tenant, in whatever way."""
    if not _UUID.fullmatch(text):
        return None
    value = uuid.UUID(text)
    if value.version != 8 or value.variant != uuid.RFC_4122:  # noqa: PLR2004  # RFC 9562
        return None
    payload = _payload8(value)
    number = _unpermute(id_key, payload >> 58)
    genuine = number is not None and payload & (1 << 58) - 1 == _keyed(id_key, b"uuid%d" % number, 58)
    return number if genuine else None


def lead_id(id_key: bytes, number: int) -> str:
    """chatbot: `lead_` and 16 hex digits."""
    return f"lead_{_permute(id_key, number):016x}"


def number_of_lead_id(id_key: bytes, text: str) -> int | None:
    match = _LEAD_ID.fullmatch(text)
    return _unpermute(id_key, int(match[1], 16)) if match else None


# --- inside -----------------------------------------------------------------------------------------------------------


def _from_crockford(text: str) -> int:
    value = 0
    for character in text:
        value = value << 5 | CROCKFORD.index(character)
    return value


def _uuid8(payload: int) -> uuid.UUID:
    """122 payload bits around the version and the variant of RFC 9562, section 5.8."""
    a, b, c = payload >> 74, payload >> 62 & 0xFFF, payload & (1 << 62) - 1
    return uuid.UUID(int=a << 80 | 8 << 76 | b << 64 | 2 << 62 | c)


def _payload8(value: uuid.UUID) -> int:
    number = value.int
    return number >> 80 << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1


def _keyed(key: bytes, message: bytes, bits: int) -> int:
    digest = hashlib.blake2b(message, key=key, digest_size=8).digest()
    return int.from_bytes(digest) >> (64 - bits)


def _permute(key: bytes, number: int) -> int:
    """A balanced Feistel network over 64 bits: 24 zero bits and the number, mixed beyond recognition."""
    left, right = number >> 32, number & 0xFFFFFFFF
    for round_ in range(ROUNDS):
        left, right = right, left ^ _keyed(key, b"%d:%d" % (round_, right), 32)
    return left << 32 | right


def _unpermute(key: bytes, hidden: int) -> int | None:
    left, right = hidden >> 32, hidden & 0xFFFFFFFF
    for round_ in reversed(range(ROUNDS)):
        left, right = right ^ _keyed(key, b"%d:%d" % (round_, left), 32), left
    number = left << 32 | right
    return number if 0 < number < 1 << NUMBER_BITS else None
