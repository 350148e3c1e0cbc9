"""What crm tenants see of their store: API keys, the change feed, timelines, figures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from leadwire import apikeys
from leadwire.apikeys import EVERY_SCOPE, FOR_EVER, ApiKey
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import FilledLine, Moment
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import stats
from leadwire.leads.stats import Stats

from . import errors, journal, paging
from .paging import Paged, PageQuery
from .parts import no_content, page, time

FAMILY = "crm"


class CreateKey(Body):
    """`POST /api/v1/api-keys`: a key of this dialect. Without scopes it may do what the caller's key may."""

    name: FilledLine
    scopes: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None
    rate_limit: Annotated[int, Field(ge=1, le=10**6)] | None = None
    """Requests an hour."""
    expires_at: Moment | None = None


# --- keys -------------------------------------------------------------------------------------------------------------


def every_key(ctx: Ctx, request: Request) -> Paged[ApiKey]:
    return page(request, apikeys.every(ctx))


def create_key(ctx: Ctx, request: Request) -> tuple[ApiKey, str]:
    body: CreateKey = request.body
    until = body.expires_at.ms // 1000 if body.expires_at else FOR_EVER
    if until * 1000 <= ctx.now_ms():
        raise InvalidInput(FieldError("expires_at", "must be in the future", "value_error", str(body.expires_at)))
    scopes = _granted(request.scopes, body.scopes)
    return apikeys.create(ctx, FAMILY, body.name, scopes=scopes, limit=body.rate_limit, valid_until=until)


def _granted(own: frozenset[str], wanted: list[str] | None) -> list[str]:
    """A key cannot make one that may do more than itself. Raises InvalidInput."""
    scopes = [apikeys.canonical(scope) for scope in wanted] if wanted else sorted(own)
    beyond = [scope for scope in scopes if EVERY_SCOPE not in own and scope not in own]
    if beyond:
        raise InvalidInput(FieldError("scopes", f"goes beyond the key that asks: {', '.join(beyond)}", "value_error"))
    return scopes


def revoke_key(ctx: Ctx, request: Request) -> str:
    apikeys.revoke(ctx, request.path["id"])
    return request.path["id"]


def show_keys(_tenant: Tenant, page: Paged[ApiKey]) -> Reply:
    return paging.show(page, key_shape)


def show_created_key(_tenant: Tenant, made: tuple[ApiKey, str]) -> Reply:
    """The only sight of the token."""
    return Reply(201, {"data": {**key_shape(made[0]), "token": made[1]}})


def key_shape(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "dialect": key.family,
        "scopes": list(key.scopes),
        "hint": f"••••{key.hint}",
        "rate_limit": key.limit,
        "is_active": key.enabled,
        "expires_at": None if key.valid_until == FOR_EVER else time(key.valid_until * 1000),
        "created_at": time(key.created_at),
    }


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(ctx: Ctx, _request: Request) -> Stats:
    return stats.read(ctx)


def show_figures(_tenant: Tenant, found: Stats) -> Reply:
    return Reply(
        200, {"data": {"total": found.total, "starred": found.starred} | {f"by_{k}": v for k, v in found.by.items()}}
    )


KEYS = "/api/v1/api-keys"
DIALECT = Dialect(
    name=FAMILY,
    routes=(
        Route("GET", KEYS, "read:api-keys", every_key, show_keys, query=PageQuery),
        Route("POST", KEYS, "write:api-keys", create_key, show_created_key, body=CreateKey, seals=True),
        Route("DELETE", KEYS + "/{id}", "delete:api-keys", revoke_key, no_content),
        Route("GET", "/api/v1/events", "read:leads", journal.feed, journal.show, query=journal.After),
        Route("GET", "/api/v1/leads/{id}/timeline", "read:leads", journal.timeline, journal.show, query=journal.After),
        Route("GET", "/api/v1/leads/stats", "read:leads", figures, show_figures),
    ),
    render_error=errors.render,
)
