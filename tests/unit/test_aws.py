from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cryptography.exceptions import InvalidTag
from moto import mock_aws

from leadwire import aws
from leadwire.ports import BusEntry, Message
from leadwire.settings import Settings


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


def vault() -> aws.KmsVault:
    key = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
    return aws.KmsVault(key, None)


def received(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while batch := boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found += batch
    return found


def test_messages_reach_the_queue_in_batches_of_ten() -> None:
    url = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    messages = [Message(f"body {n}", "tenant") for n in range(23)]
    assert aws.SqsQueue(None).send(url, messages) == []
    assert sorted(one["Body"] for one in received(url)) == sorted(message.body for message in messages)


def test_large_messages_are_cut_into_requests_by_size() -> None:
    assert list(aws._batches([400_000] * 5)) == [[0, 1], [2, 3], [4]]
    assert list(aws._batches([1] * 11)) == [list(range(10)), [10]]
    assert list(aws._batches([2_000_000])) == [[0]]
    assert list(aws._batches([])) == []


def test_messages_that_the_queue_refuses_come_back() -> None:
    queue = aws.SqsQueue(None)
    messages = [Message(f"body {n}", "tenant", delay=n) for n in range(3)]
    failure = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
    with Stubber(queue._client) as stub:
        sent = [
            {"Id": str(n), "MessageBody": f"body {n}", "MessageGroupId": "tenant", "DelaySeconds": n} for n in range(3)
        ]
        stub.add_response(
            "send_message_batch", {"Successful": [], "Failed": [failure]}, {"QueueUrl": "u", "Entries": sent}
        )
        assert queue.send("u", messages) == [messages[1]]


def test_a_batch_that_fails_as_a_whole_comes_back_and_the_next_is_still_sent() -> None:
    queue = aws.SqsQueue(None)
    messages = [Message(f"body {n}", "tenant") for n in range(12)]
    with Stubber(queue._client) as stub:
        stub.add_client_error("send_message_batch", "RequestThrottled", http_status_code=400)
        stub.add_response("send_message_batch", {"Successful": [], "Failed": []})
        assert queue.send("u", messages) == messages[:10]


def test_events_reach_the_bus_under_our_source() -> None:
    client, sqs = boto3.client("events"), boto3.client("sqs")
    client.create_event_bus(Name="ours")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.put_rule(Name="all", EventBusName="ours", EventPattern=json.dumps({"source": ["leadwire"]}))
    client.put_targets(Rule="all", EventBusName="ours", Targets=[{"Id": "1", "Arn": arn}])
    entries = [BusEntry("lead.created", json.dumps({"n": n})) for n in range(12)]
    assert aws.EventBridgeBus("ours", None).put(entries) == []
    details = [json.loads(one["Body"]) for one in received(url)]
    assert sorted(detail["detail"]["n"] for detail in details) == list(range(12))
    assert {detail["detail-type"] for detail in details} == {"lead.created"}


def test_entries_that_the_bus_refuses_are_told_by_position() -> None:
    bus = aws.EventBridgeBus("ours", None)
    refusal = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
    with Stubber(bus._client) as stub:
        first = [{"EventId": "e"}] * 10
        first[3] = refusal
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": first})
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"EventId": "e"}, refusal]})
        assert bus.put([BusEntry("lead.created", "{}")] * 12) == [3, 11]


def test_a_bus_that_does_not_answer_refuses_the_whole_batch() -> None:
    bus = aws.EventBridgeBus("ours", None)
    with Stubber(bus._client) as stub:
        stub.add_client_error("put_events", "InternalException", http_status_code=500)
        assert bus.put([BusEntry("lead.created", "{}")] * 2) == [0, 1]


def test_a_secret_opens_where_it_was_sealed_and_nowhere_else() -> None:
    ours = vault()
    sealed = ours.seal("whsec_secret", "webhook/t/1")
    assert b"whsec" not in sealed
    assert aws.KmsVault(ours._key_id, None).open(sealed, "webhook/t/1") == "whsec_secret"
    with pytest.raises((ClientError, InvalidTag)):
        ours.open(sealed, "webhook/t/2")


def test_a_sealed_secret_that_was_touched_does_not_open() -> None:
    ours = vault()
    sealed = bytearray(ours.seal("whsec_secret", "webhook/t/1"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        ours.open(bytes(sealed), "webhook/t/1")


def test_the_same_secret_is_never_sealed_the_same_way() -> None:
    ours = vault()
    assert ours.seal("whsec_secret", "c") != ours.seal("whsec_secret", "c")


def test_a_data_key_is_opened_by_kms_once() -> None:
    ours = vault()
    sealed = ours.seal("whsec_secret", "webhook/t/1")
    ours.open(sealed, "webhook/t/1")
    with Stubber(ours._client):  # any further call would find no answer here
        assert ours.open(sealed, "webhook/t/1") == "whsec_secret"


def test_threads_that_need_the_same_data_key_at_once_ask_kms_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, calls, all_asked = vault(), list[str](), threading.Event()
    sealed, decrypt, count = ours.seal("whsec_secret", "c"), ours._client.decrypt, 20

    def slow(**asked: Any) -> Any:
        calls.append("decrypt")
        all_asked.wait(10)
        return decrypt(**asked)

    monkeypatch.setattr(ours._client, "decrypt", slow)
    with ThreadPoolExecutor(count) as pool:
        opened = [pool.submit(ours.open, sealed, "c") for _ in range(count)]
        all_asked.set()
    assert ([one.result() for one in opened], calls) == (["whsec_secret"] * count, ["decrypt"])


def test_a_data_key_that_kms_did_not_open_is_asked_for_again() -> None:
    ours = vault()
    sealed = ours.seal("whsec_secret", "c")
    with Stubber(ours._client) as stub:
        stub.add_client_error("decrypt", "ThrottlingException")
        with pytest.raises(ClientError):
            ours.open(sealed, "c")
    assert ours.open(sealed, "c") == "whsec_secret"


def test_no_client_is_made_before_it_is_used() -> None:
    made = aws.ports(Settings("table", "bus", "queue", "key"))
    assert all("_client" not in vars(port) for port in (made.engine, made.queue, made.bus, made.vault))
