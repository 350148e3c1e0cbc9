"""`leadwire tenant …`"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from leadwire import apikeys, ids, tenants
from leadwire.context import Tenant
from leadwire.ports import Ports
from leadwire.tenants import Hours

from . import show
from .session import MOST_CALLS, connected, named
from .show import AsJson

Slug = Annotated[str, typer.Argument(help="Slug of the tenant.")]
FIXED = (
    "the shards of a tenant are fixed when it is made: what was written under one number would not be found under"
    " another. Make a tenant with more shards, and move the leads by `leadwire export` and `leadwire import`"
)

app = typer.Typer(help="Tenants: one business each.", no_args_is_help=True)


@app.command()
def create(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="1 to 63 of a-z, 0-9 and inner hyphens; names the tenant for ever.")],
    name: Annotated[
        str | None,
        typer.Option(parser=named, metavar="TEXT", help="The business as people write it; the slug if not given."),
    ] = None,
    region: Annotated[str, typer.Option(help="ISO 3166 country whose national phone numbers are understood.")] = "US",
    shards: Annotated[
        int,
        typer.Option(min=1, max=16, help="4 for tenants that import much (docs/list-engine.md); cannot be changed."),
    ] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a tenant, with a chatbot called default and a first pipeline."""
    with connected(context) as ports:
        tenant = tenants.create(ports, slug, name or slug, region=region.upper(), shards=shards)
    show.record(_row(tenant, name or slug), as_json=as_json)
    if not as_json:
        show.say(f"Next: leadwire key create --tenant {slug} --dialect public|chatbot|lists|crm")


@app.command("list")
def list_(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Every tenant, by slug."""
    with connected(context) as ports:
        rows = [_row(tenant, name) for tenant, name in tenants.every(ports)]
    show.records(rows, as_json=as_json, none="No tenant yet. Make one: leadwire tenant create SLUG")


@app.command("show")
def show_(context: typer.Context, slug: Slug, *, as_json: AsJson = False) -> None:
    """A tenant, its settings and its keys."""
    with connected(context) as ports:
        row = _whole(ports, slug)
    show.record(row, as_json=as_json)


@app.command("set")
def set_(
    context: typer.Context,
    slug: Slug,
    name: Annotated[
        str | None, typer.Option(parser=named, metavar="TEXT", help="The business as people write it.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Country whose national phone numbers are understood.")] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict-phones/--possible-phones", help="Take valid phone numbers only, or all possible ones."),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="DIALECT=CALLS", help="Calls in the dialect's window, for each of the tenant's keys."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Its clocks, for automations: Europe/Berlin.")] = None,
    hours: Annotated[str | None, typer.Option(help="Business hours, Monday to Friday: 09:00-17:00.")] = None,
    shards: Annotated[int | None, typer.Option(hidden=True)] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Change settings of a tenant and of all its keys. Repeat it if it was interrupted: it goes on."""
    if shards is not None:
        raise typer.BadParameter(FIXED, param_hint="--shards")
    limits = [_limit(text) for text in limit or ()]
    with connected(context) as ports:
        tenant = tenants.by_slug(ports, slug)
        upper = region.upper() if region else None
        open_ = _hours(tenants.hours(tenants.operate(ports, tenant, "cli")), timezone, hours)
        changed = tenants.change(ports, tenant.id, name=name, region=upper, valid_phones=strict, hours=open_)
        ctx = tenants.operate(ports, changed, "cli")
        apikeys.refresh(ctx)
        for dialect, calls in limits:
            apikeys.limit(ctx, dialect, calls)
        row = _whole(ports, slug)
    show.record(row, as_json=as_json)


def _hours(before: Hours, timezone: str | None, hours: str | None) -> Hours | None:
    """None if neither is to be changed."""
    if timezone is None and hours is None:
        return None
    opens, _, closes = hours.partition("-") if hours is not None else (before.opens, "", before.closes)
    return Hours(before.timezone if timezone is None else timezone, opens, closes)


def _limit(text: str) -> tuple[str, int]:
    dialect, _, calls = text.partition("=")
    if dialect not in apikeys.FAMILIES or not re.fullmatch(r"[0-9]{1,10}", calls) or not 1 <= int(calls) <= MOST_CALLS:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(apikeys.FAMILIES)}, = and a number of calls")
    return dialect, int(calls)


def _whole(ports: Ports, slug: str) -> dict[str, Any]:
    """`keys behind` carry settings from before a change that was interrupted: `leadwire tenant set` brings them on."""
    tenant = tenants.by_slug(ports, slug)
    ctx = tenants.operate(ports, tenant, "cli")
    open_ = tenants.hours(ctx)
    [name] = [name for one, name in tenants.every(ports) if one.id == tenant.id]
    keys = [key for key in apikeys.every(ctx) if key.enabled]
    limits = {family: sorted({key.limit for key in keys if key.family == family}) for family in apikeys.FAMILIES}
    return {
        **_row(tenant, name),
        "strict_phones": tenant.valid_phones,
        "hours": f"{open_.opens}-{open_.closes} {open_.timezone}",
        "shards": tenant.shards,
        "keys": len(keys),
        "limits": [f"{family}={calls}" for family, all_ in limits.items() for calls in all_],
        "keys_behind": len(apikeys.outdated(ctx)),
    }


def _row(tenant: Tenant, name: str) -> dict[str, str]:
    """The id stands in its three public spellings (docs/dialects.md)."""
    return {
        "slug": tenant.slug,
        "name": name,
        "region": tenant.region,
        "id": tenant.id,
        "workspace_id": ids.workspace_id(tenant.id),
        "account_id": str(ids.account_uuid(tenant.id)),
    }
