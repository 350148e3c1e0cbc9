"""What DynamoDB says is translated into the port's errors; what may be sent twice is, and nothing else."""

from __future__ import annotations

import json

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from leadwire.store.dynamodb import DynamoEngine
from leadwire.store.types import (
    PRESENT,
    Check,
    ConditionFailed,
    Delete,
    InvalidOperation,
    Key,
    Put,
    Query,
    Throttled,
    TransactionConflict,
    TransactionFailed,
    Unavailable,
    Update,
)
from tests.store.conftest import credentials

KEY = Key("p", "s")
ITEM = {"pk": "p", "sk": "s"}
OLD = {"pk": {"S": "p"}, "sk": {"S": "s"}, "n": {"N": "7"}}


class Wire:
    """Stands in for the network: answers each request with the next of what it was given, and keeps the requests."""

    def __init__(self) -> None:
        self.answers: list[object] = []
        self.requests: list[dict] = []

    def __call__(self, request, **_) -> AWSResponse:
        self.requests.append(json.loads(request.body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return Response(request.url, status, json.dumps(body).encode())


class Response(AWSResponse):
    def __init__(self, url: str, status: int, body: bytes) -> None:
        super().__init__(url, status, {"content-type": "application/x-amz-json-1.0"}, None)
        self._content = body


def error(code: str, status: int = 400, **more) -> tuple[int, dict]:
    return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "as told", **more}


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def engine(wire):
    with credentials():
        engine = DynamoEngine("leadwire")
        engine._client.meta.events.register("before-send.dynamodb", wire)
        yield engine


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error("ValidationException"), InvalidOperation),
        (error("ProvisionedThroughputExceededException"), Throttled),
        (error("ThrottlingException"), Throttled),
        (error("RequestLimitExceeded"), Throttled),
        (error("TransactionConflictException"), TransactionConflict),
        (error("InternalServerError", 500), Unavailable),
        (error("SomethingNew", 503), Unavailable),
        (ReadTimeoutError(endpoint_url="x"), Unavailable),
        (ConnectTimeoutError(endpoint_url="x"), Unavailable),
        (EndpointConnectionError(endpoint_url="x"), Unavailable),
    ],
)
def test_errors_become_those_of_the_port(engine, wire, answer, expected):
    wire.answers = [answer]
    with pytest.raises(expected):
        engine.write(Put(ITEM))


def test_an_error_of_the_account_stays_what_it_is(engine, wire):
    wire.answers = [error("ResourceNotFoundException")]
    with pytest.raises(engine._client.exceptions.ResourceNotFoundException):
        engine.write(Put(ITEM))


def test_a_refused_condition_carries_the_item_and_its_cost(engine, wire):
    wire.answers = [error("ConditionalCheckFailedException", Item={**OLD, "b": {"S": "x" * 3000}})]
    with pytest.raises(ConditionFailed) as refused:
        engine.write(Put(ITEM, PRESENT))
    assert refused.value.item["n"] == 7
    assert refused.value.consumed.wru == 3
    assert wire.requests[0]["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["ConditionalCheckFailed", "None"], TransactionFailed),
        (["TransactionConflict", "ConditionalCheckFailed"], TransactionFailed),
        (["None", "TransactionConflict"], TransactionConflict),
        (["ThrottlingError", "None"], Throttled),
        (["ProvisionedThroughputExceeded", "None"], Throttled),
        (["None", "ValidationError"], InvalidOperation),
        (["ThrottlingError", "TransactionConflict"], TransactionConflict),
        (["SomethingNew", "None"], Unavailable),
    ],
)
def test_the_reasons_of_a_cancelled_transaction_are_told_apart(engine, wire, codes, expected):
    reasons = [{"Code": code, **({"Item": OLD} if code == "ConditionalCheckFailed" else {})} for code in codes]
    wire.answers = [error("TransactionCanceledException", CancellationReasons=reasons)] * 2
    with pytest.raises(expected) as refused:
        engine.transact([Check(KEY, PRESENT), Delete(Key("p", "t"))])
    if expected is TransactionFailed:
        assert refused.value.failed == {codes.index("ConditionalCheckFailed"): {**ITEM, "n": 7}}


@pytest.mark.parametrize(
    "request_",
    [
        lambda engine: engine.get(KEY, consistent=True),
        lambda engine: engine.batch_get([KEY], consistent=True),
        lambda engine: engine.query(Query("p")),
        lambda engine: engine.transact([Update(KEY, add={"n": 1})]),
        lambda engine: engine.batch_write([Put(ITEM)]),
    ],
    ids=["get", "batch_get", "query", "transact", "batch_write"],
)
def test_what_may_be_sent_twice_is_sent_once_more(engine, wire, request_):
    wire.answers = [ReadTimeoutError(endpoint_url="x"), (200, {"Items": [], "Responses": {}, "ConsumedCapacity": {}})]
    request_(engine)
    assert len(wire.requests) == 2
    assert wire.requests[0] == wire.requests[1]
    wire.answers = [error("InternalServerError", 500)] * 2
    with pytest.raises(Unavailable):
        request_(engine)


@pytest.mark.parametrize("op", [Put(ITEM), Update(KEY, add={"n": 1}), Delete(KEY)])
def test_a_single_write_is_sent_once(engine, wire, op):
    wire.answers = [ReadTimeoutError(endpoint_url="x"), (200, {})]
    with pytest.raises(Unavailable):
        engine.write(op)
    assert len(wire.requests) == 1


def test_throttles_are_left_to_the_table(engine, wire):
    wire.answers = [error("ThrottlingException"), (200, {})]
    with pytest.raises(Throttled):
        engine.get(KEY, consistent=True)
    assert len(wire.requests) == 1


def test_unprocessed_rows_come_back_as_they_were_given(engine, wire):
    puts = [Put({"pk": "p", "sk": str(number), "n": number}) for number in range(3)]
    ops = [*puts, Delete(Key("p", "x"))]
    left = [
        {"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"S": "1"}, "n": {"N": "1"}}}},
        {"DeleteRequest": {"Key": {"pk": {"S": "p"}, "sk": {"S": "x"}}}},
    ]
    capacity = [{"TableName": "leadwire", "CapacityUnits": 2.0}]
    wire.answers = [(200, {"UnprocessedItems": {"leadwire": left}, "ConsumedCapacity": capacity})]
    unprocessed, consumed = engine.batch_write(ops)
    assert unprocessed == [ops[1], ops[3]]
    assert consumed.wru == 2
    missing = {"leadwire": {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "2"}}]}}
    wire.answers = [(200, {"Responses": {"leadwire": [OLD]}, "UnprocessedKeys": missing, "ConsumedCapacity": []})]
    items, keys, _ = engine.batch_get([KEY, Key("p", "2")], consistent=False)
    assert (items, keys) == ([{**ITEM, "n": 7}], [Key("p", "2")])


def test_a_limit_is_checked_before_anything_is_sent(engine, wire):
    with pytest.raises(InvalidOperation):
        engine.write(Put({**ITEM, "n": 1.5}))
    assert wire.requests == []


def test_an_engine_costs_nothing_until_it_is_used():
    engine = DynamoEngine("leadwire")
    assert "_client" not in vars(engine)
