"""A stack on ministack, after `sam deploy`: what its CloudFormation drops is put in, and its parts are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from leadwire.aws import ports
from leadwire.settings import Settings
from leadwire.store.types import TTL_ATTRIBUTE

from . import demo, template

FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def mend(path: Path, stack: str, endpoint: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Routes and TTL, which ministack's CloudFormation ignores without a word, and an action that its IAM misnames.

    Repeating it is safe. Returns `url` of the API, `outputs` of the stack, and `resources`: logical to physical ids.
    """
    formation = client("cloudformation", endpoint)
    described = formation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    found = formation.describe_stack_resources(StackName=stack)["StackResources"]
    resources = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}
    _expire(outputs["TableName"], endpoint)
    for role in (physical for logical, physical in resources.items() if logical.endswith("Role")):
        _allow_batches(role, endpoint)
    for route in template.read(path, parameters).routes:
        _route(outputs["ApiId"], route.key, FUNCTION_ARN + resources[route.function], endpoint)
    # The form with the API in the path needs no name resolution; %24default is the stage.
    url = f"{endpoint}/_aws/execute-api/{outputs['ApiId']}/%24default"
    return {"url": url, "outputs": outputs, "resources": resources}


def populate(state: Mapping[str, Any]) -> dict[str, Any]:
    """The demo tenant, made through the same engine as on AWS. `state` as `mend` returned it, with `endpoint`."""
    return demo.make(ports(settings(state)))


def settings(state: Mapping[str, Any]) -> Settings:
    """What the functions of the stack have, for ports outside of them."""
    outputs = state["outputs"]
    return Settings(
        table=outputs["TableName"],
        bus=outputs["BusName"],
        deliveries_queue_url=outputs["DeliveriesQueueUrl"],
        kms_key_id=outputs["SecretsKeyId"],
        endpoint_url=state["endpoint"],
        private_targets=True,
    )


def client(service: str, endpoint: str) -> Any:
    """A client of boto3 for the emulator."""
    session = boto3.Session("test", "test", region_name="us-east-1")  # the emulator takes any credentials
    return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]  # one for each service


def environment(function: str, endpoint: str) -> dict[str, str]:
    """The environment variables of a deployed function, by its physical id."""
    configuration = client("lambda", endpoint).get_function_configuration(FunctionName=function)
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return variables


def _expire(table: str, endpoint: str) -> None:
    dynamodb = client("dynamodb", endpoint)
    status = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if status == "DISABLED":
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"AttributeName": TTL_ATTRIBUTE, "Enabled": True}
        )


def _allow_batches(role: str, endpoint: str) -> None:
    """AWS judges SendMessageBatch by `sqs:SendMessage`; ministack wants an action of its own, unknown to AWS."""
    iam = client("iam", endpoint)
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        text = json.dumps(document).replace('"sqs:SendMessage"', '["sqs:SendMessage", "sqs:SendMessageBatch"]')
        if json.loads(text) != document:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)


def _route(api: str, key: str, function_arn: str, endpoint: str) -> None:
    gateway = client("apigatewayv2", endpoint)
    if any(route["RouteKey"] == key for route in gateway.get_routes(ApiId=api)["Items"]):
        return
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=function_arn,
        PayloadFormatVersion="2.0",
    )
    gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration['IntegrationId']}")
