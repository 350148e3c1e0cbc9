"""`leadwire key …`"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from leadwire import apikeys
from leadwire.apikeys import ApiKey

from . import show
from .session import MOST_CALLS, OfTenant, connected, named, tenant_ctx
from .show import AsJson

app = typer.Typer(help="API keys: each belongs to one tenant and speaks one dialect.", no_args_is_help=True)

Dialect = Literal["public", "chatbot", "lists", "crm"]
DAY = 24 * 3600
"""Seconds."""


def _last_day(text: str) -> int:
    """Epoch seconds of the end of the day, UTC."""
    try:
        begins = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise typer.BadParameter("give the last day as YYYY-MM-DD") from error
    end = int(begins.timestamp()) + DAY
    if end <= time.time():
        raise typer.BadParameter("is over already")
    return min(end, apikeys.FOR_EVER)


@app.command()
def create(
    context: typer.Context,
    tenant: OfTenant,
    dialect: Annotated[Dialect, typer.Option(help="The API that the key opens.")],
    name: Annotated[str, typer.Option(parser=named, metavar="TEXT", help="What the key is for.")] = "cli",
    scopes: Annotated[str, typer.Option(help="Such as read:leads,write:leads; * for all.")] = apikeys.EVERY_SCOPE,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_CALLS,
            help="Calls in the dialect's window; of public, the company's first key counts.",
            show_default="its own",
        ),
    ] = None,
    expires: Annotated[
        int | None, typer.Option(parser=_last_day, metavar="YYYY-MM-DD", help="Last day, UTC.", show_default="never")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its token is shown this once: only a hash of it is stored."""
    wanted = tuple(scope.strip() for scope in scopes.split(","))
    valid_until = expires or apikeys.FOR_EVER
    with connected(context) as ports:
        ctx = tenant_ctx(ports, tenant)
        key, token = apikeys.create(ctx, dialect, name, scopes=wanted, limit=limit, valid_until=valid_until)
    show.record({"token": token, **_row(key)}, as_json=as_json)
    if not as_json:
        show.say("Keep the token now: it cannot be shown again.")


@app.command("list")
def list_(context: typer.Context, tenant: OfTenant, *, as_json: AsJson = False) -> None:
    """The tenant's keys, oldest first, revoked ones included."""
    with connected(context) as ports:
        rows = [_row(key) for key in apikeys.every(tenant_ctx(ports, tenant))]
    show.records(
        rows, as_json=as_json, none=f"No key yet. Make one: leadwire key create --tenant {tenant} --dialect crm"
    )


@app.command()
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="As `leadwire key list` shows it: key_…")],
    tenant: OfTenant,
) -> None:
    """Refuse a key from its next call on. It cannot be undone."""
    with connected(context) as ports:
        apikeys.revoke(tenant_ctx(ports, tenant), key_id)
    show.say(f"{key_id} is refused from now on.")


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "dialect": key.family,
        "ends_in": key.hint,
        "enabled": key.enabled,
        "scopes": list(key.scopes),
        "limit": key.limit,
        "window_seconds": key.window,
        "expires": None if key.valid_until == apikeys.FOR_EVER else show.moment(key.valid_until),
        "created": show.moment(key.created_at / 1000),
    }
