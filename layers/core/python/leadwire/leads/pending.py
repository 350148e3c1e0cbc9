"""The overlay: leads that were written and may not be indexed yet. It is what makes a list right at once.

    write ──┬─ lead v7 + PENDING v7                            consistent from here on
            │      … a list reads PENDING first, and lets it overrule the index …
    stream ─┴─▶ indexed ─▶ a message, 15 s later ─▶ PENDING deleted, if it is still v7

The transaction that writes a lead puts its pending item: what it is found by, or nothing if the lead is deleted. The
item stays for `GRACE` after it was indexed, so that eventually consistent reads of the index have caught up by then.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from leadwire import keys
from leadwire.context import Ctx
from leadwire.json_text import json_text
from leadwire.store.types import Delete, Item, Put, Query, equals

from . import model
from .bitmap import Bitmap, of_numbers
from .model import Lead

GRACE = 15
"""Seconds between indexing and deletion: global indexes and replicas are far behind after 10 at most."""
FOUND_BY = (
    "created_at",
    "updated_at",
    "status",
    "first_name",
    "last_name",
    "phone",
    "email",
    "source",
    "tags",
    "lists",
    "chatbot",
    "pipeline_id",
    "stage_id",
    "assigned_user_id",
    "score",
    "starred",
    "other_emails",
    "other_phones",
)
"""What facets, tokens and sort orders are made of (terms.py), the rarest at the end. Stored without these names: a list
reads every pending lead, and pays by the byte."""
_values = attrgetter(*FOUND_BY)
_EMPTY = _values(Lead())


@dataclass(frozen=True, slots=True)
class Overlay:
    """The pending leads of a tenant by number, as they are stored; None for a lead that was deleted."""

    leads: Mapping[int, str | None]

    def mask(self) -> Bitmap:
        """The numbers about which the index has nothing to say."""
        return of_numbers(self.leads)

    def numbers(self) -> Bitmap:
        """Those that are there."""
        return of_numbers(number for number, text in self.leads.items() if text is not None)

    def living(self, among: Bitmap | None = None) -> list[Lead]:
        """Those that are there and, if `among` is given, in it: what they are found by, and nothing else."""
        known = [(number, text) for number, text in self.leads.items() if text is not None]
        return [lead_of(number, text) for number, text in known if among is None or number in among]


def put(ctx: Ctx, lead: Lead) -> Put:
    """The write that belongs into the transaction of a created or changed lead."""
    return Put({**_identity(ctx, lead), "lead": text_of(lead)})


def tombstone(ctx: Ctx, lead: Lead) -> Put:
    """The write that belongs into the transaction of a deleted lead; `lead` carries the version of the deletion."""
    return Put(_identity(ctx, lead))


def read(ctx: Ctx) -> Overlay:
    """All pending leads, consistently: 1 RRU for each shard if there are none."""
    partitions = [Query(keys.pending(ctx.tenant.id, shard), consistent=True) for shard in range(ctx.tenant.shards)]
    pages = ctx.table.query_many(partitions)
    return Overlay({int(item["sk"]): item.get("lead") for items in pages for item in items})


def forget(ctx: Ctx, indexed: Iterable[Sequence[int]]) -> None:
    """Delete the pending items of these (number, version) pairs.

    A refusal means a later version, which a message of its own will forget, or one that is forgotten already.
    """
    tenant, shards = ctx.tenant.id, ctx.tenant.shards
    ctx.table.write_many([Delete(keys.pending_lead(tenant, n, shards), equals("version", v)) for n, v in indexed])


def _identity(ctx: Ctx, lead: Lead) -> Item:
    key = keys.pending_lead(ctx.tenant.id, lead.number, ctx.tenant.shards)
    return {"pk": key.pk, "sk": key.sk, "version": lead.version}


def text_of(lead: Lead) -> str:
    """The values of FOUND_BY as a JSON array, without those at its end that are empty."""
    values = list(_values(lead))
    while values and values[-1] == _EMPTY[len(values) - 1]:
        values.pop()
    return json_text(values)


@functools.lru_cache(maxsize=16_384)  # the next list reads the same ones
def lead_of(number: int, text: str) -> Lead:
    found_by = dict(zip(FOUND_BY, json.loads(text), strict=False))
    return model.of_snapshot({"number": number, **found_by})
