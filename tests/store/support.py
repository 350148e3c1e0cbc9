"""What the conformance suite shares: reads that wait for eventual consistency, and paging."""

from __future__ import annotations

from dataclasses import replace

from leadwire.store.engine import Engine
from leadwire.store.types import Item, Page, Query

PATIENCE = 200
"""Reads of an index before giving up; only a real table needs more than one."""


def index_page(engine: Engine, query: Query, count: int) -> Page:
    """The page of an index, once it shows `count` rows; otherwise the last one seen."""
    for _ in range(PATIENCE):
        page, _ = engine.query(query)
        if len(page.items) == count:
            break
    return page


def every_page(engine: Engine, query: Query) -> list[list[Item]]:
    """The items of the query, page by page."""
    page, _ = engine.query(query)
    pages = [page.items]
    while page.next is not None:
        page, _ = engine.query(replace(query, start=page.next))
        pages.append(page.items)
    return pages


def sort_keys(items: list[Item]) -> list[str]:
    return [item["sk"] for item in items]
