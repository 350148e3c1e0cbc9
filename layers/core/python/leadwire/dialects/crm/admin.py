"""What crm tenants see of their store: API keys and figures."""

from __future__ import annotations

from typing import Annotated, TypedDict

from pydantic import Field

from leadwire import apikeys
from leadwire.apikeys import ACTIONS, EVERY_SCOPE, FOR_EVER, RESOURCES, ApiKey
from leadwire.context import Ctx, Tenant
from leadwire.dialects.fields import WHOLE, FilledLine, Moment, published
from leadwire.edge.types import Body, Dialect, Reply, Request, Route
from leadwire.errors import FieldError, InvalidInput
from leadwire.leads import stats
from leadwire.leads.stats import Stats

from . import errors, paging
from .paging import Page, Paged, PageQuery
from .parts import GONE, Count, One, Time, no_content, page, time

FAMILY = "crm"
_ACTION, _RESOURCE = "|".join(ACTIONS), "|".join(RESOURCES)
Scope = Annotated[str, published(pattern=rf"^(\*|({_ACTION}):({_RESOURCE})|({_RESOURCE}):({_ACTION}))$")]


class CreateKey(Body):
    """`POST /api/v1/api-keys`: a key of this dialect. Without scopes it may do what the caller's key may."""

    name: FilledLine
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)] | None = None
    rate_limit: Annotated[int, Field(ge=1, le=10**6, description="Requests an hour"), WHOLE] | None = None
    expires_at: Moment | None = None


class KeyRecord(TypedDict):
    id: Annotated[str, published(pattern="^key_[0-9a-z]{26}$")]
    name: str
    dialect: Annotated[str, published(enum=[*apikeys.FAMILIES])]
    scopes: list[str]
    hint: Annotated[str, published(pattern="^••••[0-9A-Za-z]{4}$")]
    rate_limit: Annotated[Count, Field(description="Requests in a window of its dialect: crm counts by the hour")]
    is_active: bool
    expires_at: Time | None
    created_at: Time


class CreatedKey(KeyRecord):
    token: Annotated[str, Field(description="Shown this once")]


class Figures(TypedDict):
    """Numbers of leads. Values that no lead has are left out."""

    total: Count
    starred: Count
    by_status: dict[str, Count]
    by_source: dict[str, Count]
    by_pipeline: dict[str, Count]
    by_stage: dict[str, Count]
    by_user: dict[str, Count]


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


def show_keys(_tenant: Tenant, page: Paged[ApiKey]) -> Reply[Page[KeyRecord]]:
    return paging.show(page, key_shape)


def show_created_key(_tenant: Tenant, made: tuple[ApiKey, str]) -> Reply[One[CreatedKey]]:
    """The only sight of the token."""
    return Reply(201, {"data": {**key_shape(made[0]), "token": made[1]}})


def key_shape(key: ApiKey) -> KeyRecord:
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


def show_figures(_tenant: Tenant, found: Stats) -> Reply[One[Figures]]:
    figures: Figures = {
        "total": found.total,
        "starred": found.starred,
        "by_status": dict(found.by["status"]),
        "by_source": dict(found.by["source"]),
        "by_pipeline": dict(found.by["pipeline"]),
        "by_stage": dict(found.by["stage"]),
        "by_user": dict(found.by["user"]),
    }
    return Reply(200, {"data": figures})


KEYS = "/api/v1/api-keys"
LISTED = {200: Page[KeyRecord]}
DIALECT = Dialect(
    name=FAMILY,
    routes=(
        Route(
            "GET", KEYS, "read:api-keys", every_key, show_keys, query=PageQuery,
            summary="List API keys", answers=LISTED,
        ),
        Route(
            "POST", KEYS, "write:api-keys", create_key, show_created_key, body=CreateKey, seals=True,
            summary="Create an API key", answers={201: One[CreatedKey]},
        ),
        Route(
            "DELETE", KEYS + "/{id}", "delete:api-keys", revoke_key, no_content,
            summary="Revoke an API key", answers=GONE,
        ),
        Route(
            "GET", "/api/v1/leads/stats", "read:leads", figures, show_figures,
            summary="Count leads", answers={200: One[Figures]},
        ),
    ),
    render_error=errors.render,
    error_shape=errors.Failure,
)  # fmt: skip
