"""Signatures of Standard Webhooks 1.0.0 (standardwebhooks.com), made by that project's own package. Pure.

A secret of the form `whsec_<base64>` signs with the 24 to 64 bytes it spells. Any other text that a customer chose
signs with its UTF-8 bytes; to verify, its receiver gives those bytes to the library: `Webhook(secret.encode())`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
SHORTEST = 24
LONGEST = 64


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def problem(secret: str) -> str | None:
    """Why a customer's own secret is refused, or None."""
    if not secret:
        return "must not be empty"
    if not secret.startswith(PREFIX):
        return None
    try:
        length = len(key(secret))
    except ValueError:
        length = 0
    return (
        None if SHORTEST <= length <= LONGEST else f"must be {PREFIX} and the base64 of {SHORTEST} to {LONGEST} bytes"
    )


def key(secret: str) -> bytes:
    """The bytes that sign."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    text = secret.removeprefix(PREFIX)
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def headers(message_id: str, at: int, body: str, secrets_: Sequence[str]) -> dict[str, str]:
    """The three headers; one signature for each secret, so that receivers can change secrets in their own time.

    `at` is epoch seconds, the time of this attempt.
    """
    moment = datetime.fromtimestamp(at, UTC)
    signatures = [Webhook(key(secret)).sign(message_id, moment, body) for secret in secrets_]
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def of_body(body: str, secret: str) -> str:
    """A face's own header: HMAC-SHA256 of the raw body under the secret as it was shown, `whsec_` and all."""
    return "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
