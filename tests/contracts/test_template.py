"""Rules that template.yaml keeps, whoever adds a function: permissions, alarms, logs, routes, retries, the table."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leadwire import keys
from leadwire.automations import idle, worker
from leadwire.edge.types import Dialect
from leadwire.settings import PREFIX, Settings
from leadwire.store.schema import create_table_arguments
from leadwire.store.types import TTL_ATTRIBUTE
from local import sam

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = sam.parse((ROOT / "template.yaml").read_text())
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FOLDERS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))

RESOURCES_AT_MOST = 450

OPEN = ("Health", "Reference")
"""Functions that need no key, and speak no dialect."""
MANAGED_BY_SAM = {
    "service-role/AWSLambdaBasicExecutionRole": "writes logs; SAM adds it to every function",
    "AWSXrayWriteOnlyAccess": "active tracing; X-Ray has no resources to name",
}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: body.get("Properties", {}) for name, body in RESOURCES.items() if body["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
SCHEDULED = [
    name for name, f in FUNCTIONS.items() if any(e["Type"] == "Schedule" for e in f.get("Events", {}).values())
]
MAPPINGS = of_type("AWS::Lambda::EventSourceMapping")
ALARMS = of_type("AWS::CloudWatch::Alarm")


def target(reference: Any) -> str:
    """The logical id that `!Ref x` or `!GetAtt x.Arn` names."""
    if "Ref" in reference:
        return str(reference["Ref"])
    named = reference["Fn::GetAtt"]
    return str(named if isinstance(named, str) else named[0]).split(".")[0]


def folder(function: str) -> str:
    return str(FUNCTIONS[function]["CodeUri"]).removeprefix("functions/")


def timeout(function: str) -> int:
    return int(FUNCTIONS[function].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"]))


def routes(function: str) -> Iterator[str]:
    for event in FUNCTIONS[function].get("Events", {}).values():
        if event["Type"] == "HttpApi":
            yield f"{event['Properties']['Method']} {event['Properties']['Path']}"


def alarmed(metric: str, dimension: str) -> set[str]:
    """The resources whose metric has an alarm."""
    return {
        target(pair["Value"])
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        for pair in alarm["Dimensions"]
        if pair["Name"] == dimension
    }


def consumed_queues() -> dict[str, str]:
    """Queue to the function that a mapping feeds from it."""
    fed = {target(mapping["EventSourceArn"]): target(mapping["FunctionName"]) for mapping in MAPPINGS.values()}
    return {queue: function for queue, function in fed.items() if queue in QUEUES}


@pytest.fixture(scope="module")
def translated() -> dict[str, dict[str, Any]]:
    """The plain resources that SAM makes of the template."""
    template = sam.parse((ROOT / "template.yaml").read_text())
    for body in template["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & body.get("Properties", {}).keys():
            body["Properties"][code] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        resources: dict[str, dict[str, Any]] = sam.translate(template, {})["Resources"]
    return resources


def door(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"door_of_{name}", ROOT / "functions" / name / "app.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def dialects(name: str) -> list[Dialect]:
    """What the door of a function serves."""
    parts = [
        part if isinstance(part, Dialect) else getattr(part, "DIALECT", None) for part in vars(door(name)).values()
    ]
    return [part for part in parts if isinstance(part, Dialect)]


# --- functions --------------------------------------------------------------------------------------------------------


def test_every_folder_is_a_function_and_every_function_a_folder() -> None:
    assert sorted(map(folder, FUNCTIONS)) == FOLDERS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_called_as_its_folder(function: str) -> None:
    assert function == "".join(word.capitalize() for word in folder(function).split("_"))


def test_the_stack_stays_below_the_limit_of_cloudformation(translated: dict[str, dict[str, Any]]) -> None:
    """500 resources to a stack; before it comes near, the workers become a stack of their own."""
    assert len(translated) <= RESOURCES_AT_MOST, len(translated)


def test_every_function_has_a_role_of_its_own(translated: dict[str, dict[str, Any]]) -> None:
    functions = [body["Properties"] for body in translated.values() if body["Type"] == "AWS::Lambda::Function"]
    roles = {target(function["Role"]) for function in functions}
    assert len(roles) == len(functions) == len(FUNCTIONS)
    assert "Role" not in TEMPLATE["Globals"]["Function"]


def test_every_function_has_a_log_group_of_its_own_with_retention() -> None:
    groups = {name: target(function["LoggingConfig"]["LogGroup"]) for name, function in FUNCTIONS.items()}
    assert len(set(groups.values())) == len(FUNCTIONS)
    logs = of_type("AWS::Logs::LogGroup")
    assert set(groups.values()) < set(logs)
    assert all("RetentionInDays" in group for group in logs.values())


def test_every_function_has_an_alarm_on_its_errors() -> None:
    assert alarmed("Errors", "FunctionName") == set(FUNCTIONS)


def test_every_alarm_tells_somebody() -> None:
    assert all(alarm["AlarmActions"] for alarm in ALARMS.values())


def test_settings_and_environment_name_the_same_variables() -> None:
    variables = {
        name for name in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"] if name.startswith(PREFIX)
    }
    assert variables == {PREFIX + field.name.upper() for field in dataclasses.fields(Settings)}


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_named_actions_on_named_resources(function: str) -> None:
    for document in FUNCTIONS[function]["Policies"]:
        assert isinstance(document, dict), "managed policies reach further than one function"
        for statement in document["Statement"]:
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert statement["Effect"] == "Allow"
            assert not [action for action in actions if "*" in action]
            assert not [part for part in json.dumps(statement["Resource"]).split('"') if "*" in part]


def test_sam_adds_no_managed_policy_that_is_not_listed_with_its_reason(translated: dict[str, dict[str, Any]]) -> None:
    roles = [body["Properties"] for body in translated.values() if body["Type"] == "AWS::IAM::Role"]
    added = {arn.split(":policy/")[1] for role in roles for arn in role.get("ManagedPolicyArns", [])}
    assert added == set(MANAGED_BY_SAM)


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if {r.split()[0] for r in routes(name)} == {"GET"}])
def test_a_function_that_only_reads_may_not_put_or_delete(function: str) -> None:
    text = json.dumps(FUNCTIONS[function]["Policies"])
    assert not [action for action in ("PutItem", "DeleteItem", "BatchWriteItem", "SendMessage") if action in text]


# --- routes -----------------------------------------------------------------------------------------------------------


def test_every_route_is_claimed_once() -> None:
    claimed = Counter(route for function in FUNCTIONS for route in routes(function))
    assert claimed
    assert [route for route, times in claimed.items() if times > 1] == []


def test_every_route_is_explicit() -> None:
    every = [route for function in FUNCTIONS for route in routes(function)]
    assert not [route for route in every if "ANY" in route or "+" in route or "$default" in route]


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if list(routes(name)) and name not in OPEN])
def test_a_function_serves_every_route_that_leads_to_it(function: str) -> None:
    served = {route.key for dialect in dialects(folder(function)) for route in dialect.routes}
    assert set(routes(function)) <= served


def test_every_route_of_a_dialect_leads_to_a_function_that_speaks_it() -> None:
    leading = {(dialect.name, key) for name in FUNCTIONS for dialect in dialects(folder(name)) for key in routes(name)}
    spoken = {(d.name, route.key) for name in FUNCTIONS for d in dialects(folder(name)) for route in d.routes}
    assert spoken <= leading


# --- events, queues, retries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_consumer_reports_the_failures_of_single_items(mapping: str) -> None:
    assert MAPPINGS[mapping]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("queue", consumed_queues())
def test_a_consumed_queue_has_a_dead_letter_queue_with_an_alarm(queue: str) -> None:
    dead = target(QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"])
    assert dead in alarmed("ApproximateNumberOfMessagesVisible", "QueueName")
    assert queue in alarmed("ApproximateAgeOfOldestMessage", "QueueName")


@pytest.mark.parametrize(("queue", "function"), consumed_queues().items())
def test_a_message_stays_invisible_for_six_timeouts_of_its_consumer(queue: str, function: str) -> None:
    assert QUEUES[queue]["VisibilityTimeout"] >= 6 * timeout(function)


@pytest.mark.parametrize("mapping", [name for name, m in MAPPINGS.items() if target(m["EventSourceArn"]) == "Table"])
def test_a_bad_record_cannot_block_the_stream_and_is_not_forgotten(mapping: str) -> None:
    stream = MAPPINGS[mapping]
    assert stream["BisectBatchOnFunctionError"] is True
    assert 0 < stream["MaximumRetryAttempts"] < 10_000
    assert 0 < stream["MaximumRecordAgeInSeconds"] < 86_400, "the stream itself forgets after a day"
    given_up = target(stream["DestinationConfig"]["OnFailure"]["Destination"])
    assert given_up in alarmed("ApproximateNumberOfMessagesVisible", "QueueName")
    assert target(stream["FunctionName"]) in alarmed("IteratorAge", "FunctionName")


def test_the_relay_is_given_new_events_and_nothing_else() -> None:
    (filter_,) = MAPPINGS["RelayEventsSource"]["FilterCriteria"]["Filters"]
    prefix = keys.event("t", 1, "01ARZ3NDEKTSV4RRFFQ69G5FAV").sk.removesuffix("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    wanted = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": prefix}]}}}}
    assert json.loads(filter_["Pattern"]) == wanted


@pytest.mark.parametrize(
    "function",
    SCHEDULED,
)
def test_a_scheduled_run_that_fails_for_good_is_kept_and_told(function: str) -> None:
    kept = {target(FUNCTIONS[function]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"])}
    for event in FUNCTIONS[function]["Events"].values():
        kept.add(target(event["Properties"]["DeadLetterConfig"]["Arn"]))
    assert kept <= alarmed("ApproximateNumberOfMessagesVisible", "QueueName")


def test_a_schedule_that_stands_still_is_noticed() -> None:
    """A function that is not called has no errors."""
    silent = [alarm for alarm in ALARMS.values() if alarm["MetricName"] == "Invocations"]
    assert {target(alarm["Dimensions"][0]["Value"]) for alarm in silent} == {*SCHEDULED}
    assert all(alarm["TreatMissingData"] == "breaching" for alarm in silent)


@pytest.mark.parametrize("rule", of_type("AWS::Events::Rule"))
def test_a_rule_says_whose_an_event_is(rule: str) -> None:
    """So that the queue is fair between tenants (SQS Developer Guide, "Fair queues")."""
    for goal in of_type("AWS::Events::Rule")[rule]["Targets"]:
        assert goal["SqsParameters"]["MessageGroupId"] == "$.detail.tenant"


@pytest.mark.parametrize("rule", of_type("AWS::Events::Rule"))
def test_a_rule_keeps_what_its_target_refuses(rule: str) -> None:
    for goal in of_type("AWS::Events::Rule")[rule]["Targets"]:
        assert target(goal["DeadLetterConfig"]["Arn"]) in alarmed("ApproximateNumberOfMessagesVisible", "QueueName")
        assert goal["RetryPolicy"]["MaximumEventAgeInSeconds"] > 0


def test_a_batch_of_automations_ends_before_its_function_does() -> None:
    assert timeout("RunAutomations") >= worker.PATIENCE + 20


def test_automations_are_given_the_events_that_they_understand_and_no_others() -> None:
    pattern = of_type("AWS::Events::Rule")["AutomationsRule"]["EventPattern"]
    assert sorted(pattern["detail-type"]) == sorted(idle.ACTIVITY)


# --- data -------------------------------------------------------------------------------------------------------------


def test_the_table_is_the_one_that_the_store_knows() -> None:
    table = of_type("AWS::DynamoDB::Table")["Table"]
    expected = create_table_arguments("any")
    for name in ("BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"):
        assert table[name] == expected[name]
    assert table["StreamSpecification"]["StreamViewType"] == expected["StreamSpecification"]["StreamViewType"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_the_table_can_be_restored_and_is_not_deleted_by_mistake() -> None:
    table = of_type("AWS::DynamoDB::Table")["Table"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}
    assert TEMPLATE["Conditions"]["IsProd"] == {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}


@pytest.mark.parametrize(
    "name",
    [
        "Table",
        "SecretsKey",
        "FailuresQueue",
        *(target(q["RedrivePolicy"]["deadLetterTargetArn"]) for q in QUEUES.values() if "RedrivePolicy" in q),
    ],
)
def test_what_holds_data_outlives_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_queue_is_encrypted() -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in QUEUES.values())


def test_samconfig_gives_only_parameters_that_the_template_has() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for stage in ("local", "dev", "prod"):
        pairs = config[stage]["deploy"]["parameters"]["parameter_overrides"]
        assert {pair.split("=")[0] for pair in pairs} <= set(TEMPLATE["Parameters"])
