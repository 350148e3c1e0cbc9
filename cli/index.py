"""`leadwire index …`"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from leadwire.context import Ctx
from leadwire.leads import rebuild as index
from leadwire.leads.rebuild import Moved, Unnamed, Wrong

from . import show
from .session import REFUSED, connected, tenant_ctx
from .show import AsJson

app = typer.Typer(help="The index that lists of leads are made of.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="Slug of the tenant.")]
SHOWN = 20
"""Rows for people; --json has all of them."""


@app.command()
def verify(context: typer.Context, tenant: Slug, *, as_json: AsJson = False) -> None:
    """Compare the index with the leads. Exit code 1 if anything is wrong; `rebuild` mends it."""
    rows = _told(context, tenant, index.verify)
    _show(rows, as_json=as_json, none="The index is right.")
    if rows:
        raise typer.Exit(REFUSED)


@app.command()
def rebuild(context: typer.Context, tenant: Slug, *, as_json: AsJson = False) -> None:
    """Mend the index, while the tenant goes on working. Says what was wrong."""
    _show(_told(context, tenant, index.rebuild), as_json=as_json, none="The index was right.")


def _told(
    context: typer.Context, slug: str, work: Callable[[Ctx, Moved], Iterator[Wrong | Unnamed]]
) -> list[dict[str, Any]]:
    with connected(context) as ports, _progress() as moved:
        return [_row(found) for found in work(tenant_ctx(ports, slug), moved)]


@contextmanager
def _progress() -> Iterator[Moved]:
    """A bar on stderr for each part of the work; nothing where nobody looks at it."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def moved(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done + 1)

        yield moved


def _row(found: Wrong | Unnamed) -> dict[str, Any]:
    spot = found.spot
    if isinstance(found, Unnamed):
        return {"kind": spot.kind, "term": spot.term, "chunk": None, "missing": [], "stale": [], "named": False}
    numbers = {"missing": list(found.missing), "stale": list(found.stale)}
    return {"kind": spot.kind, "term": spot.term, "chunk": spot.chunk, **numbers, "named": True}


def _show(rows: list[dict[str, Any]], *, as_json: bool, none: str) -> None:
    if as_json:
        show.records(rows, as_json=True, none=none)
        return
    show.records([_short(row) for row in rows[:SHOWN]], as_json=False, none=none)
    if len(rows) > SHOWN:
        show.say(f"… and {len(rows) - SHOWN:,} more; --json shows all of them.")


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """How many instead of which."""
    return {**row, "missing": len(row["missing"]), "stale": len(row["stale"])}
