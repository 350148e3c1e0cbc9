"""`leadwire tenant …`"""

from __future__ import annotations

from typing import Annotated

import typer

from leadwire import ids, tenants
from leadwire.context import Tenant

from . import show
from .session import connected
from .show import AsJson

app = typer.Typer(help="Tenants: one business each.", no_args_is_help=True)


@app.command()
def create(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="1 to 63 of a-z, 0-9 and inner hyphens; names the tenant for ever.")],
    name: Annotated[str | None, typer.Option(help="The business as people write it; the slug if not given.")] = None,
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
