"""An owner who changes his endpoint at the moment when a worker is about to act on what it was."""

from __future__ import annotations

from typing import Any

import pytest

from leadwire.dialects.public.faces import FACE_V2
from leadwire.webhooks import endpoints, sender, service, store
from leadwire.webhooks.changes import Changes


def update(pipeline: Any, webhook: Any, **changes: Any) -> Any:
    return service.update(pipeline.ctx, FACE_V2, webhook.id, Changes(**changes))


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """This happens once, while the next request is on its way."""
    send = sender.send

    def changed(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(sender, "send", send)
        change()
        return send(*args, **kwargs)

    monkeypatch.setattr(sender, "send", changed)


def test_an_old_url_that_is_gone_says_nothing_of_the_new_one(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers = [(410, {}, b"")]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    meanwhile(monkeypatch, lambda: update(pipeline, webhook, url=receiver.url + "/new"))
    pipeline.deliver()
    assert pipeline.webhook(webhook).enabled
    pipeline.deliver()
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]
    assert (len(receiver.received), pipeline.told()) == (2, [])


def test_an_endpoint_that_its_owner_disabled_before_it_said_gone_holds_what_it_refused(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = (410, {}, b"")
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    meanwhile(monkeypatch, lambda: update(pipeline, webhook, enabled=False))
    pipeline.deliver()
    assert [delivery.state for delivery in pipeline.deliveries()] == ["held"]
    assert (pipeline.webhook(webhook).disabled_because, pipeline.told()) == ("owner", [])


def test_an_endpoint_that_is_deleted_while_it_is_sent_something_has_an_end_in_the_log(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers = [(500, {}, b"")]
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    meanwhile(monkeypatch, lambda: service.delete(pipeline.ctx, FACE_V2, webhook.id))
    pipeline.advance(600)
    assert [(delivery.state, delivery.attempts) for delivery in pipeline.deliveries()] == [("closed", 1)]
    assert len(receiver.received) == len(pipeline.attempts()) == 1


@pytest.mark.parametrize("refused", [0, 1], ids=["at once", "from the due index, where the queue refuses the alarm"])
def test_an_endpoint_that_is_enabled_when_a_delivery_is_about_to_be_held_is_sent_it(
    refused: int, pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pipeline.register(receiver.url)
    pipeline.publish(pipeline.event())
    update(pipeline, webhook, enabled=False)
    hold = store.hold

    def too_late(*args: Any) -> bool:
        update(pipeline, webhook, enabled=True)
        pipeline.alarms.refuse = refused
        return hold(*args)

    monkeypatch.setattr(store, "hold", too_late)
    pipeline.deliver()
    pipeline.advance(240 * refused)
    pipeline.deliver()
    assert len(receiver.received) == 1


def test_an_event_that_meets_an_endpoint_just_enabled_is_not_held(
    pipeline: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = pipeline.register(receiver.url)
    disabled = update(pipeline, webhook, enabled=False)
    update(pipeline, webhook, enabled=True)
    monkeypatch.setattr(endpoints, "every", lambda *_: [disabled])  # as it was read a moment ago
    pipeline.publish(pipeline.event())
    pipeline.deliver()
    assert [delivery.state for delivery in pipeline.deliveries()] == ["delivered"]
