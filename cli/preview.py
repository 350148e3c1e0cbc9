"""`leadwire import --dry-run`: everything is read, checked and looked up, and nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from leadwire import tags
from leadwire.context import Ctx
from leadwire.leads.files import foretell
from leadwire.leads.files.log import Refusal
from leadwire.leads.files.rows import Row
from leadwire.leads.model import Lead
from leadwire.webhooks import endpoints

from . import show
from .bar import bar
from .files import names
from .files.plan import Plan

SAMPLE, PROBLEMS = 5, 10
"""How many rows, and how many problems are shown."""


def run(ctx: Ctx, plan: Plan) -> dict[str, Any]:
    """What an import would do."""
    known, fates = names.read(ctx, dry=True), Counter[str]()
    sample: list[dict[str, Any]] = []
    problems: list[Refusal] = []
    named: set[str] = set()
    with bar(plan.file.path.name, plan.scan.records) as moved:
        for row, fate in foretell.fates(ctx, plan.rows(known), plan.wanted.duplicates):
            fates[fate] += 1
            if isinstance(row, Row):
                named.update(row.draft.tags)
                sample += [{"row": row.number, "becomes": fate, **_shown(row.draft)}] if len(sample) < SAMPLE else []
            elif len(problems) < PROBLEMS:
                problems.append(row)
            moved(1)
    return {
        "dry_run": True,
        "rows": plan.scan.records,
        **{fate: fates[fate] for fate in ("created", "merged", "skipped", "refused")},
        "columns": {name: plan.targets.get(name) for name in plan.scan.columns},
        "new_lists": known.new_lists,
        "webhooks": sum(one.enabled for one in endpoints.every(ctx.table, ctx.tenant.id)),
        "new_tags": sorted(named - {tag.name for tag in tags.every(ctx)}),
        "sample": sample,
        "errors": [asdict(problem) for problem in problems],
    }


def show_it(found: Mapping[str, Any]) -> None:
    """For people."""
    columns = [{"column": name, "becomes": field or "(ignored)"} for name, field in found["columns"].items()]
    show.records(columns, as_json=False, none="")
    show.say("")
    show.records(found["sample"], as_json=False, none="No row can be imported.")
    show.say("")
    if found["errors"]:
        show.records(found["errors"], as_json=False, none="")
        more = found["refused"] - len(found["errors"])
        show.say(f"… and {more:,} more\n" if more else "")
    counts = {name: found[name] for name in ("rows", "created", "merged", "skipped", "refused")}
    news = {name: found[name] for name in ("new_lists", "new_tags") if found[name]}
    show.record({**counts, **news}, as_json=False)
    if found["webhooks"]:
        show.say(f"Enabled webhooks that will be told of what they listen to: {found['webhooks']}.")
    show.say("Nothing was written.")


def _shown(lead: Lead) -> dict[str, Any]:
    texts = {"name": lead.name, "email": lead.email, "phone": lead.phone, "status": lead.status}
    return {name: value or None for name, value in texts.items()} | {"tags": list(lead.tags)}
