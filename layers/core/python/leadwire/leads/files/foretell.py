"""What an import would do to each row, without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Literal

from leadwire.context import Ctx
from leadwire.leads import batch, identity
from leadwire.store.limits import MOST_GOT

from .intake import Duplicates, Row, checked
from .log import Refusal

AT_ONCE = MOST_GOT // 2
"""Rows whose identities are one batch read."""

type Fate = Literal["created", "merged", "skipped", "refused"]


def fates(ctx: Ctx, rows: Iterable[Row | Refusal], duplicates: Duplicates) -> Iterator[tuple[Row | Refusal, Fate]]:
    """Each row with what would become of it. Holds 8 bytes of each identity that the file has named so far."""
    seen: set[int] = set()
    for some in batched(map(checked, rows), AT_ONCE, strict=False):
        known = batch.identities_of(ctx, [row.draft for row in some if isinstance(row, Row)])
        for row in some:
            if isinstance(row, Refusal):
                yield row, "refused"
                continue
            own = [*identity.keys_of(ctx.tenant, row.draft).values()]
            met = duplicates != "keep" and any(known[key].primary or hash(key) in seen for key in own)
            seen.update(map(hash, own))
            yield row, ("merged" if duplicates == "merge" else "skipped") if met else "created"
