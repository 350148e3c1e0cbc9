"""Endpoints that come and go while another request is at work on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from leadwire import chatbots
from leadwire.context import Ctx, open_ctx
from leadwire.dialects.chatbot.faces import FACE as CHATBOT
from leadwire.dialects.public.faces import CONVERSATION_COMPLETED
from leadwire.dialects.public.faces import FACE_V1_CHAT_WIDGET as V1
from leadwire.errors import NotFound, WebhookLimitReached
from leadwire.webhooks import service
from leadwire.webhooks.model import Webhook
from leadwire.webhooks.service import Created
from tests.factories import Overtaken

HOOK = "https://example.com/hook"
WORDS = frozenset({CONVERSATION_COMPLETED})


def overtaken(pipeline: Any, meanwhile: Callable[[], object]) -> Ctx:
    """Whoever works through this Ctx is overtaken once."""
    engine = Overtaken(pipeline.ports.engine)
    engine.meanwhile = meanwhile
    ports = replace(pipeline.ports, engine=engine)
    return open_ctx(ports, pipeline.ctx.tenant, pipeline.ctx.actor, "overtaken")


def add(ctx: Ctx, url: str = HOOK) -> Webhook | Created:
    return service.create_once(ctx, V1, WORDS, url)


def urls(ctx: Ctx) -> list[str]:
    return [webhook.url for webhook in service.every(ctx, V1)]


def test_of_two_that_add_one_url_at_once_the_second_is_told_of_the_first(pipeline: Any) -> None:
    made: list[Any] = []
    late = add(overtaken(pipeline, lambda: made.append(add(pipeline.ctx))))
    assert (made[0].webhook, urls(pipeline.ctx)) == (late, [HOOK])


def test_as_many_endpoints_as_before_are_not_the_same_ones(pipeline: Any) -> None:
    """One goes and the URL comes meanwhile: their number alone would not tell."""
    add(pipeline.ctx, f"{HOOK}/old")

    def swap() -> None:
        service.delete_url(pipeline.ctx, V1, f"{HOOK}/old")
        add(pipeline.ctx)

    late = add(overtaken(pipeline, swap))
    assert isinstance(late, Webhook)
    assert urls(pipeline.ctx) == [HOOK]


def test_another_url_that_comes_meanwhile_is_in_nobodys_way(pipeline: Any) -> None:
    late = add(overtaken(pipeline, lambda: add(pipeline.ctx, f"{HOOK}/other")))
    assert isinstance(late, Created)
    assert sorted(urls(pipeline.ctx)) == [HOOK, f"{HOOK}/other"]


def test_the_last_place_is_given_once(pipeline: Any) -> None:
    for number in range(V1.limit - 1):
        add(pipeline.ctx, f"{HOOK}/{number}")
    with pytest.raises(WebhookLimitReached):
        add(overtaken(pipeline, lambda: add(pipeline.ctx, f"{HOOK}/last")))
    assert len(urls(pipeline.ctx)) == V1.limit
    assert isinstance(add(pipeline.ctx, f"{HOOK}/last"), Webhook)


def test_a_chatbot_whose_webhook_is_swapped_for_another_meanwhile_is_deleted_with_that_one(pipeline: Any) -> None:
    bot = chatbots.create(pipeline.ctx, "Sales").id
    create = partial(
        service.create, pipeline.ctx, CHATBOT, event_types=frozenset({"LEAD_CREATED"}), url=HOOK, scope=bot
    )
    first = create().webhook

    def swap() -> None:
        service.delete(pipeline.ctx, CHATBOT, first.id, bot)
        create()

    ctx = overtaken(pipeline, swap)
    assert service.delete_scope(ctx, CHATBOT, bot, partial(chatbots.delete, ctx, bot)) == bot
    assert service.every(pipeline.ctx, CHATBOT, bot) == []
    with pytest.raises(NotFound):
        chatbots.get(pipeline.ctx, bot)
