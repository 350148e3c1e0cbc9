"""The overlay: leads that were written and may not be indexed yet. It is what makes a list right at once.

    write ──┬─ lead v7 + PENDING v7                            consistent from here on
            │      … a list reads PENDING first, and lets it overrule the index …
    stream ─┴─▶ indexed ─▶ a message, 15 s later ─▶ PENDING deleted, if it is still v7

The transaction that writes a lead puts its pending item: what it is found by, or nothing if the lead is deleted. The
item stays for `GRACE` after it was indexed, so that eventually consistent reads of the index have caught up by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadwire import keys
from leadwire.context import Ctx
from leadwire.store.types import Delete, Item, Put, Query, equals

from . import model
from .bitmap import Bitmap, of_numbers
from .model import Lead

GRACE = 15
"""Seconds between indexing and deletion: global indexes and replicas are far behind after 10 at most."""
_NOT_FOUND_BY = (
    "notes",
    "address",
    "custom",
    "qualification",
    "phone_given",
    "company",
    "job_title",
    "event",
    "converted_at",
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The pending leads of a tenant by number; None for a lead that was deleted."""

    leads: Mapping[int, Lead | None]

    def mask(self) -> Bitmap:
        """The numbers about which the index has nothing to say."""
        return of_numbers(self.leads)

    def living(self) -> list[Lead]:
        return [lead for lead in self.leads.values() if lead]


def put(ctx: Ctx, lead: Lead) -> Put:
    """The write that belongs into the transaction of a created or changed lead."""
    found_by = {name: value for name, value in model.snapshot(lead).items() if name not in _NOT_FOUND_BY}
    return Put({**_identity(ctx, lead), "lead": json.dumps(found_by, ensure_ascii=False, separators=(",", ":"))})


def tombstone(ctx: Ctx, lead: Lead) -> Put:
    """The write that belongs into the transaction of a deleted lead; `lead` carries the version of the deletion."""
    return Put(_identity(ctx, lead))


def read(ctx: Ctx) -> Overlay:
    """All pending leads, consistently: 1 RRU for each shard if there are none."""
    partitions = [Query(keys.pending(ctx.tenant.id, shard), consistent=True) for shard in range(ctx.tenant.shards)]
    pages = ctx.table.query_many(partitions)
    return Overlay({int(item["sk"]): _lead(item) for items in pages for item in items})


def forget(ctx: Ctx, indexed: Iterable[Sequence[int]]) -> None:
    """Delete the pending items of these (number, version) pairs.

    A refusal means a later version, which a message of its own will forget, or one that is forgotten already.
    """
    tenant, shards = ctx.tenant.id, ctx.tenant.shards
    ctx.table.write_many([Delete(keys.pending_lead(tenant, n, shards), equals("version", v)) for n, v in indexed])


def _identity(ctx: Ctx, lead: Lead) -> Item:
    key = keys.pending_lead(ctx.tenant.id, lead.number, ctx.tenant.shards)
    return {"pk": key.pk, "sk": key.sk, "version": lead.version}


def _lead(item: Item) -> Lead | None:
    return model.of_snapshot(json.loads(item["lead"])) if "lead" in item else None
