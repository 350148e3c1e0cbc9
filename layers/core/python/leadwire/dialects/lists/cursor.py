"""Cursors of the lists dialect: where the next page begins, signed for the tenant and for the list it belongs to.

A cursor carries the number of the last lead shown. Numbers never change and are listed downwards, so a lead that exists
throughout is neither skipped nor repeated, whatever is inserted, changed or deleted between two pages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from leadwire.context import Tenant
from leadwire.errors import FieldError, InvalidInput

_NUMBER = 5
"""Bytes of a number: 40 bits, as in ids.py."""
_SIGNATURE = 12
PATTERN = "^[A-Za-z0-9_-]{23}$"
"""Both, in base 64."""


def write(tenant: Tenant, number: int, fingerprint: str) -> str:
    """The cursor after this lead, in the list that `fingerprint` describes."""
    body = number.to_bytes(_NUMBER)
    return base64.urlsafe_b64encode(body + _signature(tenant, body, fingerprint)).rstrip(b"=").decode()


def read(tenant: Tenant, cursor: str, fingerprint: str) -> int:
    """The number that the page must stay below. InvalidInput for a cursor that is not ours or of another list."""
    try:
        body = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)[:_NUMBER]
    except (binascii.Error, ValueError):
        body = b""
    # The text is compared, not its bytes: several texts decode to the same.
    if not body or not hmac.compare_digest(write(tenant, int.from_bytes(body), fingerprint).encode(), cursor.encode()):
        raise InvalidInput(FieldError("cursor", "is not a cursor of this list", "cursor", cursor[:100]))
    return int.from_bytes(body)


def _signature(tenant: Tenant, body: bytes, fingerprint: str) -> bytes:
    message = b"cursor" + body + fingerprint.encode()
    return hashlib.blake2b(message, key=tenant.id_key, digest_size=_SIGNATURE).digest()
