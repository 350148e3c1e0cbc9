"""What SQS promises, on a clock that only the test moves."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from leadwire.ports import Message
from leadwire.store.database import Database
from local.clock import Clock
from local.consumers import QueuePump
from local.description import Queue, QueueMapping
from local.queues import InvalidMessage, Queues
from local.runtime import FunctionFailed

SPECS = {
    "jobs": Queue("jobs", visibility=60, dead_letters="dead", max_receives=2),
    "slow": Queue("slow", delay=10, retention=3600),
    "dead": Queue("dead"),
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queues(open_database: Callable[..., Database], clock: Clock) -> Queues:
    return Queues(open_database(), SPECS, clock)


def send(queues: Queues, *bodies: str, group: str = "", queue: str = "jobs") -> None:
    queues.send(queue, [Message(body, group) for body in bodies])


def bodies(queues: Queues, limit: int = 10, queue: str = "jobs") -> list[str]:
    return [message.body for message in queues.receive(queue, limit)]


def test_messages_come_in_the_order_in_which_they_were_sent(queues: Queues) -> None:
    send(queues, "a", "b", "c")
    assert bodies(queues, 2) == ["a", "b"]
    assert bodies(queues) == ["c"]


def test_a_received_message_is_hidden_until_its_visibility_ends(queues: Queues, clock: Clock) -> None:
    send(queues, "a")
    assert bodies(queues) == ["a"]
    clock.move(clock() + 59)
    assert bodies(queues) == []
    clock.move(clock() + 1)
    (again,) = queues.receive("jobs", 10)
    assert again.received == 2


def test_a_delayed_message_appears_when_its_delay_ends(queues: Queues, clock: Clock) -> None:
    queues.send("jobs", [Message("a", "", delay=900)])
    send(queues, "b", queue="slow")
    clock.move(clock() + 10)
    assert bodies(queues, queue="slow") == ["b"]
    assert bodies(queues) == []
    clock.move(clock() + 890)
    assert bodies(queues) == ["a"]


def test_a_deleted_message_never_comes_back(queues: Queues, clock: Clock) -> None:
    send(queues, "a")
    queues.delete(queues.receive("jobs", 1))
    clock.move(clock() + 3600)
    assert bodies(queues) == []


def test_an_old_receipt_does_not_delete_what_was_received_again(queues: Queues, clock: Clock) -> None:
    send(queues, "a")
    stale = queues.receive("jobs", 1)
    clock.move(clock() + 60)
    queues.receive("jobs", 1)
    queues.delete(stale)
    assert [message.body for message in queues.waiting("jobs")] == ["a"]


def test_a_message_received_too_often_goes_to_the_dead_letters(queues: Queues, clock: Clock) -> None:
    send(queues, "a")
    for _ in range(2):
        assert bodies(queues) == ["a"]
        clock.move(clock() + 60)
    assert bodies(queues) == []
    assert bodies(queues, queue="dead") == ["a"]


def test_groups_take_turns_whatever_the_length_of_their_backlog(queues: Queues) -> None:
    send(queues, *(f"noisy{n}" for n in range(100)), group="noisy")
    send(queues, "quiet0", "quiet1", group="quiet")
    send(queues, "calm0", group="calm")
    assert bodies(queues, 5) == ["calm0", "noisy0", "quiet0", "noisy1", "quiet1"]


def test_more_groups_than_a_batch_has_places_are_all_served_in_turn(queues: Queues) -> None:
    for group in "abcd":
        send(queues, f"{group}0", f"{group}1", group=group)
    assert bodies(queues, 3) == ["a0", "b0", "c0"]
    assert bodies(queues, 3) == ["d0", "a1", "b1"]
    assert bodies(queues, 3) == ["c1", "d1"]


def test_old_messages_are_forgotten(queues: Queues, clock: Clock) -> None:
    send(queues, "a", queue="slow")
    clock.move(clock() + 3601)
    queues.forget()
    assert queues.due("slow") is None


def test_refused_messages_are_returned_and_the_others_are_sent(queues: Queues) -> None:
    queues.refuse(1)
    refused = queues.send("jobs", [Message("a", ""), Message("b", "")])
    assert refused == [Message("a", "")]
    assert bodies(queues) == ["b"]


@pytest.mark.parametrize(
    "message", [Message("", ""), Message("x" * 1_048_577, ""), Message("x", "", 901), Message("x", "", -1)]
)
def test_what_sqs_does_not_take_is_refused(queues: Queues, message: Message) -> None:
    with pytest.raises(InvalidMessage):
        queues.send("jobs", [message])


def test_an_unknown_queue_is_refused(queues: Queues) -> None:
    with pytest.raises(InvalidMessage, match="there is no queue nope"):
        send(queues, "a", queue="nope")


def test_sending_wakes_the_consumer_of_the_queue(queues: Queues) -> None:
    woken: list[str] = []
    queues.wake["jobs"] = lambda: woken.append("jobs")
    send(queues, "a")
    send(queues, "b", queue="slow")
    assert woken == ["jobs"]


def test_the_next_process_takes_up_what_the_last_one_was_working_on(
    open_database: Callable[..., Database], tmp_path: Path, clock: Clock
) -> None:
    first = Queues(open_database(tmp_path / "q.db"), SPECS, clock)
    send(first, "held", "failed")
    held, failed = first.receive("jobs", 2)
    first.let_go([failed])
    second = Queues(open_database(tmp_path / "q.db"), SPECS, clock)
    second.recover()
    (again,) = second.receive("jobs", 10)
    assert (again.body, again.received) == (held.body, 2)


def test_consumers_on_many_threads_never_share_a_message(
    open_database: Callable[..., Database], tmp_path: Path, clock: Clock
) -> None:
    queues = Queues(open_database(tmp_path / "q.db"), SPECS, clock)
    send(queues, *(str(n) for n in range(200)))
    taken: list[str] = []

    def consume() -> None:
        while found := bodies(queues, 3):
            taken.extend(found)

    threads = [threading.Thread(target=consume) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(n) for n in range(200)]


# --- the event source mapping -----------------------------------------------------------------------------------------

Handler = Callable[[str, dict], object]


def pump(queues: Queues, clock: Clock, handler: Handler, **changes: int) -> QueuePump:
    values = {"batch_size": 3, "window": 0, **changes}
    return QueuePump(queues, QueueMapping("m", "jobs", "Work", partial=True, **values), handler, clock)


def test_a_batch_that_succeeds_is_deleted(queues: Queues, clock: Clock) -> None:
    events: list[dict] = []
    send(queues, "a", "b", "c", "d", group="t1")
    consumer = pump(queues, clock, lambda _, event: events.append(event))
    assert [consumer.step(), consumer.step(), consumer.step()] == [True, True, False]
    assert [[record["body"] for record in event["Records"]] for event in events] == [["a", "b", "c"], ["d"]]
    assert queues.due("jobs") is None


def test_a_record_has_the_shape_of_sqs(queues: Queues, clock: Clock) -> None:
    events: list[dict] = []
    send(queues, "a", group="t1")
    pump(queues, clock, lambda _, event: events.append(event)).step()
    (record,) = events[0]["Records"]
    assert record == {
        "messageId": "00000000-0000-0000-0000-000000000001",
        "receiptHandle": "1:1",
        "body": "a",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1780000000000",
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": "1780000000000",
            "MessageGroupId": "t1",
        },
        "messageAttributes": {},
        "md5OfBody": "0cc175b9c0f1b6a831c399e269772661",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:mars-west-1:000000000000:jobs",
        "awsRegion": "mars-west-1",
    }


def test_only_the_reported_items_of_a_batch_are_retried(queues: Queues, clock: Clock) -> None:
    def handler(_: str, event: dict) -> object:
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "b"]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}

    send(queues, "a", "b", "c")
    consumer = pump(queues, clock, handler)
    consumer.step()
    assert [message.body for message in queues.waiting("jobs")] == ["b"]
    for _ in range(2):
        clock.move(clock() + 60)
        consumer.step()
    assert [message.body for message in queues.waiting("dead")] == ["b"]


@pytest.mark.parametrize(
    "answer", [{"batchItemFailures": [{"itemIdentifier": "?"}]}, {"batchItemFailures": [{}]}, "no"]
)
def test_an_answer_that_makes_no_sense_fails_the_whole_batch(queues: Queues, clock: Clock, answer: object) -> None:
    send(queues, "a", "b")
    pump(queues, clock, lambda *_: answer).step()
    assert len(queues.waiting("jobs")) == 2


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_success(queues: Queues, clock: Clock, answer: object) -> None:
    send(queues, "a")
    pump(queues, clock, lambda *_: answer).step()
    assert queues.due("jobs") is None


def test_a_function_that_raises_keeps_its_whole_batch(queues: Queues, clock: Clock) -> None:
    def handler(*_: object) -> object:
        raise FunctionFailed("ValueError", "no", "id", [])

    send(queues, "a", "b")
    pump(queues, clock, handler).step()
    assert len(queues.waiting("jobs")) == 2


def test_a_batching_window_waits_for_a_full_batch_or_its_end(queues: Queues, clock: Clock) -> None:
    sizes: list[int] = []
    consumer = pump(queues, clock, lambda _, event: sizes.append(len(event["Records"])), window=20)
    send(queues, "a", "b")
    assert consumer.step() is False
    send(queues, "c")
    assert consumer.step() is True
    send(queues, "d")
    assert consumer.step() is False
    assert consumer.due() == int(clock() + 20) * 1000
    clock.move(clock() + 20)
    assert consumer.step() is True
    assert sizes == [3, 1]
