from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from leadwire.webhooks import signing

BODY = '{"name":"Zoë"}'
GIVEN = "whsec_" + base64.b64encode(bytes(range(24))).decode()


def test_the_published_library_verifies_what_we_sign() -> None:
    secret = signing.new_secret()
    headers = signing.headers("msg_1_1", int(time.time()), BODY, [secret])
    assert Webhook(secret).verify(BODY, headers) == {"name": "Zoë"}


def test_the_signature_is_the_hmac_of_id_time_and_body() -> None:
    headers = signing.headers("msg_1_1", 1_700_000_000, BODY, [GIVEN])
    digest = hmac.new(bytes(range(24)), f"msg_1_1.1700000000.{BODY}".encode(), hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def test_during_a_rotation_the_old_and_the_new_secret_both_verify() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers("msg_1_1", int(time.time()), BODY, [new, old])
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(BODY, headers)


def test_a_secret_of_another_form_signs_with_its_own_bytes() -> None:
    headers = signing.headers("msg_1_1", int(time.time()), BODY, ["my own secret"])
    Webhook(b"my own secret").verify(BODY, headers)


def test_new_secrets_are_32_random_bytes() -> None:
    assert len(signing.key(signing.new_secret())) == 32
    assert signing.new_secret() != signing.new_secret()


@pytest.mark.parametrize("secret", [GIVEN, GIVEN.rstrip("="), "anything", "whsec", "x" * 200])
def test_these_secrets_are_accepted(secret: str) -> None:
    assert signing.problem(secret) is None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_not base64",
        "whsec_ü",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_these_secrets_are_refused(secret: str) -> None:
    assert signing.problem(secret)


def test_the_header_of_a_face_is_under_the_secret_as_it_was_shown() -> None:
    digest = hmac.new(GIVEN.encode(), BODY.encode(), hashlib.sha256).hexdigest()
    assert signing.of_body(BODY, GIVEN) == f"sha256={digest}"
