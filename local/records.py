"""Stream records and SQS messages in the shapes in which Lambda hands them to a function."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from leadwire.store.stream import StreamRecord
from leadwire.store.types import Value

from .description import ACCOUNT, REGION, StreamMapping, arn
from .queues import Received

SHARD = "shardId-00000000000000000000-00000000"


def keys_only(record: StreamRecord) -> dict[str, Any]:
    """A stream record without its images: enough for most filters, and cheap."""
    keys = {"pk": {"S": record.key.pk}, "sk": {"S": record.key.sk}}
    event: dict[str, Any] = {
        "eventID": f"{record.seq:032x}",
        "eventName": record.name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": int(record.at),
            "Keys": keys,
            "SequenceNumber": sequence_number(record),
            "SizeBytes": len(record.old_text or "") + len(record.new_text or ""),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
    if record.expired:
        event["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    return event


def stream_record(record: StreamRecord, source: str) -> dict[str, Any]:
    """The whole stream record; `source` is the stream's ARN."""
    event = keys_only(record) | {"eventSourceARN": source}
    for name, image in (("NewImage", record.new), ("OldImage", record.old)):
        if image is not None:
            event["dynamodb"][name] = {key: typed(value) for key, value in image.items()}
    return event


def sequence_number(record: StreamRecord) -> str:
    return f"{record.seq:021d}"


def typed(value: Value) -> dict[str, Any]:
    """A value in DynamoDB's JSON."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case frozenset():
            return {"SS": sorted(value)}
        case Mapping():
            return {"M": {name: typed(part) for name, part in value.items()}}
        case Sequence():
            return {"L": [typed(part) for part in value]}


def queue_record(message: Received, queue: str) -> dict[str, Any]:
    """A message as an SQS event source hands it over."""
    attributes = {
        "ApproximateReceiveCount": str(message.received),
        "SentTimestamp": str(message.sent),
        "SenderId": ACCOUNT,
        "ApproximateFirstReceiveTimestamp": str(message.first),
    }
    if message.group:
        attributes["MessageGroupId"] = message.group
    return {
        "messageId": message_id(message),
        "receiptHandle": f"{message.id}:{message.received}",
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("sqs", queue),
        "awsRegion": REGION,
    }


def message_id(message: Received) -> str:
    return str(uuid.UUID(int=message.id))


def abandoned(
    mapping: StreamMapping, records: Sequence[StreamRecord], condition: str, failures: int, now: float
) -> dict[str, Any]:
    """What AWS sends to the on-failure queue: where the records are, never the records."""
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": arn("lambda", f"function:{mapping.function}"),
            "condition": condition,
            "approximateInvokeCount": failures,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _iso(now),
        "DDBStreamBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": sequence_number(records[0]),
            "endSequenceNumber": sequence_number(records[-1]),
            "approximateArrivalOfFirstRecord": _iso(records[0].at),
            "approximateArrivalOfLastRecord": _iso(records[-1].at),
            "batchSize": len(records),
            "streamArn": mapping.source,
        },
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
