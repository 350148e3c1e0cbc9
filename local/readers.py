"""One function for each resource type that the embedded cloud follows: its properties as parts of the description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leadwire.store.types import INDEXES, TTL_ATTRIBUTE

from .description import Function, Queue, QueueMapping, Route, Rule, Schedule, StreamMapping, Target
from .parts import AsyncInvocation, EventBus, Part, Properties, Unsupported, check_pattern, last, only

METHODS = {"x-amazon-apigateway-any-method": "ANY"}
DETAIL = re.compile(r"\$\.detail\.\w+")
UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
COMMON_MAPPING = """EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds FunctionResponseTypes Enabled
    Tags"""
SQS_MAPPING = f"{COMMON_MAPPING} ScalingConfig"
STREAM_MAPPING = f"""{COMMON_MAPPING} StartingPosition MaximumRetryAttempts MaximumRecordAgeInSeconds DestinationConfig
    BisectBatchOnFunctionError FilterCriteria ParallelizationFactor"""


def function(name: str, properties: Properties) -> list[Part]:
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


def invoke_config(name: str, properties: Properties) -> list[Part]:
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
    only(config, "OnFailure", name, "Properties", "DestinationConfig")
    destination = config.get("OnFailure", {}).get("Destination", "")
    if destination and ":sqs:" not in destination:
        raise Unsupported(f"{name}: failures can only go to a queue", "Properties", "DestinationConfig")
    return last(destination)


def mapping(name: str, properties: Properties) -> list[Part]:
    if str(properties.get("Enabled", True)).lower() != "true":
        return []
    function, source = last(properties["FunctionName"]), properties["EventSourceArn"]
    partial = properties.get("FunctionResponseTypes", []) == ["ReportBatchItemFailures"]
    window = int(properties.get("MaximumBatchingWindowInSeconds", 0))
    if ":sqs:" in source:
        only(properties, SQS_MAPPING, name, "Properties")
        concurrency = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 5))
        size = int(properties.get("BatchSize", 10))
        return [QueueMapping(name, last(source), function, size, window, concurrency, partial)]
    if "/stream/" not in source:
        raise Unsupported(f"{name}: {source} is neither a queue nor a table's stream", "Properties", "EventSourceArn")
    only(properties, STREAM_MAPPING, name, "Properties")
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
        check_pattern(name, pattern, "FilterCriteria")
        yield pattern


def queue(name: str, properties: Properties) -> list[Part]:
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


def bus(name: str, properties: Properties) -> list[Part]:
    del properties
    return [EventBus(name)]


def rule(name: str, properties: Properties) -> list[Part]:
    if properties.get("State", "ENABLED") != "ENABLED":
        return []
    targets = tuple(_target(name, target) for target in properties["Targets"])
    if "ScheduleExpression" in properties:
        return [Schedule(name, _rate(name, properties["ScheduleExpression"]), "aws.events", targets)]
    pattern = properties["EventPattern"]
    check_pattern(name, pattern, "EventPattern")
    return [Rule(name, last(properties.get("EventBusName", "default")), pattern, targets)]


def schedule(name: str, properties: Properties) -> list[Part]:
    if properties.get("State", "ENABLED") != "ENABLED":
        return []
    every = _rate(name, properties["ScheduleExpression"])
    return [Schedule(name, every, "aws.scheduler", (_target(name, properties["Target"]),))]


def _target(name: str, target: Properties) -> Target:
    """RetryPolicy and DeadLetterConfig are for a target that AWS cannot reach; here every target can be reached."""
    only(target, "Arn Id Input RetryPolicy DeadLetterConfig RoleArn SqsParameters", name, "Properties", "Targets")
    group = target.get("SqsParameters", {}).get("MessageGroupId", "")
    if group and not DETAIL.fullmatch(group):
        raise Unsupported(f"{name}: the group {group} is not a field of the detail", "Properties", "Targets")
    for kind in ("sqs", "lambda"):
        if f":{kind}:" in target["Arn"]:
            return Target(kind, last(target["Arn"]), target.get("Input", ""), group.removeprefix("$.detail."))
    raise Unsupported(f"{name}: {target['Arn']} is neither a queue nor a function", "Properties", "Targets")


def _rate(name: str, expression: str) -> int:
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if match is None:
        raise Unsupported(f"{name}: the schedule {expression} is not a rate", "Properties", "ScheduleExpression")
    return int(match[1]) * UNITS[match[2]]


def table(name: str, properties: Properties) -> list[Part]:
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


def api(name: str, properties: Properties) -> list[Part]:
    body = properties["Body"]
    for key in body:
        if key not in ("openapi", "info", "paths", "tags"):
            raise Unsupported(f"{name}: {key} of the API is not supported")
    return [_route(path, method, op) for path, ops in body["paths"].items() for method, op in ops.items()]


def _route(path: str, method: str, operation: Properties) -> Route:
    what = f"{method} {path}"
    only(operation, "x-amazon-apigateway-integration responses parameters", what)
    integration = operation["x-amazon-apigateway-integration"]
    only(integration, "httpMethod type uri payloadFormatVersion timeoutInMillis", what)
    if (integration["type"], integration["payloadFormatVersion"]) != ("aws_proxy", "2.0"):
        raise Unsupported(f"{what}: only aws_proxy with payload 2.0 is supported")
    function = last(integration["uri"].removesuffix("/invocations"))
    timeout = int(integration.get("timeoutInMillis", 30_000)) / 1_000
    return Route(METHODS.get(method, method.upper()), path.removeprefix("/$default") or "$default", function, timeout)


def stage(name: str, properties: Properties) -> list[Part]:
    if properties["StageName"] != "$default":
        raise Unsupported(f"{name}: the stage must be $default", "Properties", "StageName")
    return []
