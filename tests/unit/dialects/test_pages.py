"""Pages that are read while leads of theirs are deleted: nobody skips what is there throughout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from leadwire.context import Ctx
from leadwire.leads import service
from leadwire.ports import Ports
from leadwire.store.faults import FaultyEngine
from leadwire.store.types import Consumed, Item, Key
from tests import doors, factories
from tests.factories import Keys

LEADS = 4


class Deleting(FaultyEngine):
    """A lead is deleted just before the leads of a page are read."""

    delete: Callable[[], object] | None = None

    def batch_get(self, keys: Sequence[Key], *, consistent: bool) -> tuple[list[Item], list[Key], Consumed]:
        if self.delete and all(key.sk == "LEAD" for key in keys):
            delete, self.delete = self.delete, None
            delete()
        return super().batch_get(keys, consistent=consistent)


def public(data: Any) -> tuple[int, bool, str | None]:
    page = data["data"]
    return len(page["leads"]), page["hasMore"], page["nextBefore"]


def lists(data: Any) -> tuple[int, bool, str | None]:
    return len(data["items"]), data["has_more"], data["next_cursor"]


PAGES: dict[str, tuple[str, str, Callable[[Any], tuple[int, bool, str | None]]]] = {
    "public": ("/api/v1/pub/leads/light", "before", public),
    "lists": ("/v1/leads", "cursor", lists),
}


@pytest.mark.parametrize("dialect", PAGES)
def test_a_page_whose_leads_are_all_deleted_meanwhile_leads_to_the_next_one(
    dialect: str, ports: Ports, ctx: Ctx, keys_of_families: Keys
) -> None:
    path, parameter, read = PAGES[dialect]
    for number in range(LEADS):
        service.create(ctx, factories.draft(number))
    engine = Deleting(ports.engine)
    engine.delete = lambda: service.delete(ctx, LEADS)
    found: list[int] = []
    after: str | None = ""
    while after is not None:
        asked = f"{path}?limit=1" + (f"&{parameter}={quote(after)}" if after else "")
        page = doors.send(replace(ports, engine=engine), "GET", asked, keys_of_families[dialect]).body
        shown, more, after = read(page)
        assert more is (after is not None)
        found.append(shown)
    assert found == [0, 1, 1, 1]
