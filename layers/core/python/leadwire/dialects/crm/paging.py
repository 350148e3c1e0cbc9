"""Pages of the crm dialect: `page` and `per_page`, `meta` and `links` (contracts/crm.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict
from urllib.parse import urlencode

from pydantic import Field

from leadwire.edge.types import QueryString, Reply, Request


class PageQuery(QueryString):
    page: Annotated[int, Field(ge=1, le=10**9)] = 1
    per_page: Annotated[int, Field(ge=1, le=100)] = 15

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


Meta = TypedDict(
    "Meta",
    {
        "current_page": int,
        "last_page": int,
        "per_page": int,
        "total": int,
        "from": int | None,
        "to": int | None,
    },
)


class Links(TypedDict):
    first: str
    last: str
    prev: str | None
    next: str | None
    self: str


class Page[Shape](TypedDict):
    data: list[Shape]
    meta: Meta
    links: Links


@dataclass(frozen=True, slots=True)
class Paged[Record]:
    """A page of records, and what its links are made of."""

    records: Sequence[Record]
    total: int
    query: PageQuery
    url: str


def paged[Record](request: Request, records: Sequence[Record], total: int) -> Paged[Record]:
    return Paged(records, total, request.query, request.url)


def show[Record, Shape](page: Paged[Record], render: Callable[[Record], Shape]) -> Reply[Page[Shape]]:
    query, count = page.query, len(page.records)
    last = max(1, -(-page.total // query.per_page))
    meta: Meta = {
        "current_page": query.page,
        "last_page": last,
        "per_page": query.per_page,
        "total": page.total,
        "from": query.offset + 1 if count else None,
        "to": query.offset + count if count else None,
    }
    links: Links = {
        "first": _link(page, 1),
        "last": _link(page, last),
        "prev": _link(page, min(query.page - 1, last)) if query.page > 1 else None,
        "next": _link(page, query.page + 1) if query.page < last else None,
        "self": _link(page, query.page),
    }
    return Reply(200, {"data": [render(record) for record in page.records], "meta": meta, "links": links})


def _link(page: Paged[Any], number: int) -> str:
    """The caller's own parameters with another page."""
    given = page.query.model_dump(include=page.query.model_fields_set - {"page"}, by_alias=True, mode="json")
    return f"{page.url}?{urlencode({**given, 'page': number})}"
