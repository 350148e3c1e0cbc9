"""Lists: named groups that leads are attached to. Their ids are random uuids."""

from __future__ import annotations

import re
import uuid
from functools import partial

from . import keys, named
from .named import Kind

KIND = Kind(
    name="list",
    partition=keys.lists,
    fresh_id=lambda: str(uuid.uuid4()),
    pattern=re.compile(r"[0-9a-z-]{1,64}"),
)
create, every, get = partial(named.create, KIND), partial(named.every, KIND), partial(named.get, KIND)
rename, delete = partial(named.rename, KIND), partial(named.delete, KIND)
exists = partial(named.exists, KIND)


def facet(list_id: str) -> str:
    """The list engine's name of the set of leads in this list."""
    return f"list={list_id}"
