"""The table in Amazon DynamoDB, through boto3's low-level client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 (botocore's own name)

from . import limits
from .capacity import cancelled_units, refused_units
from .engine import Engine
from .expressions import marshal_item, marshal_key, query_request, unmarshal_item, write_request
from .types import (
    Check,
    ConditionFailed,
    Consumed,
    Delete,
    InvalidOperation,
    Item,
    Key,
    Page,
    Put,
    Query,
    StoreError,
    Throttled,
    TransactionConflict,
    TransactionFailed,
    TransactWrite,
    Unavailable,
    Update,
    Write,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

CONNECT_TIMEOUT, READ_TIMEOUT = 1, 3
"""Seconds. A healthy table answers within tens of milliseconds; a handler must not spend its time on a silent one."""
SERVER_FAULT = 500
TOTAL = {"ReturnConsumedCapacity": "TOTAL"}

ERRORS: Mapping[str, type[StoreError]] = {
    "ValidationException": InvalidOperation,
    "ProvisionedThroughputExceededException": Throttled,
    "ThrottlingException": Throttled,
    "RequestLimitExceeded": Throttled,
    "TransactionConflictException": TransactionConflict,
    "TransactionInProgressException": TransactionConflict,
    "InternalServerError": Unavailable,
    "ServiceUnavailable": Unavailable,
}
REASONS: Mapping[str, type[StoreError]] = {
    "TransactionConflict": TransactionConflict,
    "ThrottlingError": Throttled,
    "ProvisionedThroughputExceeded": Throttled,
    "ValidationError": InvalidOperation,
    "ItemCollectionSizeLimitExceeded": InvalidOperation,
}
"""Why a transaction was cancelled, most telling first, when it was not for a condition."""
KINDS: Mapping[type, str] = {Put: "Put", Update: "Update", Delete: "Delete", Check: "ConditionCheck"}

CONNECTIONS = 100
"""Kept open at most: the threads of deliver_webhooks write at once, and what a pool has no room for is closed again."""
THREADS = 10
"""Requests of one call at the same time."""


class DynamoEngine(Engine):
    """The table `name`. The client is made by `open`, or at the first request.

    A request that may be repeated without harm is sent once more when the table is silent or at fault: reads, batches,
    and transactions, which carry a token. A single write is not: an `add` would count twice, and a condition would meet
    its own write. Throttles are left to `Table`. Consumed capacity is what AWS reports, because that is what it bills.
    """

    def __init__(self, name: str, *, endpoint_url: str | None = None) -> None:
        self.name = name
        self._endpoint_url = endpoint_url

    def open(self) -> None:
        """The client reads a megabyte of service model."""
        self._client  # noqa: B018  # made when it is first asked for

    @cached_property
    def _client(self) -> DynamoDBClient:
        once = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        return boto3.client("dynamodb", endpoint_url=self._endpoint_url, config=once)

    # --- reads --------------------------------------------------------------------------------------------------------

    def concurrently[Result](self, calls: Sequence[Callable[[], Result]], *, writes: bool) -> list[Result]:
        """On threads: each call is a request that waits for its answer."""
        del writes
        if len(calls) < 2:  # noqa: PLR2004  # one call needs no company
            return [call() for call in calls]
        with ThreadPoolExecutor(min(len(calls), THREADS)) as pool:
            return list(pool.map(lambda call: call(), calls))

    def get(self, key: Key, *, consistent: bool) -> tuple[Item | None, Consumed]:
        limits.check_key(key)
        answer = _repeated(self._client.get_item, TableName=self.name, Key=marshal_key(key), ConsistentRead=consistent)
        item = unmarshal_item(answer["Item"]) if "Item" in answer else None
        return item, Consumed(rru=_units(answer))

    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        limits.check_batch_get(keys)
        wanted = {"Keys": [marshal_key(key) for key in keys], "ConsistentRead": consistent}
        answer = _repeated(self._client.batch_get_item, RequestItems={self.name: wanted})
        items = [unmarshal_item(item) for item in answer["Responses"].get(self.name, [])]
        left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return items, [Key(key["pk"]["S"], key["sk"]["S"]) for key in left], Consumed(rru=_units(answer))

    def query(self, query: Query) -> tuple[Page, Consumed]:
        limits.check_query(query)
        answer = _repeated(self._client.query, TableName=self.name, **query_request(query))
        last = answer.get("LastEvaluatedKey")
        page = Page([unmarshal_item(item) for item in answer["Items"]], unmarshal_item(last) if last else None)
        return page, Consumed(rru=_units(answer))

    # --- writes -------------------------------------------------------------------------------------------------------

    def write(self, op: Write) -> tuple[Item | None, Consumed]:
        limits.check_write(op)
        send: Callable[..., Any]
        match op:
            case Put():
                send, returned = self._client.put_item, "NONE"
            case Update():
                send, returned = self._client.update_item, "ALL_NEW"
            case Delete():
                send, returned = self._client.delete_item, "ALL_OLD"
        answer = _sent(send, TableName=self.name, ReturnValues=returned, **write_request(op))
        item = unmarshal_item(answer["Attributes"]) if answer.get("Attributes") else None
        return item, Consumed(wru=_units(answer))

    def transact(self, ops: Sequence[TransactWrite]) -> Consumed:
        limits.check_transaction(ops)
        items = [{KINDS[type(op)]: {"TableName": self.name, **write_request(op)}} for op in ops]
        send = self._client.transact_write_items
        try:
            answer = _repeated(send, TransactItems=items, ClientRequestToken=uuid4().hex)
        except _Cancelled as cancelled:
            raise _cancellation(ops, cancelled.reasons) from cancelled
        return Consumed(wru=_units(answer))

    def batch_write(self, ops: Sequence[Put | Delete]) -> tuple[list[Put | Delete], Consumed]:
        limits.check_batch_write(ops)
        requests = [
            {"PutRequest": {"Item": marshal_item(op.item)}}
            if isinstance(op, Put)
            else {"DeleteRequest": {"Key": marshal_key(op.key)}}
            for op in ops
        ]
        answer = _repeated(self._client.batch_write_item, RequestItems={self.name: requests})
        left = {_written_key(request) for request in answer.get("UnprocessedItems", {}).get(self.name, [])}
        return [op for op in ops if op.key in left], Consumed(wru=_units(answer))


# --- requests ---------------------------------------------------------------------------------------------------------


class _Cancelled(Exception):
    """A transaction was cancelled for these reasons, one for each operation."""

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.reasons = reasons


def _sent(send: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """The answer of one request. Raises one of the port's errors, or `_Cancelled`."""
    try:
        answer: dict[str, Any] = send(**arguments, **TOTAL)
    except ClientError as refused:
        raise _translated(refused) from refused
    except (ConnectionError, HTTPClientError) as silent:
        raise Unavailable(f"the table did not answer: {type(silent).__name__}") from silent
    return answer


def _repeated(send: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """As `_sent`, once more if the table was silent or at fault: only for what may be done twice."""
    try:
        return _sent(send, **arguments)
    except Unavailable:
        return _sent(send, **arguments)


def _translated(refused: ClientError) -> Exception:
    answer: Mapping[str, Any] = refused.response
    error = answer.get("Error", {})
    code = error.get("Code", "")
    if code == "ConditionalCheckFailedException":
        return _condition(answer)
    if code == "TransactionCanceledException":
        return _Cancelled(answer.get("CancellationReasons", []))
    if code in ERRORS:
        return ERRORS[code](f"{code}: {error.get('Message', '')}")
    if answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= SERVER_FAULT:
        return Unavailable(code)
    return refused


def _condition(answer: Mapping[str, Any]) -> ConditionFailed:
    failed = ConditionFailed(unmarshal_item(answer["Item"]) if answer.get("Item") else None)
    failed.consumed = Consumed(wru=refused_units(failed.item))
    return failed


def _cancellation(ops: Sequence[TransactWrite], reasons: Sequence[Mapping[str, Any]]) -> StoreError:
    failed = {
        at: unmarshal_item(reason["Item"]) if reason.get("Item") else None
        for at, reason in enumerate(reasons)
        if reason.get("Code") == "ConditionalCheckFailed"
    }
    if failed:
        refused = TransactionFailed(failed)
        refused.consumed = Consumed(wru=cancelled_units(ops, failed))
        return refused
    codes = [reason.get("Code") for reason in reasons]
    error = next((error for code, error in REASONS.items() if code in codes), Unavailable)
    return error(f"the transaction was cancelled: {codes}")


def _units(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity", [])
    tables = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(table.get("CapacityUnits", 0) for table in tables))


def _written_key(request: Mapping[str, Any]) -> Key:
    key = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return Key(key["pk"]["S"], key["sk"]["S"])
