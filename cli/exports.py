"""`leadwire export`"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from leadwire import lists
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.leads.files import outgoing as service
from leadwire.leads.files.outgoing import Facets
from leadwire.leads.model import Lead

from . import show
from .bar import bar
from .files import outgoing
from .files.outgoing import Words
from .files.source import Format, format_of
from .imports import canonical_status
from .session import OfTenant, connected, files, tenant_ctx


def export(
    context: typer.Context,
    tenant: OfTenant,
    file: Annotated[Path | None, typer.Argument(help="Where to; the standard output if not given.")] = None,
    kind: Annotated[
        Format | None, typer.Option("--format", help="csv or jsonl.", show_default="by the extension, or csv")
    ] = None,
    of_list: Annotated[str | None, typer.Option("--list", help="Only leads in this list: its name or id.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only leads with this tag.")] = None,
    status: Annotated[str | None, typer.Option(parser=canonical_status, help="Only leads in this status.")] = None,
) -> None:
    """Write the tenant's leads, oldest first, to a file that `leadwire import` reads."""
    write = outgoing.write_lines if (kind or format_of(file or Path())) == "jsonl" else outgoing.write_table
    with files(), connected(context) as ports:
        ctx = tenant_ctx(ports, tenant)
        about, leads = service.leads(ctx, _facets(ctx, of_list, tag, status))
        words, count = outgoing.words(ctx), 0
        with outgoing.appearing(file) if file else outgoing.standard() as target, bar("leads", about) as moved:
            count = write(target, _told(leads, words, moved))
    if file:
        show.say(f"{count:,} lead{'s' * (count != 1)} in {file}")


def _facets(ctx: Ctx, of_list: str | None, tag: str | None, status: str | None) -> Facets:
    """Raises NotFound if there is no such list."""
    wanted = [f"tag={tag}"] if tag else []
    wanted += [f"status={status}"] if status else []
    if of_list:
        found = [one.id for one in lists.every(ctx) if of_list.casefold() in {one.id, one.name.casefold()}]
        if not found:
            raise NotFound("list")
        wanted.append(lists.facet(found[0]))
    return tuple((facet,) for facet in wanted)


def _told(leads: Iterable[Lead], words: Words, moved: Callable[[int], None]) -> Iterator[Mapping[str, Any]]:
    for lead in leads:
        yield outgoing.row(lead, words)
        moved(1)
