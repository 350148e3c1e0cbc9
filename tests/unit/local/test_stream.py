"""The table's stream to a function: what is retried, split, given up and remembered."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadwire.store.database import MEMORY, Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Delete, Key, Put, Update
from local.clock import Clock
from local.description import Queue, StreamMapping
from local.queues import Queues
from local.runtime import FunctionFailed
from local.stream import StreamPump, wanted

SOURCE = "arn:aws:dynamodb:mars-west-1:000000000000:table/Table/stream/0"
ONLY_EVENTS = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EVT#"}]}}}}


class Lab:
    """A table, a mapping of its stream, and a function that keeps what it was handed."""

    def __init__(self, database: Database, clock: Clock, **mapping: object) -> None:
        self.clock = clock
        self.database = database
        self.engine = SqliteEngine(self.database, clock=self.clock)
        self.queues = Queues(self.database, {"failed": Queue("failed")}, self.clock)
        self.mapping = StreamMapping("m", SOURCE, "Relay", on_failure="failed", **mapping)  # type: ignore[arg-type]  # by test
        self.batches: list[list[str]] = []
        self.events: list[dict] = []
        self.answer: Callable[[list[str], dict], object] = lambda _names, _event: None
        self.pump = StreamPump(self.database, self.engine, self.queues, self.mapping, self.invoke, self.clock)

    def invoke(self, function: str, event: dict) -> object:
        assert function == "Relay"
        names = [record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]]
        self.batches.append(names)
        self.events.append(event)
        return self.answer(names, event)

    def put(self, *names: str) -> None:
        for name in names:
            self.engine.write(Put({"pk": "P", "sk": name}))

    def run(self) -> None:
        while self.pump.step():
            pass

    def given_up(self) -> list[dict]:
        return [json.loads(message.body) for message in self.queues.waiting("failed")]


type Make = Callable[..., Lab]


@pytest.fixture
def make(open_database: Callable[..., Database]) -> Make:
    """Makes a lab; a second one on the same path is the next process."""

    def make(path: str | Path = MEMORY, clock: Clock | None = None, **mapping: object) -> Lab:
        return Lab(open_database(path), clock or Clock(), **mapping)

    return make


def raises_for(*bad: str) -> Callable[[list[str], dict], object]:
    def answer(names: list[str], _event: dict) -> object:
        if set(bad) & set(names):
            raise FunctionFailed("ValueError", "no", "id", [])
        return None

    return answer


def reports(*bad: str) -> Callable[[list[str], dict], object]:
    def answer(names: list[str], event: dict) -> object:
        records = zip(names, event["Records"], strict=True)
        failed = [record["dynamodb"]["SequenceNumber"] for name, record in records if name in bad]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    return answer


def test_records_come_in_order_and_in_batches(make: Make) -> None:
    lab = make(batch_size=2)
    lab.put("a", "b", "c")
    lab.run()
    assert lab.batches == [["a", "b"], ["c"]]


def test_a_record_has_the_shape_of_a_dynamodb_stream(make: Make) -> None:
    lab = make()
    lab.engine.write(Put({"pk": "P", "sk": "a", "n": 1, "yes": True, "tags": frozenset({"b", "a"}), "raw": b"\xff"}))
    lab.engine.write(Update(Key("P", "a"), set={"n": -2, "list": ["x", None, {"k": "v"}]}, remove=("yes", "raw")))
    lab.engine.write(Delete(Key("P", "a")))
    lab.run()
    made, changed, gone = lab.events[0]["Records"]
    keys = {"pk": {"S": "P"}, "sk": {"S": "a"}}
    before = {**keys, "n": {"N": "1"}, "yes": {"BOOL": True}, "tags": {"SS": ["a", "b"]}, "raw": {"B": "/w=="}}
    inner = {"L": [{"S": "x"}, {"NULL": True}, {"M": {"k": {"S": "v"}}}]}
    after = {**keys, "n": {"N": "-2"}, "tags": {"SS": ["a", "b"]}, "list": inner}
    assert made["dynamodb"].pop("SizeBytes") > 0
    assert made == {
        "eventID": f"{1:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "mars-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1780000000,
            "Keys": keys,
            "NewImage": before,
            "SequenceNumber": "000000000000000000001",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": SOURCE,
    }
    assert (changed["eventName"], changed["dynamodb"]["OldImage"], changed["dynamodb"]["NewImage"]) == (
        "MODIFY",
        before,
        after,
    )
    assert (gone["eventName"], gone["dynamodb"]["OldImage"], "NewImage" in gone["dynamodb"]) == ("REMOVE", after, False)


def test_a_deletion_by_the_ttl_is_marked_as_such(make: Make) -> None:
    lab = make()
    lab.engine.write(Put({"pk": "P", "sk": "a", "expires_at": 1}))
    lab.engine.expire(lab.clock(), 10)
    lab.run()
    assert lab.events[0]["Records"][1]["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_only_what_a_filter_lets_through_is_handed_over(make: Make) -> None:
    lab = make(filters=(ONLY_EVENTS,))
    lab.put("LEAD", "EVT#1", "LIST")
    lab.engine.write(Update(Key("P", "EVT#1"), set={"n": 1}))
    lab.put("EVT#2")
    lab.run()
    assert lab.batches == [["EVT#1", "EVT#2"]]


def test_a_filter_may_look_into_the_images(make: Make) -> None:
    lab = make(filters=({"dynamodb": {"NewImage": {"n": {"N": ["2"]}}}},))
    for n in (1, 2, 3):
        lab.engine.write(Put({"pk": "P", "sk": f"s{n}", "n": n}))
    lab.run()
    assert lab.batches == [["s2"]]


def test_a_failing_batch_is_retried_with_growing_pauses_and_holds_up_the_rest(make: Make) -> None:
    lab = make(batch_size=1)
    lab.answer = raises_for("a")
    lab.put("a", "b")
    lab.run()
    pauses = []
    for _ in range(8):
        due = lab.pump.due()
        assert due is not None
        pauses.append(round(due / 1000 - lab.clock()))
        lab.clock.move(due / 1000 + 0.001)
        lab.run()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert lab.batches == [["a"]] * 9


def test_a_batch_is_given_up_after_its_retries_and_the_failure_says_where_it_is(make: Make) -> None:
    lab = make(batch_size=2, retries=1)
    lab.answer = raises_for("b")
    lab.put("a", "b", "c")
    lab.run()
    lab.clock.move(lab.clock() + 1.001)
    lab.run()
    assert lab.batches == [["a", "b"], ["a", "b"], ["c"]]
    (record,) = lab.given_up()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    info = record["DDBStreamBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"]) == (f"{1:021d}", f"{2:021d}")
    assert (info["batchSize"], info["streamArn"]) == (2, SOURCE)


def test_bisection_finds_the_poison_and_spares_its_neighbours(make: Make) -> None:
    lab = make(batch_size=4, retries=0, bisect=True)
    lab.answer = raises_for("c")
    lab.put("a", "b", "c", "d", "e")
    lab.run()
    assert lab.batches == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"], ["e"]]
    assert [record["DDBStreamBatchInfo"]["batchSize"] for record in lab.given_up()] == [1]


def test_a_reported_item_is_where_the_next_attempt_begins(make: Make) -> None:
    lab = make(batch_size=4, retries=0, bisect=True, partial=True)
    lab.answer = reports("c")
    lab.put("a", "b", "c", "d", "e")
    lab.run()
    assert lab.batches == [["a", "b", "c", "d"], ["c", "d"], ["c"], ["d"], ["e"]]
    assert len(lab.given_up()) == 1


def test_the_first_of_several_reported_items_counts(make: Make) -> None:
    lab = make(batch_size=4, partial=True)
    lab.answer = reports("b", "d")
    lab.put("a", "b", "c", "d")
    lab.run()
    assert lab.batches == [["a", "b", "c", "d"], ["b", "c", "d"]]


def test_records_over_the_age_limit_are_given_up_unseen(make: Make) -> None:
    lab = make(max_age=60)
    lab.put("old", "older")
    lab.clock.move(lab.clock() + 61)
    lab.put("new")
    lab.run()
    assert lab.batches == [["new"]]
    (record,) = lab.given_up()
    assert (record["requestContext"]["condition"], record["DDBStreamBatchInfo"]["batchSize"]) == (
        "RecordAgeExceeded",
        2,
    )


def test_a_batching_window_waits_for_more(make: Make) -> None:
    lab = make(window=5, batch_size=2)
    lab.put("a")
    lab.run()
    assert lab.batches == []
    assert lab.pump.due() == 1780000005000
    lab.clock.move(lab.clock() + 5)
    lab.put("b", "c")
    lab.run()
    assert lab.batches == [["a", "b"]]


def test_the_next_process_goes_on_where_the_last_one_stood(make: Make, tmp_path: Path) -> None:
    first = make(tmp_path / "t.db", batch_size=4, bisect=True)
    first.put("a", "b")
    first.run()
    first.put("c", "d")
    first.answer = raises_for("c")
    first.run()
    assert first.batches[-1] == ["c"]
    first.clock.move(first.clock() + 2)
    second = make(tmp_path / "t.db", first.clock, batch_size=4, bisect=True)
    second.run()
    assert second.batches == [["c"], ["d"]]


def test_a_process_that_dies_in_the_function_hands_over_the_batch_again(make: Make, tmp_path: Path) -> None:
    def die(*_: object) -> object:
        raise KeyboardInterrupt

    first = make(tmp_path / "t.db")
    first.put("a")
    first.answer = die
    with pytest.raises(KeyboardInterrupt):
        first.run()
    second = make(tmp_path / "t.db", first.clock)
    second.run()
    assert second.batches == [["a"]]


# --- what the table streams at all ------------------------------------------------------------------------------------


def mapping(*filters: dict) -> StreamMapping:
    return StreamMapping("m", SOURCE, "Relay", filters)


LEADS = {"dynamodb": {"Keys": {"sk": {"S": ["LEAD"]}}}}


def test_the_table_streams_what_any_mapping_lets_through() -> None:
    wants = wanted([mapping(ONLY_EVENTS), mapping(LEADS)])
    assert [name for name in ("INSERT", "MODIFY", "REMOVE") if wants(name, "EVT#1")] == ["INSERT"]
    assert [name for name in ("INSERT", "MODIFY", "REMOVE") if wants(name, "LEAD")] == ["INSERT", "MODIFY", "REMOVE"]
    assert not wants("INSERT", "COUNTER")


@pytest.mark.parametrize(
    "more",
    [
        mapping(),
        mapping(LEADS, {"dynamodb": {"NewImage": {"status": {"S": ["new"]}}}}),
        mapping({"dynamodb": {"Keys": {"pk": {"S": ["P"]}, "sk": {"S": ["LEAD"]}}}}),
        mapping({"eventName": ["INSERT"]}),
        mapping({**LEADS, "userIdentity": {"type": ["Service"]}}),
    ],
)
def test_the_table_streams_everything_if_a_mapping_asks_for_more_than_the_sort_key(more: StreamMapping) -> None:
    wants = wanted([mapping(ONLY_EVENTS), more])
    assert wants("MODIFY", "COUNTER")
