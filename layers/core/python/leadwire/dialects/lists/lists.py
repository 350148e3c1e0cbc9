"""Lists in the lists dialect (decisions.md: creating a lead needs one): create, list, get, rename, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from leadwire import lists
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads import deletions, query
from leadwire.named import Named

from . import errors
from .shapes import Count, Id, Time, id_in


class ListBody(Body):
    name: FilledLine


@dataclass(frozen=True, slots=True)
class Counted:
    """A list and how many leads are in it."""

    record: Named
    leads: int


def create(ctx: Ctx, request: Request) -> Named:
    return lists.create(ctx, request.body.name)


def every(ctx: Ctx, _request: Request) -> list[Counted]:
    return _counted(ctx, lists.every(ctx))


def get(ctx: Ctx, request: Request) -> Counted:
    return _counted(ctx, [lists.get(ctx, id_in(request))])[0]


def rename(ctx: Ctx, request: Request) -> Counted:
    """Counted first, because the answer is stored with the change."""
    (before,) = _counted(ctx, [lists.get(ctx, id_in(request))])
    return lists.rename(ctx, id_in(request), request.body.name, lambda record: Counted(record, before.leads))


def delete(ctx: Ctx, request: Request) -> str:
    return deletions.delete_list(ctx, id_in(request))


def _counted(ctx: Ctx, records: list[Named]) -> list[Counted]:
    totals = query.totals(ctx, [lists.facet(record.id) for record in records])
    return [Counted(record, totals[lists.facet(record.id)]) for record in records]


class ShownList(TypedDict):
    id: Id
    name: str
    lead_count: Count
    created_at: Time
    updated_at: Time


class Lists(TypedDict):
    """In the dialect's list envelope; a tenant's lists are few enough for one page."""

    items: list[ShownList]
    has_more: Literal[False]
    next_cursor: None


def show_created(_tenant: Tenant, record: Named) -> Reply[ShownList]:
    return Reply(201, _shape(Counted(record, 0)))


def show_all(_tenant: Tenant, counted: list[Counted]) -> Reply[Lists]:
    return Reply(200, {"items": [_shape(one) for one in counted], "has_more": False, "next_cursor": None})


def show(_tenant: Tenant, counted: Counted) -> Reply[ShownList]:
    return Reply(200, _shape(counted))


def show_nothing(_tenant: Tenant, _list_id: str) -> Reply[None]:
    return Reply(204)


def _shape(counted: Counted) -> ShownList:
    return {
        "id": counted.record.id,
        "name": counted.record.name,
        "lead_count": counted.leads,
        "created_at": iso(counted.record.created_at),
        "updated_at": iso(counted.record.updated_at),
    }


ALL, ONE = "/v1/lists", "/v1/lists/{id}"
READ, WRITE = "read:lists", "write:lists"
SHOWN = {200: ShownList}
DIALECT = Dialect(
    name="lists",
    routes=(
        Route("GET", ALL, READ, every, show_all, summary="List lists", answers={200: Lists}),
        Route(
            "POST",
            ALL,
            WRITE,
            create,
            show_created,
            body=ListBody,
            summary="Create a list",
            answers={201: ShownList},
        ),
        Route("GET", ONE, READ, get, show, summary="Get a list", answers=SHOWN),
        Route("PATCH", ONE, WRITE, rename, show, body=ListBody, summary="Rename a list", answers=SHOWN),
        Route("DELETE", ONE, WRITE, delete, show_nothing, summary="Delete a list; its leads stay", answers={204: None}),
    ),
    render_error=errors.render,
    error_shape=errors.Refusal,
)
