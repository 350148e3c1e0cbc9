"""What the resources of the crm dialect share: numbers in paths, times, pages of what is read as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from leadwire.context import Tenant, iso
from leadwire.edge.types import Reply, Request
from leadwire.records import Numbered

from . import paging
from .paging import Paged

NUMBER_DIGITS = 12

Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Position = Annotated[int, Field(ge=1, le=1000)]


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


def times(record: Numbered) -> dict[str, str]:
    return {"created_at": time(record.created_at), "updated_at": time(record.updated_at)}


def no_content(_tenant: Tenant, _result: object) -> Reply:
    return Reply(204)
