"""Every function may do what it does, and nothing else: policies against what was noted while stories ran."""

from __future__ import annotations

from typing import Any

from tests.contracts import days
from tests.contracts.test_template import FUNCTIONS, MAPPINGS, target
from tests.unit.webhooks.conftest import Receiver, receiver
from tests.watched import Use

__all__ = ["receiver"]

OF_MAPPINGS = {
    "Table": {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    },
    "": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}
"""What Lambda itself does with a stream or a queue for a function that is fed from it."""


def allowed() -> set[Use]:
    """What the policies allow, resource by resource; `Table/g1` is an index, `Table/stream` the stream."""
    return {
        (name, action, place)
        for name, function in FUNCTIONS.items()
        for document in function.get("Policies", [])
        for statement in document["Statement"]
        for action in _many(statement["Action"])
        for place in map(_place, _many(statement["Resource"]))
    }


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _place(resource: Any) -> str:
    if "Fn::Sub" in resource:
        return str(resource["Fn::Sub"]).replace("${Table.Arn}/index/", "Table/").removesuffix("-index")
    return "Table/stream" if str(resource).count("StreamArn") else target(resource)


def by_lambda() -> set[Use]:
    """What the mappings need, and what is left of them when it is given up."""
    found: set[Use] = set()
    for mapping in MAPPINGS.values():
        function, source = target(mapping["FunctionName"]), target(mapping["EventSourceArn"])
        of_table = source == "Table"
        place = "Table/stream" if of_table else source
        found |= {(function, action, place) for action in OF_MAPPINGS["Table" if of_table else ""]}
        if of_table:
            found.add((function, "sqs:SendMessage", target(mapping["DestinationConfig"]["OnFailure"]["Destination"])))
    return found


def test_every_function_may_do_what_it_does_and_nothing_else(receiver: Receiver) -> None:
    used = days.golden_files() | days.rows(receiver) | days.workers(receiver) | by_lambda()
    assert sorted(used - allowed()) == [], "not allowed"
    assert sorted(allowed() - used) == [], "allowed and not used"
