"""`leadwire --stack …`: a deployed stack is found by its outputs."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from cli.target import OUTPUTS
from leadwire.store.schema import create_table_arguments


@pytest.fixture
def stacks(monkeypatch):
    """Stacks by name, each as its outputs. DynamoDB is moto's; moto's CloudFormation would need packages for Docker."""
    known = {}
    call = BaseClient._make_api_call

    def answer(client, operation, arguments):
        if operation != "DescribeStacks":
            return call(client, operation, arguments)
        if arguments["StackName"] not in known:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}, operation)
        outputs = known[arguments["StackName"]]
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}]}

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with mock_aws():
        monkeypatch.setattr(BaseClient, "_make_api_call", answer)
        yield known


def run(*words):
    return CliRunner().invoke(app, ["--stack", "leadwire-dev", "--region", "eu-central-1", *words])


def test_tenants_and_keys_of_a_stack_are_in_its_table(stacks):
    stacks["leadwire-dev"] = dict.fromkeys(OUTPUTS.values(), "leads")
    boto3.client("dynamodb", "eu-central-1").create_table(**create_table_arguments("leads"))
    assert run("tenant", "create", "demo").exit_code == 0
    assert run("key", "create", "--tenant", "demo", "--dialect", "crm").exit_code == 0
    assert len(json.loads(run("key", "list", "--tenant", "demo", "--json").stdout)) == 1


def test_leads_of_a_file_go_into_a_stack_and_come_out_of_it(stacks, tmp_path):
    stacks["leadwire-dev"] = dict.fromkeys(OUTPUTS.values(), "leads")
    boto3.client("dynamodb", "eu-central-1").create_table(**create_table_arguments("leads"))
    run("tenant", "create", "demo")
    path = tmp_path / "leads.csv"
    path.write_text("Email\n" + "".join(f"ada{number}@example.com\n" for number in range(20)))
    found = json.loads(run("import", str(path), "--tenant", "demo", "--tag", "fair", "--json").stdout)
    assert found["created"] == 20
    lines = run("export", "--tenant", "demo", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["email"] for line in lines] == [f"ada{number}@example.com" for number in range(20)]
    undone = json.loads(run("import", "--undo", found["import"], "--tenant", "demo", "--json").stdout)
    assert undone["removed"] == 20


def test_a_stack_that_is_not_there_is_a_wrong_command(stacks):
    result = run("tenant", "list")
    assert result.exit_code == 2
    assert "--stack" in result.stderr


def test_a_stack_of_something_else_is_a_wrong_command(stacks):
    stacks["leadwire-dev"] = {"Url": "x"}
    result = run("tenant", "list")
    assert result.exit_code == 2
    assert "TableName" in result.stderr
