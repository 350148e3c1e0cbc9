"""The engines that the conformance suite runs on, and where emulators are known to differ from AWS."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from leadwire.store.database import MEMORY, Database
from leadwire.store.dynamodb import DynamoEngine
from leadwire.store.engine import Engine
from leadwire.store.schema import create_table_arguments
from leadwire.store.sqlite import SqliteEngine
from local import cloud

REGION = "us-east-1"
EMULATOR = os.environ.get("LEADWIRE_EMULATOR_ENDPOINT")
REAL_TABLE = os.environ.get("LEADWIRE_TEST_TABLE")

LOOSE = "moto compares without regard to the kinds of the values"
UNCHARGED = "moto reports a unit for a request, whatever its size"
MISCHARGED = "ministack reports reads without regard to their size, and none for a batch"
KNOWN_DEVIATIONS: dict[tuple[str, str], str] = {
    ("moto", "test_a_sum_may_not_pass_38_digits"): "moto keeps numbers of any length",
    ("ministack", "test_a_sum_may_not_pass_38_digits"): "ministack keeps sums of any length",
    ("moto", "test_a_page_ends_at_one_megabyte"): "moto's pages hold any number of bytes",
    ("moto", "test_a_page_that_took_the_last_item_of_its_partition_still_names_a_next"): "moto looks ahead",
    ("moto", "test_an_item_of_400_kilobytes_fits_and_one_byte_more_does_not"): "moto's sizes count JSON",
    ("moto", "test_a_refused_condition_outranks_an_update_of_the_wrong_kind"): "moto stops at the first operation",
    ("ministack", "test_a_batch_of_reads_leaves_what_passes_sixteen_megabytes"): "ministack returns it all",
    ("moto", "test_the_condition_holds[Compare(name='yes', op='<>', operand=1)]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='yes', op='=', operand=1)]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='no', op='=', operand=0)]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='gone', op='=', operand=None)]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='list', op='=', operand=[1, 'a', [1]])]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='n', op='<', operand='6')]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='n', op='<', operand=Attr(name='text'))]"): LOOSE,
    ("moto", "test_the_condition_does_not_hold[Compare(name='yes', op='>', operand=Attr(name='no'))]"): LOOSE,
    ("moto", "test_a_put_costs_a_unit_for_each_kilobyte[1025-2]"): UNCHARGED,
    ("moto", "test_a_put_costs_a_unit_for_each_kilobyte[10240-10]"): UNCHARGED,
    ("moto", "test_a_write_costs_by_the_larger_of_before_and_after"): UNCHARGED,
    ("moto", "test_a_delete_costs_by_the_item_that_was_there"): UNCHARGED,
    ("moto", "test_a_write_pays_for_the_upkeep_of_indexes_by_their_entries"): UNCHARGED,
    ("moto", "test_a_long_index_entry_costs_more_than_one_unit"): UNCHARGED,
    ("moto", "test_a_transaction_pays_twice_but_for_its_indexes"): UNCHARGED,
    ("moto", "test_a_batch_of_writes_pays_for_each_row"): UNCHARGED,
    ("moto", "test_a_get_costs_a_unit_for_four_kilobytes_and_half_of_it_when_eventual"): UNCHARGED,
    ("moto", "test_a_batch_of_reads_rounds_each_item"): UNCHARGED,
    ("moto", "test_a_query_rounds_the_sum_of_its_page"): UNCHARGED,
    ("ministack", "test_a_get_costs_a_unit_for_four_kilobytes_and_half_of_it_when_eventual"): MISCHARGED,
    ("ministack", "test_a_batch_of_reads_rounds_each_item"): MISCHARGED,
    ("ministack", "test_a_query_rounds_the_sum_of_its_page"): MISCHARGED,
    ("ministack", "test_a_query_of_an_index_costs_by_its_entries"): MISCHARGED,
}
"""(engine, test) -> how that engine differs from AWS. The test must fail there, or the entry must go."""

ENGINES = [
    "sqlite-memory",
    "sqlite-file",
    "moto",
    pytest.param("ministack", marks=pytest.mark.emulator),
    *(["aws"] if REAL_TABLE else []),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            name = str(item.callspec.params.get("engine"))
            test = item.name.replace(f"[{name}-", "[").removesuffix(f"[{name}]")
            if (reason := KNOWN_DEVIATIONS.get((name, test))) is not None:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for a module's tests, which keep apart by their partitions."""
    with ExitStack() as stack:
        match request.param:
            case "sqlite-memory":
                yield stack.enter_context(sqlite(MEMORY))
            case "sqlite-file":
                yield stack.enter_context(sqlite(tmp_path_factory.mktemp("store") / "table.db"))
            case "moto":
                yield stack.enter_context(moto())
            case "ministack":
                yield stack.enter_context(ministack(request.getfixturevalue("emulator")))
            case "aws":
                yield DynamoEngine(str(REAL_TABLE))


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """Where ministack answers: the one that is named, or one of our own."""
    if EMULATOR:
        yield EMULATOR
        return
    home = cloud.ROOT / ".leadwire" / "test-store"
    try:
        yield str(cloud.start(0, home)["endpoint"])
    finally:
        cloud.down(home)


@pytest.fixture
def partition(request: pytest.FixtureRequest) -> str:
    """A partition key that no other test uses."""
    return f"{request.node.name[:60]}#{uuid.uuid4().hex}"


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[ThreadPoolExecutor]:
    """Four threads, on engines that can bear them."""
    if request.node.callspec.params["engine"] == "moto":
        pytest.skip("moto in the process locks nothing: it sometimes loses a write, so the test proves nothing")
    with ThreadPoolExecutor(4) as threads:
        yield threads


@contextmanager
def sqlite(path: str | Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(Database(path))
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def moto() -> Iterator[DynamoEngine]:
    with mock_aws(), credentials():
        boto3.client("dynamodb").create_table(**create_table_arguments("leadwire"))
        yield DynamoEngine("leadwire")


@contextmanager
def ministack(endpoint: str) -> Iterator[DynamoEngine]:
    with credentials():
        client = boto3.client("dynamodb", endpoint_url=endpoint)
        name = f"leadwire-{uuid.uuid4().hex}"
        client.create_table(**create_table_arguments(name))
        try:
            yield DynamoEngine(name, endpoint_url=endpoint)
        finally:
            client.delete_table(TableName=name)


@contextmanager
def credentials() -> Iterator[None]:
    """Credentials that open nothing, and no session from before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", cloud.ANY)  # what ministack takes for the account itself
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield
