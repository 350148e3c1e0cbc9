"""The stack that `sam deploy` made: what the template asked for is there, and roles are enforced."""

from __future__ import annotations

import json

import pytest
import requests

from leadwire.store.types import TTL_ATTRIBUTE
from tests.flows.emulator.conftest import HOME, Cloud

pytestmark = pytest.mark.emulator


def test_items_expire_by_the_attribute_that_the_store_names(emulated: Cloud) -> None:
    table = emulated.state["outputs"]["TableName"]
    described = emulated.client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": TTL_ATTRIBUTE}


def test_every_mapping_is_enabled_and_reports_single_items(emulated: Cloud) -> None:
    mappings = emulated.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert {(mapping["State"], *mapping["FunctionResponseTypes"]) for mapping in mappings} == {
        ("Enabled", "ReportBatchItemFailures")
    }


def test_a_function_without_a_permission_cannot_do_it(emulated: Cloud) -> None:
    """Without this, the lane's other tests would not show that the roles suffice."""
    iam, role = emulated.client("iam"), emulated.state["resources"]["HealthRole"]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    before = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    after = {**before, "Statement": [{**statement, "Action": "dynamodb:Query"} for statement in before["Statement"]]}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(after))
    try:
        refused = requests.get(emulated.state["url"] + "/api/v1/health", timeout=60)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(before))
    assert refused.status_code >= 500


def test_no_function_was_refused_an_action_or_failed_otherwise(emulated: Cloud) -> None:
    """Reads what the functions wrote in all tests of the lane so far; the health check is the test above."""
    log = (HOME / "ministack.log").read_text().splitlines()
    assert [line for line in log if "not authorized to perform" in line and "HealthRole" not in line] == []
    assert [line for line in log if '"level":"ERROR"' in line] == []
