from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from standardwebhooks import Webhook as Library
from standardwebhooks.webhooks import WebhookVerificationError

from leadwire import chatbots
from leadwire.context import open_ctx
from leadwire.dialects.chatbot.faces import FACE as CHATBOT
from leadwire.dialects.public.faces import FACE_V2
from leadwire.errors import Conflict, InvalidInput, NotFound, WebhookLimitReached
from leadwire.webhooks import service, signing
from leadwire.webhooks.changes import Changes
from tests import factories

HOOK = "https://example.com/hook"
OF_BOT: dict[str, Any] = {"event_types": frozenset({"LEAD_CREATED"}), "url": HOOK}


def fields(refused: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [error.path for error in refused.value.errors]


def test_a_created_endpoint_is_listed_as_it_was_made(pipeline: Any) -> None:
    first = pipeline.register(HOOK, filters={"source": ["web"]})
    pipeline.alarms.clock.advance(1)
    second = pipeline.register(HOOK)
    assert service.every(pipeline.ctx, FACE_V2) == [first, second]
    assert (first.enabled, first.event_types, first.successes, first.last_triggered_at) == (
        True,
        frozenset({"LEAD_CREATED"}),
        0,
        None,
    )


def test_a_secret_is_made_if_none_is_given_and_never_stored_or_shown_in_clear(pipeline: Any) -> None:
    made = pipeline.created(HOOK)
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert pipeline.created(HOOK, secret="my own").secret == "my own"
    assert "my own" not in repr(Changes(secret="my own"))


@pytest.mark.parametrize(
    "url", ["http://example.com", "https://user@example.com", "https://169.254.169.254", "nonsense"]
)
def test_a_url_that_may_not_be_called_is_refused_with_its_field(url: str, pipeline: Any) -> None:
    settings = replace(pipeline.ports.settings, private_targets=False)
    ctx = replace(pipeline.ctx, ports=replace(pipeline.ports, settings=settings))
    with pytest.raises(InvalidInput) as refused:
        service.create(ctx, FACE_V2, event_types=frozenset({"LEAD_CREATED"}), url=url, secret="whsec_short")
    assert fields(refused) == ["url", "secret"]
    webhook = pipeline.register(HOOK)
    with pytest.raises(InvalidInput) as refused:
        service.update(ctx, FACE_V2, webhook.id, Changes(url=url))
    assert fields(refused) == ["url"]


def test_the_seventh_is_refused_until_one_is_deleted(pipeline: Any) -> None:
    made = [pipeline.register(HOOK) for _ in range(6)]
    with pytest.raises(WebhookLimitReached):
        pipeline.register(HOOK)
    service.delete(pipeline.ctx, FACE_V2, made[0].id)
    pipeline.register(HOOK)
    with pytest.raises(WebhookLimitReached):
        pipeline.register(HOOK)


def test_twenty_that_race_never_pass_the_limit(pipeline: Any) -> None:
    refused: list[bool] = []
    start = threading.Barrier(20, timeout=10)

    def create() -> None:
        start.wait()
        try:
            pipeline.register(HOOK)
        except WebhookLimitReached:
            refused.append(True)

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(service.every(pipeline.ctx, FACE_V2)), len(refused)) == (6, 14)


def test_deleting_twice_is_not_found_and_counts_once(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    service.delete(pipeline.ctx, FACE_V2, webhook.id)
    with pytest.raises(NotFound):
        service.delete(pipeline.ctx, FACE_V2, webhook.id)
    for _ in range(6):
        pipeline.register(HOOK)
    with pytest.raises(WebhookLimitReached):
        pipeline.register(HOOK)


def test_an_endpoint_of_another_tenant_or_face_is_not_found(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    other = factories.tenant(pipeline.ports, "other")
    theirs = open_ctx(pipeline.ports, other, pipeline.ctx.actor, "request")
    for verb in (service.get, service.delete, lambda *a: service.update(*a, Changes(enabled=False))):
        with pytest.raises(NotFound):
            verb(theirs, FACE_V2, webhook.id)
        with pytest.raises(NotFound):
            verb(pipeline.ctx, replace(FACE_V2, name="other"), webhook.id)


def test_an_id_is_known_in_capitals_too(pipeline: Any) -> None:
    capitals = pipeline.register(HOOK).id.upper()
    assert service.update(pipeline.ctx, FACE_V2, capitals, Changes(enabled=False)).enabled is False
    service.delete(pipeline.ctx, FACE_V2, capitals)
    assert service.every(pipeline.ctx, FACE_V2) == []


def test_an_update_changes_what_it_names_and_nothing_else(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    after = service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(url=HOOK + "2"))
    assert after == replace(webhook, url=HOOK + "2", updated_at=after.updated_at)
    assert after.updated_at > webhook.updated_at
    assert pipeline.webhook(webhook) == after


def test_clearing_errors_resets_the_counters_of_failures(pipeline: Any, receiver: Any) -> None:
    receiver.answer = (500, {}, b"")
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    after = service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(clear_errors=True))
    assert (after.failures, after.consecutive_failures, after.last_error) == (0, 0, "")
    assert pipeline.webhook(webhook) == after


def test_updates_that_race_all_land(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    changes = [Changes(url=HOOK + "2"), Changes(enabled=False), Changes(event_types=frozenset({"MESSAGE_REPLY"}))]
    threads = [threading.Thread(target=service.update, args=(pipeline.ctx, FACE_V2, webhook.id, c)) for c in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = pipeline.webhook(webhook)
    assert (after.url, after.enabled, after.event_types) == (HOOK + "2", False, frozenset({"MESSAGE_REPLY"}))


def test_a_replaced_secret_signs_for_one_more_day(pipeline: Any, receiver: Any) -> None:
    pipeline.alarms.clock.now = time.time()
    made = pipeline.created(receiver.url)
    service.update(pipeline.ctx, FACE_V2, made.webhook.id, Changes(secret="the new one, in clear text"))
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    [(headers, body)] = receiver.received
    Library(made.secret).verify(body, headers)
    Library(b"the new one, in clear text").verify(body, headers)


def test_the_faces_own_header_is_under_the_newest_secret(pipeline: Any, receiver: Any) -> None:
    """It carries one signature: who has changed his secret has changed it there too."""
    made = service.create(pipeline.ctx, CHATBOT, event_types=frozenset({"LEAD_CREATED"}), url=receiver.url)
    rotated = service.rotate(pipeline.ctx, CHATBOT, made.webhook.id)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    [(headers, body)] = receiver.received
    assert headers["x-webhook-signature"] == signing.of_body(body, rotated.secret)
    assert headers["x-webhook-signature"] != signing.of_body(body, made.secret)


def test_a_replaced_secret_no_longer_signs_after_a_day(pipeline: Any, receiver: Any) -> None:
    pipeline.alarms.clock.now = time.time() - 86_401
    made = pipeline.created(receiver.url)
    service.update(pipeline.ctx, FACE_V2, made.webhook.id, Changes(secret="the new one, in clear text"))
    pipeline.alarms.clock.advance(86_401)
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    [(headers, body)] = receiver.received
    Library(b"the new one, in clear text").verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Library(made.secret).verify(body, headers)


def test_a_secret_that_is_to_end_soon_does_not_live_longer_for_a_later_rotation(pipeline: Any) -> None:
    webhook, now = pipeline.register(HOOK), pipeline.ctx.now_ms()
    service.rotate(pipeline.ctx, FACE_V2, webhook.id, overlap=100)
    service.rotate(pipeline.ctx, FACE_V2, webhook.id, overlap=service.LONGEST_OVERLAP)
    newest, second, oldest = pipeline.webhook(webhook).secrets
    assert newest.until is None
    assert second.until > now + 100_000 + 1000 > oldest.until >= now + 100_000


def test_at_most_ten_secrets_sign_at_once(pipeline: Any) -> None:
    webhook = pipeline.register(HOOK)
    for n in range(15):
        after = service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(secret=f"secret {n}"))
    assert len(after.secrets) == 10


def test_an_endpoint_that_is_made_while_its_chatbot_is_deleted_goes_with_it_or_is_refused(pipeline: Any) -> None:
    for _ in range(10):
        bot = chatbots.create(pipeline.ctx, "Sales").id
        start, made = threading.Barrier(2, timeout=10), list[str]()

        def make(bot: str = bot, start: threading.Barrier = start, made: list[str] = made) -> None:
            start.wait()
            with contextlib.suppress(NotFound):
                exists = chatbots.exists(pipeline.ctx, bot)
                made.append(service.create(pipeline.ctx, CHATBOT, **OF_BOT, scope=bot, requires=[exists]).webhook.id)

        thread = threading.Thread(target=make)
        thread.start()
        start.wait()
        service.delete_scope(pipeline.ctx, CHATBOT, bot, partial(chatbots.delete, pipeline.ctx, bot))
        thread.join()
        assert service.every(pipeline.ctx, CHATBOT, bot) == []
        with pytest.raises(NotFound):
            chatbots.get(pipeline.ctx, bot)


def test_deleting_what_is_not_there_deletes_no_endpoint(pipeline: Any) -> None:
    bot = chatbots.create(pipeline.ctx, "Sales").id
    webhook = service.create(pipeline.ctx, CHATBOT, **OF_BOT, scope=bot).webhook
    for unknown, refusal in (("cb_0000000000000000", NotFound), (chatbots.DEFAULT, Conflict)):
        with pytest.raises(refusal):
            service.delete_scope(pipeline.ctx, CHATBOT, bot, partial(chatbots.delete, pipeline.ctx, unknown))
    assert service.every(pipeline.ctx, CHATBOT, bot) == [webhook]
