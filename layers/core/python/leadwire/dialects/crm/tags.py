"""Tags in the crm dialect. Renaming and deleting go through the leads; where that takes several calls, they say 202."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from leadwire import records, tags
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import Tag as TagName
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.leads import cascade
from leadwire.leads import query as listing
from leadwire.leads.cascade import Progress
from leadwire.tags import Tag

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import (
    CHANGES,
    DELETED,
    NUMBERED,
    Color,
    Count,
    Number,
    One,
    Remaining,
    Time,
    number,
    page,
    show_deleted,
    time,
)


class CreateTag(Body):
    """`POST /api/v1/tags`."""

    name: TagName
    color: Color | None = None


class UpdateTag(Body):
    """`PUT` and `PATCH /api/v1/tags/{id}`; null clears the color."""

    model_config = CHANGES

    name: TagName = ""
    color: Color | None = None


class TagRecord(TypedDict):
    id: Number
    name: str
    color: Color | None
    lead_count: Count
    created_at: Time
    updated_at: Time


class Renaming(TypedDict):
    """Leads still bear the name of before."""

    data: TagRecord
    meta: Remaining


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
    return _unborne(tags.create(ctx.answering(_unborne), request.body.name, request.body.color or ""))


def _unborne(tag: Tag) -> Counted:
    return Counted(tag, 0)


def get(ctx: Ctx, request: Request) -> Counted:
    tag = tags.get(ctx, number(request.path["id"]))
    return Counted(tag, _counts(ctx, tag)[tag.id])


def update(ctx: Ctx, request: Request) -> Counted:
    body: UpdateTag = request.body
    color = (body.color or "") if "color" in body.model_fields_set else None

    def counted(changed: Progress[Tag]) -> Counted:
        return Counted(changed.record, _counts(ctx, changed.record)[changed.record.id], changed.left)

    return counted(cascade.rename_tag(ctx.answering(counted), number(request.path["id"]), body.name or None, color))


def delete(ctx: Ctx, request: Request) -> Progress[Tag]:
    return cascade.delete_tag(ctx, number(request.path["id"]))


def _counts(ctx: Ctx, *wanted: Tag) -> dict[int, int]:
    totals = listing.totals(ctx, [f"tag={tag.name}" for tag in wanted])
    return {tag.id: totals[f"tag={tag.name}"] for tag in wanted}


def show_page(_tenant: Tenant, page: Paged[Counted]) -> Reply[Page[TagRecord]]:
    return paging.show(page, shape)


def show_created(_tenant: Tenant, counted: Counted) -> Reply[One[TagRecord]]:
    return Reply(201, {"data": shape(counted)})


def show(_tenant: Tenant, counted: Counted) -> Reply[One[TagRecord] | Renaming]:
    if counted.left:
        renaming: Renaming = {"data": shape(counted), "meta": {"remaining": counted.left}}
        return Reply(202, renaming, unfinished=True)
    return Reply(200, {"data": shape(counted)})


def shape(counted: Counted) -> TagRecord:
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
ITEM = BASE + "/{id}"
READ, WRITE = "read:tags", "write:tags"
LISTED, MADE, SHOWN = {200: Page[TagRecord]}, {201: One[TagRecord]}, {200: One[TagRecord]}
CHANGED = {**SHOWN, 202: Renaming}
TAKEN = (records.taken("name", "vip"),)
DIALECT = Dialect(
    name="crm",
    routes=(
        Route("GET", BASE, READ, every, show_page, query=PageQuery, summary="List tags", answers=LISTED),
        Route(
            "POST", BASE, WRITE, create, show_created, body=CreateTag,
            summary="Create a tag", answers=MADE, refuses=TAKEN,
        ),
        Route("GET", ITEM, READ, get, show, summary="Get a tag", answers=SHOWN),
        Route("PUT", ITEM, WRITE, update, show, body=UpdateTag, summary="Change a tag", answers=CHANGED, refuses=TAKEN),
        Route(
            "PATCH", ITEM, WRITE, update, show, body=UpdateTag,
            summary="Change a tag", answers=CHANGED, refuses=TAKEN,
        ),
        Route("DELETE", ITEM, WRITE, delete, show_deleted, summary="Delete a tag", answers=DELETED),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
    parameters=NUMBERED,
)  # fmt: skip
