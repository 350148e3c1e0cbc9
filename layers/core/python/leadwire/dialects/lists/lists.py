"""Lists in the lists dialect (decisions.md: creating a lead needs one): create, list, get, rename, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadwire import lists
from leadwire.context import Ctx, Tenant, iso
from leadwire.dialects.fields import FilledLine
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads import deletions, query
from leadwire.named import Named

from . import errors


class ListBody(Body):
    """`POST /v1/lists`, `PATCH /v1/lists/{id}`."""

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
    return _counted(ctx, [lists.get(ctx, request.path["id"])])[0]


def rename(ctx: Ctx, request: Request) -> Counted:
    """Counted first, because the answer is stored with the change."""
    (before,) = _counted(ctx, [lists.get(ctx, request.path["id"])])
    return lists.rename(ctx, request.path["id"], request.body.name, lambda record: Counted(record, before.leads))


def delete(ctx: Ctx, request: Request) -> str:
    return deletions.delete_list(ctx, request.path["id"])


def _counted(ctx: Ctx, records: list[Named]) -> list[Counted]:
    totals = query.totals(ctx, [lists.facet(record.id) for record in records])
    return [Counted(record, totals[lists.facet(record.id)]) for record in records]


def show_created(tenant: Tenant, record: Named) -> Reply:
    return Reply(201, show(tenant, Counted(record, 0)).body)


def show_all(tenant: Tenant, counted: list[Counted]) -> Reply:
    """In the dialect's list envelope; a tenant's lists are few enough for one page."""
    return Reply(200, {"items": [show(tenant, one).body for one in counted], "has_more": False, "next_cursor": None})


def show(_tenant: Tenant, counted: Counted) -> Reply:
    body: dict[str, Any] = {
        "id": counted.record.id,
        "name": counted.record.name,
        "lead_count": counted.leads,
        "created_at": iso(counted.record.created_at),
        "updated_at": iso(counted.record.updated_at),
    }
    return Reply(200, body)


def show_nothing(_tenant: Tenant, _list_id: str) -> Reply:
    return Reply(204)


DIALECT = Dialect(
    name="lists",
    routes=(
        Route("GET", "/v1/lists", "read:lists", every, show_all),
        Route("POST", "/v1/lists", "write:lists", create, show_created, body=ListBody),
        Route("GET", "/v1/lists/{id}", "read:lists", get, show),
        Route("PATCH", "/v1/lists/{id}", "write:lists", rename, show, body=ListBody),
        Route("DELETE", "/v1/lists/{id}", "write:lists", delete, show_nothing),
    ),
    render_error=errors.render,
)
