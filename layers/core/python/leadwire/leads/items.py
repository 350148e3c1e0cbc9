"""A lead as an item of the table, and back."""

from __future__ import annotations

import json
from typing import Any

from leadwire import keys
from leadwire.context import Ctx
from leadwire.json_text import json_text
from leadwire.store.types import INDEXES, Item

from . import model, terms
from .model import Lead

_JSON = ("address", "custom", "qualification")
"""Open maps are JSON text in the table (docs/decisions/0009)."""


def to_item(ctx: Ctx, lead: Lead) -> Item:
    key = keys.lead(ctx.tenant.id, lead.number)
    values: dict[str, Any] = model.snapshot(lead)
    for name in _JSON:
        if name in values:
            values[name] = json_text(values[name])
    return {"pk": key.pk, "sk": key.sk, **values, **_index(ctx.tenant.id, lead)}


def of_item(item: Item) -> Lead:
    return model.of_snapshot({name: json.loads(value) if name in _JSON else value for name, value in item.items()})


def _index(tenant: str, lead: Lead) -> Item:
    """Every lead stands in every sort order, with an empty value if it has none."""
    values = (terms.SORT_VALUES[sort](lead) for sort in terms.SORTS)
    orders = zip(INDEXES, terms.SORTS, values, strict=True)
    return keys.indexed(
        **{
            index: (keys.lead_sort(tenant, sort), keys.lead_sort_value(value, lead.number))
            for index, sort, value in orders
        }
    )
