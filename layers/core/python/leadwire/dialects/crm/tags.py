"""Tags in the crm dialect. Renaming and deleting go through the leads; where that takes several calls, they say 202."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadwire import tags
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import Tag as TagName
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads import cascade
from leadwire.leads import query as listing
from leadwire.leads.cascade import Progress
from leadwire.tags import Tag

from . import errors, paging
from .paging import Paged, PageQuery
from .parts import Color, number, page, time


class CreateTag(Body):
    """`POST /api/v1/tags`."""

    name: TagName
    color: Color | None = None


class UpdateTag(Body):
    """`PUT` and `PATCH /api/v1/tags/{id}`; null clears the color."""

    name: TagName = ""
    color: Color | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A tag and how many leads bear it; `left` of those still bear its name of before."""

    tag: Tag
    leads: int
    left: int = 0


def every(ctx: Ctx, request: Request) -> Paged[Counted]:
    found = page(request, tags.every(ctx))
    counts = _counts(ctx, *found.records)
    counted = [Counted(tag, counts[tag.id]) for tag in found.records]
    return Paged(counted, found.total, found.query, found.url)


def create(ctx: Ctx, request: Request) -> Counted:
    tag = tags.create(ctx, request.body.name, request.body.color or "")
    return Counted(tag, 0)


def get(ctx: Ctx, request: Request) -> Counted:
    tag = tags.get(ctx, number(request.path["id"]))
    return Counted(tag, _counts(ctx, tag)[tag.id])


def update(ctx: Ctx, request: Request) -> Counted:
    body: UpdateTag = request.body
    color = (body.color or "") if "color" in body.model_fields_set else None
    changed = cascade.rename_tag(ctx, number(request.path["id"]), body.name or None, color)
    return Counted(changed.record, _counts(ctx, changed.record)[changed.record.id], changed.left)


def delete(ctx: Ctx, request: Request) -> Progress[Tag]:
    return cascade.delete_tag(ctx, number(request.path["id"]))


def _counts(ctx: Ctx, *wanted: Tag) -> dict[int, int]:
    totals = listing.totals(ctx, [f"tag={tag.name}" for tag in wanted])
    return {tag.id: totals[f"tag={tag.name}"] for tag in wanted}


def show_page(_tenant: Tenant, page: Paged[Counted]) -> Reply:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, counted: Counted) -> Reply:
    return Reply(201, {"data": shape(counted)})


def show(_tenant: Tenant, counted: Counted) -> Reply:
    if counted.left:
        return Reply(202, {"data": shape(counted), "meta": {"remaining": counted.left}})
    return Reply(200, {"data": shape(counted)})


def show_deleted(_tenant: Tenant, progress: Progress[Any]) -> Reply:
    """202 asks for the same request again: so many leads are left."""
    return Reply(202, {"meta": {"remaining": progress.left}}) if progress.left else Reply(204)


def shape(counted: Counted) -> dict[str, Any]:
    tag = counted.tag
    return {
        "id": tag.id,
        "name": tag.name,
        "color": tag.color or None,
        "lead_count": counted.leads,
        "created_at": time(tag.created_at),
        "updated_at": time(tag.updated_at),
    }


BASE = "/api/v1/tags"
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, "read:tags", every, show_page, query=PageQuery),
        Route("POST", BASE, "write:tags", create, show_created, body=CreateTag),
        Route("GET", BASE + "/{id}", "read:tags", get, show),
        Route("PUT", BASE + "/{id}", "write:tags", update, show, body=UpdateTag),
        Route("PATCH", BASE + "/{id}", "write:tags", update, show, body=UpdateTag),
        Route("DELETE", BASE + "/{id}", "write:tags", delete, show_deleted),
    ),
    render_error=errors.render,
)
