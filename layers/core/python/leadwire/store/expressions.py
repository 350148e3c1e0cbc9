"""The port's operations as DynamoDB's requests: attribute values, expressions and their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .conditions import EQUALITY
from .schema import index_name
from .types import (
    All,
    AnyOf,
    Attr,
    Check,
    Compare,
    Condition,
    Contains,
    Delete,
    Exists,
    Item,
    Key,
    Missing,
    Not,
    Put,
    Query,
    TransactWrite,
    Update,
    Value,
)
from .values import kind

type Request = dict[str, Any]


# --- attribute values -------------------------------------------------------------------------------------------------


def marshal(value: Any) -> dict[str, Any]:
    """A value as DynamoDB's AttributeValue."""
    match kind(value):
        case "N":
            return {"N": str(int(value))}
        case "NULL":
            return {"NULL": True}
        case "SS":
            return {"SS": sorted(value)}
        case "L":
            return {"L": [marshal(part) for part in value]}
        case "M":
            return {"M": marshal_item(value)}
        case scalar:
            return {scalar: value}


def marshal_item(item: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    return {name: marshal(value) for name, value in item.items()}


def marshal_key(key: Key) -> dict[str, dict[str, Any]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def unmarshal(attribute: Mapping[str, Any]) -> Any:
    """The value of an AttributeValue."""
    ((descriptor, content),) = attribute.items()
    match descriptor:
        case "N":
            return int(content)
        case "NULL":
            return None
        case "SS":
            return frozenset(content)
        case "L":
            return [unmarshal(part) for part in content]
        case "M":
            return unmarshal_item(content)
        case "S" | "BOOL" | "B":
            return content
        case _:
            raise TypeError(f"no value of ours is of kind {descriptor}")


def unmarshal_item(attributes: Mapping[str, Any]) -> Item:
    return {name: unmarshal(attribute) for name, attribute in attributes.items()}


# --- requests ---------------------------------------------------------------------------------------------------------


def write_request(op: TransactWrite) -> Request:
    """The arguments of the operation, but for the table's name."""
    terms = Terms()
    match op:
        case Put(item=item):
            request: Request = {"Item": marshal_item(item)}
        case Update():
            request = {"Key": marshal_key(op.key), "UpdateExpression": terms.update(op)}
        case Delete(key=key) | Check(key=key):
            request = {"Key": marshal_key(key)}
    if op.condition is not None:
        request["ConditionExpression"] = terms.condition(op.condition)
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return request | terms.placeholders()


def query_request(query: Query) -> Request:
    """The arguments of the query, but for the table's name."""
    terms = Terms()
    expression = f"{terms.name(f'{query.index or ""}pk')} = {terms.value(query.pk)}"
    if (query.low, query.high, query.prefix) != (None, None, None):
        expression += f" AND {_range(query, terms, terms.name(f'{query.index or ""}sk'))}"
    request: Request = {"KeyConditionExpression": expression, "ScanIndexForward": query.forward}
    if query.index is None:
        request["ConsistentRead"] = query.consistent
    else:
        request["IndexName"] = index_name(query.index)
    if query.limit is not None:
        request["Limit"] = query.limit
    if query.start is not None:
        request["ExclusiveStartKey"] = marshal_item(query.start)
    return request | terms.placeholders()


def _range(query: Query, terms: Terms, sort: str) -> str:
    if query.prefix is not None:
        return f"begins_with({sort}, {terms.value(query.prefix)})"
    if query.low is not None and query.high is not None:
        return f"{sort} BETWEEN {terms.value(query.low)} AND {terms.value(query.high)}"
    if query.low is not None:
        return f"{sort} >= {terms.value(query.low)}"
    return f"{sort} <= {terms.value(query.high)}"


class Terms:
    """The placeholders of one request: every name and value is one, so no reserved word and no text can interfere."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, Any]] = {}

    def placeholders(self) -> Request:
        names = {placeholder: name for name, placeholder in self._names.items()}
        request: Request = {"ExpressionAttributeNames": names} if names else {}
        return request | ({"ExpressionAttributeValues": self._values} if self._values else {})

    def name(self, name: str) -> str:
        return self._names.setdefault(name, f"#n{len(self._names)}")

    def value(self, value: Value) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = marshal(value)
        return placeholder

    def update(self, update: Update) -> str:
        clauses = {
            "SET": [f"{self.name(name)} = {self.value(value)}" for name, value in update.set.items()],
            "ADD": [f"{self.name(name)} {self.value(amount)}" for name, amount in update.add.items()],
            "DELETE": [f"{self.name(name)} {self.value(members)}" for name, members in update.discard.items()],
            "REMOVE": [self.name(name) for name in update.remove],
        }
        return " ".join(f"{verb} {', '.join(actions)}" for verb, actions in clauses.items() if actions)

    def condition(self, condition: Condition) -> str:
        match condition:
            case Exists(name):
                return f"attribute_exists({self.name(name)})"
            case Missing(name):
                return f"attribute_not_exists({self.name(name)})"
            case Compare():
                return self._comparison(condition)
            case Contains(name, value):
                return f"contains({self.name(name)}, {self.value(value)})"
            case All(parts):
                return self._joined(" AND ", parts)
            case AnyOf(parts):
                return self._joined(" OR ", parts)
            case Not(part):
                return f"(NOT {self.condition(part)})"

    def _joined(self, conjunction: str, parts: tuple[Condition, ...]) -> str:
        texts = [self.condition(part) for part in parts]
        return texts[0] if len(texts) == 1 else f"({conjunction.join(texts)})"

    def _comparison(self, compare: Compare) -> str:
        """With `attribute_exists` where DynamoDB, or an emulator of it, would let what is missing pass."""
        left = self.name(compare.name)
        if isinstance(compare.operand, Attr):
            right = self.name(compare.operand.name)
            present = [left, right] if compare.op in EQUALITY else []
        else:
            right = self.value(compare.operand)
            present = [left] if compare.op == "<>" else []
        comparison = f"{left} {compare.op} {right}"
        parts = [*(f"attribute_exists({name})" for name in present), comparison]
        return comparison if len(parts) == 1 else f"({' AND '.join(parts)})"
