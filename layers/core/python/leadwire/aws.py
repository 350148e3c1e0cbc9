"""The ports on AWS: DynamoDB, SQS, EventBridge, KMS. Clients are made at first use and share boto3's session.

A batch that a service refuses as a whole counts as refused, each of its members: what the callers do about a part, they
do about all (the stream comes again, the due index rings again).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from . import telemetry
from .ports import Bus, BusEntry, Message, Ports, Queue, Vault
from .settings import Settings
from .store.dynamodb import DynamoEngine

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_sqs.client import SQSClient

CONNECT_TIMEOUT, READ_TIMEOUT, ATTEMPTS = 1, 3, 3
LARGEST_BATCH, LARGEST_REQUEST = 10, 1_000_000
"""Entries and bytes of one SendMessageBatch or PutEvents; both services take 1 MiB (docs, 2026-01)."""
ENVELOPE = 200
"""Bytes that an entry costs beside its text, rounded up."""
NONCE = 12
SOURCE = "leadwire"


def ports(settings: Settings) -> Ports:
    endpoint = settings.endpoint_url or None
    return Ports(
        settings=settings,
        engine=DynamoEngine(settings.table, endpoint_url=endpoint),
        queue=SqsQueue(endpoint),
        bus=EventBridgeBus(settings.bus, endpoint),
        vault=KmsVault(settings.kms_key_id, endpoint),
        clock=time.time,
    )


class SqsQueue(Queue):
    """Standard queues; the message's group makes them fair between tenants."""

    def __init__(self, endpoint_url: str | None) -> None:
        self._endpoint_url = endpoint_url

    @cached_property
    def _client(self) -> SQSClient:
        return boto3.client("sqs", endpoint_url=self._endpoint_url, config=_config())

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        refused: list[Message] = []
        for batch in _batches([len(message.body.encode()) for message in messages]):
            failed = self._send_batch(url, {str(at): messages[at] for at in batch})
            refused += [messages[int(at)] for at in failed]
        return refused

    def _send_batch(self, url: str, batch: dict[str, Message]) -> list[str]:
        try:
            answer = self._client.send_message_batch(
                QueueUrl=url,
                Entries=[
                    {
                        "Id": at,
                        "MessageBody": message.body,
                        "MessageGroupId": message.group,
                        "DelaySeconds": message.delay,
                    }
                    for at, message in batch.items()
                ],
            )
        except (ClientError, BotoCoreError) as error:
            telemetry.fault("queue.failed", error, messages=len(batch))
            return list(batch)
        for failure in answer.get("Failed", []):
            telemetry.say("queue.refused", code=failure["Code"], sender_fault=failure["SenderFault"])
        return [failure["Id"] for failure in answer.get("Failed", [])]


class EventBridgeBus(Bus):
    """One event bus; every entry has the source `leadwire`."""

    def __init__(self, name: str, endpoint_url: str | None) -> None:
        self._name = name
        self._endpoint_url = endpoint_url

    @cached_property
    def _client(self) -> EventBridgeClient:
        return boto3.client("events", endpoint_url=self._endpoint_url, config=_config())

    def put(self, entries: Sequence[BusEntry]) -> list[int]:
        refused: list[int] = []
        for batch in _batches([len(entry.detail.encode()) for entry in entries]):
            refused += [batch[at] for at in self._put_batch([entries[at] for at in batch])]
        return refused

    def _put_batch(self, batch: list[BusEntry]) -> list[int]:
        try:
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": SOURCE,
                        "DetailType": entry.detail_type,
                        "Detail": entry.detail,
                    }
                    for entry in batch
                ]
            )
        except (ClientError, BotoCoreError) as error:
            telemetry.fault("bus.failed", error, entries=len(batch))
            return list(range(len(batch)))
        receipts = answer["Entries"]
        for receipt in receipts:
            if "ErrorCode" in receipt:
                telemetry.say("bus.refused", code=receipt["ErrorCode"])
        return [at for at, receipt in enumerate(receipts) if "ErrorCode" in receipt]


class KmsVault(Vault):
    """Envelopes: AES-256-GCM under a data key of its own for each secret; KMS opens the data key.

    Sealed: two bytes of length, the data key as KMS encrypted it, the nonce, the ciphertext. The context is bound
    twice: as KMS's encryption context and as the cipher's associated data. Opened data keys stay in memory while the
    environment lives, so that a busy endpoint costs one call to KMS: who needs a key that is being opened waits for it.
    """

    def __init__(self, key_id: str, endpoint_url: str | None) -> None:
        self._key_id = key_id
        self._endpoint_url = endpoint_url
        self._opened: dict[tuple[bytes, str], Future[bytes]] = {}
        self._lock = threading.Lock()

    @cached_property
    def _client(self) -> KMSClient:
        return boto3.client("kms", endpoint_url=self._endpoint_url, config=_config())

    def seal(self, secret: str, context: str) -> bytes:
        made = self._client.generate_data_key(
            KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=_encryption_context(context)
        )
        locked, nonce = made["CiphertextBlob"], os.urandom(NONCE)
        text = _cipher(made["Plaintext"]).encrypt(nonce, secret.encode(), context.encode())
        return len(locked).to_bytes(2) + locked + nonce + text

    def open(self, sealed: bytes, context: str) -> str:
        start = 2 + int.from_bytes(sealed[:2])
        data_key = self._data_key(sealed[2:start], context)
        nonce, text = sealed[start : start + NONCE], sealed[start + NONCE :]
        return _cipher(data_key).decrypt(nonce, text, context.encode()).decode()

    def _data_key(self, locked: bytes, context: str) -> bytes:
        with self._lock:
            first = (locked, context) not in self._opened
            opened = self._opened.setdefault((locked, context), Future())
        if first:
            try:
                opened.set_result(self._opened_by_kms(locked, context))
            except BaseException as error:  # noqa: BLE001  # handed on to all who wait; the next one asks again
                del self._opened[locked, context]
                opened.set_exception(error)
        return opened.result()

    def _opened_by_kms(self, locked: bytes, context: str) -> bytes:
        opened = self._client.decrypt(
            KeyId=self._key_id, CiphertextBlob=locked, EncryptionContext=_encryption_context(context)
        )
        return opened["Plaintext"]


def _cipher(data_key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # 24 ms: for secrets only

    return AESGCM(data_key)


def _encryption_context(context: str) -> dict[str, str]:
    return {"leadwire": context}


def _config() -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )


def _batches(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Positions, cut into requests by number and by size."""
    batch: list[int] = []
    total = 0
    for at, size in enumerate(sizes):
        if batch and (len(batch) == LARGEST_BATCH or total + size + ENVELOPE > LARGEST_REQUEST):
            yield batch
            batch, total = [], 0
        batch.append(at)
        total += size + ENVELOPE
    if batch:
        yield batch
