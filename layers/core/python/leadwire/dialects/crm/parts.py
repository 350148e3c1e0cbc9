"""What the resources of the crm dialect share: numbers in paths, times, pages of what is read as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from leadwire.context import Tenant, iso
from leadwire.dialects.fields import WHOLE, published, unsent
from leadwire.edge.types import Reply, Request
from leadwire.leads.cascade import Progress
from leadwire.records import Numbered

from . import paging
from .paging import Paged

NUMBER_DIGITS = 12

Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Position = Annotated[int, Field(ge=1, le=1000), WHOLE]
Number = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
NUMBERED = {"id": Number, "pipeline_id": Number, "stage_id": Number}
"""What paths name by number."""
Ulid = Annotated[str, Field(pattern=r"^[0-6][0-9A-HJKMNP-TV-Z]{25}$")]
"""Those that begin with 7 name times beyond the year 9999."""
Time = Annotated[
    str,
    published(
        format="date-time",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$",
        examples=["2026-11-21T10:30:00+00:00"],
    ),
]


class One[Shape](TypedDict):
    """A single record has no meta."""

    data: Shape


class Times(TypedDict):
    created_at: Time
    updated_at: Time


class Remaining(TypedDict):
    remaining: Annotated[int, Field(ge=1, description="Leads that are still to be changed: send the request again.")]


class Unfinished(TypedDict):
    meta: Remaining


GONE = {204: None}
DELETED = {202: Unfinished, 204: None}
"""What deletions answer, as routes publish it: the latter's go through leads."""


CHANGES = ConfigDict(json_schema_extra=unsent)
"""Of bodies that change only what is sent."""


def number(text: str) -> int | None:
    """The number in a path, or None: to be answered like a record that is not there."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS else None


def sent(body: BaseModel) -> dict[str, Any]:
    """The fields that a body has; null leaves what clears them."""
    return {name: getattr(body, name) for name in body.model_fields_set}


def page[Record](request: Request, records: Sequence[Record]) -> Paged[Record]:
    """The page that was asked for, of all records."""
    asked = request.query
    return paging.paged(request, records[asked.offset : asked.offset + asked.per_page], len(records))


def time(ms: int) -> str:
    return iso(ms, zone="+00:00")


def times(record: Numbered) -> Times:
    return {"created_at": time(record.created_at), "updated_at": time(record.updated_at)}


def show_deleted(_tenant: Tenant, progress: Progress[Any]) -> Reply[Unfinished]:
    """202 asks for the same request again: so many leads are left."""
    if progress.left:
        return Reply(202, {"meta": {"remaining": progress.left}}, unfinished=True)
    return Reply(204)


def no_content(_tenant: Tenant, _result: object) -> Reply[None]:
    return Reply(204)
