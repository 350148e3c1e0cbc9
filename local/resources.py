"""What the embedded cloud makes of each resource type: the properties it follows, and those it may pass over.

A type or property on neither list is refused, so that nothing in the template is ever silently without effect here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import readers
from .parts import Part, Properties, Unsupported, only

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
    only(properties, f"{reader.follows} {reader.passes}", name, "Properties")
    return list(reader.read(name, properties))


FUNCTION_PASSES = """Runtime Role Tags Layers TracingConfig LoggingConfig Architectures ReservedConcurrentExecutions
    Description FunctionName RecursiveLoop KmsKeyArn"""
TABLE_PASSES = """TableName BillingMode AttributeDefinitions SSESpecification PointInTimeRecoverySpecification Tags
    DeletionProtectionEnabled TableClass OnDemandThroughput ContributorInsightsSpecification"""
QUEUE_PASSES = """QueueName KmsMasterKeyId KmsDataKeyReusePeriodSeconds SqsManagedSseEnabled Tags RedriveAllowPolicy
    ReceiveMessageWaitTimeSeconds"""
READERS: dict[str, Reader] = {
    "AWS::ApiGatewayV2::Api": Reader(readers.api, "Body", "FailOnWarnings Name Description Tags"),
    "AWS::ApiGatewayV2::Stage": Reader(
        readers.stage,
        "StageName ApiId AutoDeploy",
        "AccessLogSettings DefaultRouteSettings RouteSettings Tags Description",
    ),
    "AWS::DynamoDB::Table": Reader(
        readers.table, "KeySchema GlobalSecondaryIndexes StreamSpecification TimeToLiveSpecification", TABLE_PASSES
    ),
    "AWS::Events::EventBus": Reader(
        readers.bus, "Name", "Description Tags KmsKeyIdentifier DeadLetterConfig LogConfig"
    ),
    "AWS::Events::Rule": Reader(
        readers.rule, "EventBusName EventPattern ScheduleExpression Targets State", "Name Description Tags RoleArn"
    ),
    "AWS::Lambda::EventInvokeConfig": Reader(
        readers.invoke_config,
        "FunctionName MaximumRetryAttempts MaximumEventAgeInSeconds DestinationConfig",
        "Qualifier",
    ),
    "AWS::Lambda::EventSourceMapping": Reader(readers.mapping, f"{readers.SQS_MAPPING} {readers.STREAM_MAPPING}"),
    "AWS::Lambda::Function": Reader(readers.function, "Code Handler Timeout MemorySize Environment", FUNCTION_PASSES),
    "AWS::SQS::Queue": Reader(
        readers.queue, "VisibilityTimeout DelaySeconds MessageRetentionPeriod RedrivePolicy", QUEUE_PASSES
    ),
    "AWS::Scheduler::Schedule": Reader(
        readers.schedule, "ScheduleExpression Target State", "FlexibleTimeWindow Name Description GroupName"
    ),
}
