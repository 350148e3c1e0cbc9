"""The log of attempts: when, what came of it, the first words of the answer, what follows.

An attempt that succeeded and was answered in few words is noted in the delivery itself, for that write is made anyway.
Any other one is an item of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadwire import keys
from leadwire.store.table import Table
from leadwire.store.types import ABSENT, Item, Put, Query

from . import store
from .model import Delivery, Outcome, Webhook
from .retry import Step

FEW = 200
"""Bytes."""
MOST_NOTED = 10
"""In one delivery, which may be resent any number of times and has to stay an item of the table."""


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt that was made, and what follows. Times are epoch milliseconds; endpoint and delivery are as before."""

    webhook: Webhook
    delivery: Delivery
    outcome: Outcome
    step: Step
    began: int
    ended: int


def is_noted(made: Made) -> bool:
    short = made.outcome.delivered and len(made.outcome.body.encode()) <= FEW
    return short and len(made.delivery.noted) < MOST_NOTED


def entry(made: Made, after: Delivery) -> dict[str, Any]:
    """One line of the log. `after` is the delivery as the attempt leaves it."""
    return {
        "at": made.began,
        "kind": made.outcome.kind,
        "status": made.outcome.status,
        "ms": made.outcome.ms,
        "body": made.outcome.body,
        "error": made.outcome.error,
        "next_at": after.next_at if after.state == "pending" else None,
    }


def note(made: Made, after: Delivery) -> dict[str, Any]:
    """What the delivery itself keeps of a success, without what goes without saying."""
    said = {"body": made.outcome.body} if made.outcome.body else {}
    told = {"number": after.attempts, "at": made.began, "status": made.outcome.status}
    return {**told, "ms": made.outcome.ms, **said}


def put(made: Made, after: Delivery) -> Put:
    key = keys.attempt(made.delivery.tenant, made.delivery.id, after.attempts)
    line = entry(made, after)
    item: Item = {**line, "body": store.packed(line["body"])}
    forgotten = (made.ended + store.KEPT) // store.SECOND
    return Put({"pk": key.pk, "sk": key.sk, **item, "expires_at": forgotten}, ABSENT)


def of_deliveries(table: Table, deliveries: Sequence[Delivery]) -> list[list[Mapping[str, Any]]]:
    """The attempts of each delivery, in order. Only what failed once is asked for: one query each, side by side."""
    asked = [one for one in deliveries if len(one.noted) < one.attempts]
    queries = [Query(keys.delivery(one.tenant, one.id).pk, prefix=keys.ATTEMPT) for one in asked]
    pages = table.query_many(queries) if queries else []
    found = {one.id: rows for one, rows in zip(asked, pages, strict=True)}
    return [_of_delivery(one, found.get(one.id, [])) for one in deliveries]


def _of_delivery(delivery: Delivery, rows: Sequence[Item]) -> list[Mapping[str, Any]]:
    lines = {keys.number_of_attempt(row["sk"]): {**row, "body": store.unpacked(row["body"])} for row in rows}
    assumed = {"kind": "answered", "body": "", "error": "", "next_at": None}
    lines |= {line["number"]: {**assumed, **line} for line in delivery.noted}
    return [lines[number] for number in sorted(lines) if number <= delivery.attempts]
