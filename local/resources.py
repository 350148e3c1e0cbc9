"""What the embedded cloud makes of each resource type: the properties it follows, and those it may pass over.

A type or property on neither list is refused, so that nothing in the template is ever silently without effect here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadwire.store.types import INDEXES, TTL_ATTRIBUTE

from .description import Function, Queue, QueueMapping, Route, Rule, Schedule, StreamMapping, Target
from .patterns import check

PASSED_OVER = frozenset(
    [
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Events::Archive",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::ResourcePolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    ]
)
"""Types without effect in one process on one machine: rights, logs, alarms, keys and the packaging of code."""

METHODS = {"x-amazon-apigateway-any-method": "ANY"}
UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}


class Unsupported(Exception):
    """Something in the template that the embedded cloud does not do. `path` leads to it below the resource."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class AsyncInvocation:
    """AWS::Lambda::EventInvokeConfig, to be joined to its function."""

    function: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventBus:
    name: str


type Part = Function | Queue | QueueMapping | Route | Rule | Schedule | StreamMapping | AsyncInvocation | EventBus
type Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """`follows` and `passes` are the names of properties, separated by spaces."""

    read: Callable[[str, Properties], Iterable[Part]]
    follows: str
    passes: str = ""


def read(name: str, kind: str, properties: Properties) -> list[Part]:
    """The parts of the description that one resource, its functions resolved, stands for. Raises Unsupported."""
    if kind in PASSED_OVER:
        return []
    reader = READERS.get(kind)
    if reader is None:
        raise Unsupported(f"{name}: resources of type {kind} are not supported", "Type")
    _only(properties, f"{reader.follows} {reader.passes}", name, "Properties")
    return list(reader.read(name, properties))


def last(reference: str) -> str:
    """The logical id in an ARN or a URL that `intrinsics` has made."""
    return re.split(r"[:/]", reference)[-1]


def _only(properties: Properties, known: str, what: str, *path: str) -> None:
    for name in properties:
        if name not in known.split():
            raise Unsupported(f"{what}: the property {name} is not supported", *path, name)


def _function(name: str, properties: Properties) -> list[Part]:
    if (runtime := properties["Runtime"]) != "python3.13":
        raise Unsupported(f"{name}: runtime {runtime}; the embedded cloud is python3.13", "Properties", "Runtime")
    return [
        Function(
            name,
            Path(properties["Code"]["S3Key"]),
            properties["Handler"],
            float(properties.get("Timeout", 3)),
            int(properties.get("MemorySize", 128)),
            {key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
        )
    ]


def _invoke_config(name: str, properties: Properties) -> list[Part]:
    changes: dict[str, Any] = {}
    if "MaximumRetryAttempts" in properties:
        changes["retries"] = int(properties["MaximumRetryAttempts"])
    if "MaximumEventAgeInSeconds" in properties:
        changes["max_age"] = int(properties["MaximumEventAgeInSeconds"])
    if destination := _on_failure(name, properties):
        changes["on_failure"] = destination
    return [AsyncInvocation(last(properties["FunctionName"]), changes)]


def _on_failure(name: str, properties: Properties) -> str:
    config = properties.get("DestinationConfig", {})
    _only(config, "OnFailure", name, "Properties", "DestinationConfig")
    destination = config.get("OnFailure", {}).get("Destination", "")
    if destination and ":sqs:" not in destination:
        raise Unsupported(f"{name}: failures can only go to a queue", "Properties", "DestinationConfig")
    return last(destination)


def _mapping(name: str, properties: Properties) -> list[Part]:
    if str(properties.get("Enabled", True)).lower() != "true":
        return []
    function, source = last(properties["FunctionName"]), properties["EventSourceArn"]
    partial = properties.get("FunctionResponseTypes", []) == ["ReportBatchItemFailures"]
    window = int(properties.get("MaximumBatchingWindowInSeconds", 0))
    if ":sqs:" in source:
        _only(properties, SQS_MAPPING, name, "Properties")
        concurrency = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 5))
        size = int(properties.get("BatchSize", 10))
        return [QueueMapping(name, last(source), function, size, window, concurrency, partial)]
    if "/stream/" not in source:
        raise Unsupported(f"{name}: {source} is neither a queue nor a table's stream", "Properties", "EventSourceArn")
    _only(properties, STREAM_MAPPING, name, "Properties")
    return [
        StreamMapping(
            name,
            source,
            function,
            tuple(_filters(name, properties)),
            int(properties.get("BatchSize", 100)),
            window,
            _limit(properties.get("MaximumRetryAttempts", -1)),
            _limit(properties.get("MaximumRecordAgeInSeconds", -1)),
            str(properties.get("BisectBatchOnFunctionError", False)).lower() == "true",
            partial,
            _on_failure(name, properties),
        )
    ]


def _limit(value: object) -> int | None:
    return None if int(str(value)) < 0 else int(str(value))


def _filters(name: str, properties: Properties) -> Iterable[Mapping[str, Any]]:
    for entry in properties.get("FilterCriteria", {}).get("Filters", []):
        pattern = json.loads(entry["Pattern"])
        _checked(name, pattern, "FilterCriteria")
        yield pattern


def _checked(name: str, pattern: Mapping[str, Any], property_: str) -> None:
    try:
        check(pattern)
    except ValueError as wrong:
        raise Unsupported(f"{name}: {wrong}", "Properties", property_) from wrong


def _queue(name: str, properties: Properties) -> list[Part]:
    redrive = properties.get("RedrivePolicy", {})
    return [
        Queue(
            name,
            int(properties.get("VisibilityTimeout", 30)),
            int(properties.get("DelaySeconds", 0)),
            int(properties.get("MessageRetentionPeriod", 345_600)),
            last(redrive.get("deadLetterTargetArn", "")),
            int(redrive.get("maxReceiveCount", 0)),
        )
    ]


def _bus(name: str, properties: Properties) -> list[Part]:
    del properties
    return [EventBus(name)]


def _rule(name: str, properties: Properties) -> list[Part]:
    if properties.get("State", "ENABLED") != "ENABLED":
        return []
    targets = tuple(_target(name, target) for target in properties["Targets"])
    if "ScheduleExpression" in properties:
        return [Schedule(name, _rate(name, properties["ScheduleExpression"]), "aws.events", targets)]
    pattern = properties["EventPattern"]
    _checked(name, pattern, "EventPattern")
    return [Rule(name, last(properties.get("EventBusName", "default")), pattern, targets)]


def _schedule(name: str, properties: Properties) -> list[Part]:
    if properties.get("State", "ENABLED") != "ENABLED":
        return []
    every = _rate(name, properties["ScheduleExpression"])
    return [Schedule(name, every, "aws.scheduler", (_target(name, properties["Target"]),))]


def _target(name: str, target: Properties) -> Target:
    """RetryPolicy and DeadLetterConfig are for a target that AWS cannot reach; here every target can be reached."""
    _only(target, "Arn Id Input RetryPolicy DeadLetterConfig RoleArn", name, "Properties", "Targets")
    for kind in ("sqs", "lambda"):
        if f":{kind}:" in target["Arn"]:
            return Target(kind, last(target["Arn"]), target.get("Input", ""))
    raise Unsupported(f"{name}: {target['Arn']} is neither a queue nor a function", "Properties", "Targets")


def _rate(name: str, expression: str) -> int:
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if match is None:
        raise Unsupported(f"{name}: the schedule {expression} is not a rate", "Properties", "ScheduleExpression")
    return int(match[1]) * UNITS[match[2]]


def _table(name: str, properties: Properties) -> list[Part]:
    """The engine's shape is fixed (store/types.py); a template that says otherwise would deploy another product."""
    keys = [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]]
    if keys != [("pk", "HASH"), ("sk", "RANGE")]:
        raise Unsupported(f"{name}: the key must be pk and sk", "Properties", "KeySchema")
    known = [[(f"{index}pk", "HASH"), (f"{index}sk", "RANGE")] for index in INDEXES]
    for index in properties.get("GlobalSecondaryIndexes", []):
        shape = [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        if shape not in known or index["Projection"] != {"ProjectionType": "KEYS_ONLY"}:
            what = f"{name}: the index {index['IndexName']} is not one of the store's"
            raise Unsupported(what, "Properties", "GlobalSecondaryIndexes")
    if properties.get("StreamSpecification", {}).get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        raise Unsupported(f"{name}: the stream must have both images", "Properties", "StreamSpecification")
    if properties.get("TimeToLiveSpecification", {}).get("AttributeName") != TTL_ATTRIBUTE:
        raise Unsupported(f"{name}: the TTL must be {TTL_ATTRIBUTE}", "Properties", "TimeToLiveSpecification")
    return []


def _api(name: str, properties: Properties) -> list[Part]:
    body = properties["Body"]
    for key in body:
        if key not in ("openapi", "info", "paths", "tags"):
            raise Unsupported(f"{name}: {key} of the API is not supported")
    return [_route(path, method, op) for path, ops in body["paths"].items() for method, op in ops.items()]


def _route(path: str, method: str, operation: Properties) -> Route:
    what = f"{method} {path}"
    _only(operation, "x-amazon-apigateway-integration responses parameters", what)
    integration = operation["x-amazon-apigateway-integration"]
    _only(integration, "httpMethod type uri payloadFormatVersion timeoutInMillis", what)
    if (integration["type"], integration["payloadFormatVersion"]) != ("aws_proxy", "2.0"):
        raise Unsupported(f"{what}: only aws_proxy with payload 2.0 is supported")
    function = last(integration["uri"].removesuffix("/invocations"))
    timeout = int(integration.get("timeoutInMillis", 30_000)) / 1_000
    return Route(METHODS.get(method, method.upper()), path.removeprefix("/$default") or "$default", function, timeout)


def _stage(name: str, properties: Properties) -> list[Part]:
    if properties["StageName"] != "$default":
        raise Unsupported(f"{name}: the stage must be $default", "Properties", "StageName")
    return []


FUNCTION_PASSES = """Runtime Role Tags Layers TracingConfig LoggingConfig Architectures ReservedConcurrentExecutions
    Description FunctionName RecursiveLoop KmsKeyArn"""
TABLE_PASSES = """TableName BillingMode AttributeDefinitions SSESpecification PointInTimeRecoverySpecification Tags
    DeletionProtectionEnabled TableClass OnDemandThroughput ContributorInsightsSpecification"""
QUEUE_PASSES = """QueueName KmsMasterKeyId KmsDataKeyReusePeriodSeconds SqsManagedSseEnabled Tags RedriveAllowPolicy
    ReceiveMessageWaitTimeSeconds"""
COMMON_MAPPING = """EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds FunctionResponseTypes Enabled
    Tags"""
SQS_MAPPING = f"{COMMON_MAPPING} ScalingConfig"
STREAM_MAPPING = f"""{COMMON_MAPPING} StartingPosition MaximumRetryAttempts MaximumRecordAgeInSeconds DestinationConfig
    BisectBatchOnFunctionError FilterCriteria ParallelizationFactor"""
READERS: dict[str, Reader] = {
    "AWS::ApiGatewayV2::Api": Reader(_api, "Body", "FailOnWarnings Name Description Tags"),
    "AWS::ApiGatewayV2::Stage": Reader(
        _stage, "StageName ApiId AutoDeploy", "AccessLogSettings DefaultRouteSettings RouteSettings Tags Description"
    ),
    "AWS::DynamoDB::Table": Reader(
        _table, "KeySchema GlobalSecondaryIndexes StreamSpecification TimeToLiveSpecification", TABLE_PASSES
    ),
    "AWS::Events::EventBus": Reader(_bus, "Name", "Description Tags KmsKeyIdentifier DeadLetterConfig LogConfig"),
    "AWS::Events::Rule": Reader(
        _rule, "EventBusName EventPattern ScheduleExpression Targets State", "Name Description Tags RoleArn"
    ),
    "AWS::Lambda::EventInvokeConfig": Reader(
        _invoke_config, "FunctionName MaximumRetryAttempts MaximumEventAgeInSeconds DestinationConfig", "Qualifier"
    ),
    "AWS::Lambda::EventSourceMapping": Reader(_mapping, f"{SQS_MAPPING} {STREAM_MAPPING}"),
    "AWS::Lambda::Function": Reader(_function, "Code Handler Timeout MemorySize Environment", FUNCTION_PASSES),
    "AWS::SQS::Queue": Reader(
        _queue, "VisibilityTimeout DelaySeconds MessageRetentionPeriod RedrivePolicy", QUEUE_PASSES
    ),
    "AWS::Scheduler::Schedule": Reader(
        _schedule, "ScheduleExpression Target State", "FlexibleTimeWindow Name Description GroupName"
    ),
}
