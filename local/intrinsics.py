"""CloudFormation's functions: Ref, GetAtt, Sub, If and the others that a template may use, resolved to plain values.

Every resource is named by its logical id: the embedded cloud has no physical names. What is not known here is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .description import ACCOUNT, REGION, arn, queue_url

STACK = "leadwire-local"
PSEUDO: dict[str, Any] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": arn("cloudformation", f"stack/{STACK}/0"),
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "localhost",
}
_PLACEHOLDER = re.compile(r"\$\{(!?)\s*([^}]+?)\s*\}")
_NO_VALUE = object()
_ARNS: dict[str, Callable[[str], str]] = {
    "AWS::DynamoDB::Table": lambda name: arn("dynamodb", f"table/{name}"),
    "AWS::Events::EventBus": lambda name: arn("events", f"event-bus/{name}"),
    "AWS::Events::Rule": lambda name: arn("events", f"rule/{name}"),
    "AWS::Lambda::Function": lambda name: arn("lambda", f"function:{name}"),
    "AWS::SQS::Queue": lambda name: arn("sqs", name),
}


class Unresolvable(Exception):
    """A function or a name in the template that is not known."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean: parameters by value, conditions by definition, resources by type, and the Mappings section."""

    parameters: Mapping[str, Any]
    conditions: Mapping[str, Any]
    types: Mapping[str, str]
    mappings: Mapping[str, Any]


def resolve(value: Any, scope: Scope) -> Any:
    """The value without any function in it; what is AWS::NoValue is left out. Raises Unresolvable."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _FUNCTIONS and (name != "Condition" or isinstance(argument, str)):
                return _FUNCTIONS[name](argument, scope)
            if name.startswith("Fn::"):
                raise Unresolvable(f"{name} is not supported")
        resolved = {name: resolve(part, scope) for name, part in value.items()}
        return {name: part for name, part in resolved.items() if part is not _NO_VALUE}
    if isinstance(value, list):
        return [part for part in (resolve(part, scope) for part in value) if part is not _NO_VALUE]
    return value


def holds(condition: str, scope: Scope) -> bool:
    """Whether a condition of the template, by its name, is true."""
    if condition not in scope.conditions:
        raise Unresolvable(f"there is no condition {condition}")
    return bool(resolve(scope.conditions[condition], scope))


def _ref(name: str, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return _NO_VALUE
    if name in PSEUDO:
        return PSEUDO[name]
    if name in scope.parameters:
        return scope.parameters[name]
    if name not in scope.types:
        raise Unresolvable(f"Ref of {name}, which is neither a parameter nor a resource")
    return queue_url(name) if scope.types[name] == "AWS::SQS::Queue" else name


def _get_att(argument: Any, scope: Scope) -> str:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    if name not in scope.types:
        raise Unresolvable(f"GetAtt of {name}, which is not a resource")
    kind = scope.types[name]
    own = _ARNS[kind](name) if kind in _ARNS else arn(kind.split("::")[1].lower(), name)
    if attribute == "Arn":
        return own
    if kind == "AWS::DynamoDB::Table" and attribute == "StreamArn":
        return f"{own}/stream/0"
    known = {"QueueName": name, "QueueUrl": queue_url(name), "Name": name}
    return known.get(attribute, f"{own}/{attribute}")


def _sub(argument: Any, scope: Scope) -> str:
    text, values = (argument, {}) if isinstance(argument, str) else argument
    own = {name: resolve(value, scope) for name, value in values.items()}

    def replace(match: re.Match[str]) -> str:
        literal, name = match[1], match[2]
        if literal:
            return "${" + name + "}"
        if name in own:
            return str(own[name])
        return str(_get_att(name, scope) if "." in name else _ref(name, scope))

    return _PLACEHOLDER.sub(replace, text)


def _if(argument: Sequence[Any], scope: Scope) -> Any:
    condition, yes, no = argument
    return resolve(yes if holds(condition, scope) else no, scope)


def _join(argument: Sequence[Any], scope: Scope) -> str:
    separator, parts = argument
    return str(separator).join(str(part) for part in resolve(parts, scope))


def _select(argument: Sequence[Any], scope: Scope) -> Any:
    index, parts = argument
    return resolve(parts, scope)[int(resolve(index, scope))]


def _split(argument: Sequence[Any], scope: Scope) -> list[str]:
    separator, text = argument
    return str(resolve(text, scope)).split(separator)


def _find_in_map(argument: Sequence[Any], scope: Scope) -> Any:
    name, first, second = (resolve(part, scope) for part in argument)
    try:
        return scope.mappings[name][first][second]
    except KeyError as missing:
        raise Unresolvable(f"FindInMap of {name}, {first}, {second}: there is no {missing}") from missing


def _equals(argument: Sequence[Any], scope: Scope) -> bool:
    left, right = (str(resolve(part, scope)) for part in argument)
    return left == right


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Condition": holds,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, scope: not resolve(argument[0], scope),
    "Fn::And": lambda argument, scope: all(resolve(part, scope) for part in argument),
    "Fn::Or": lambda argument, scope: any(resolve(part, scope) for part in argument),
}
