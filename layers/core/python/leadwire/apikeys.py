"""API keys: families, tokens, scopes; making and revoking them. `admission.py` lets calls in.

`public` counts per company, not per key (contracts/public.md): the company's first key counts for all of them; every
further key carries `meter`, the first one's item, and pays one more update.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import keys, tenants
from .context import Ctx
from .errors import Conflict, FieldError, InvalidInput, NotFound
from .store.table import unscoped
from .store.types import (
    ABSENT,
    PRESENT,
    Item,
    Key,
    Put,
    Query,
    TransactionFailed,
    Update,
)

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = 6
FOR_EVER = 253_402_300_799
"""Epoch seconds of the end of the year 9999: a key without expiry."""
EVERY_SCOPE = "*"
RESOURCES = (
    "leads", "lists", "chatbots", "webhooks", "pipelines", "tags", "users", "forms", "automations", "integrations",
    "api-keys",
)  # fmt: skip
ACTIONS = ("read", "write", "delete")
SCOPES = frozenset(f"{action}:{resource}" for action in ACTIONS for resource in RESOURCES)


@dataclass(frozen=True, slots=True)
class Family:
    """The keys of one dialect (decisions.md, "Which key opens what"). `window` is in seconds."""

    prefix: str
    random: int
    limit: int
    window: int
    per_company: bool = False


FAMILIES = {
    "public": Family("lt_live_", 27, 60, 60, per_company=True),
    "chatbot": Family("sk-workspace_", 45, 1000, 3600),
    "lists": Family("tc_live_", 27, 600, 60),
    "crm": Family("lh_", 27, 1000, 3600),
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as operators see it; the token itself is shown once, at creation."""

    id: str
    name: str
    family: str
    scopes: tuple[str, ...]
    hint: str
    enabled: bool
    limit: int
    window: int
    valid_until: int
    created_at: int
    used: int


def family_of(token: str) -> str | None:
    """The family whose prefix the token has, if its checksum is right: typing errors never reach the table."""
    for name, family in FAMILIES.items():
        if token.startswith(family.prefix):
            body = token[:-CHECKSUM]
            right = len(body) == len(family.prefix) + family.random and _checksum(body) == token[-CHECKSUM:]
            return name if right else None
    return None


def create(
    ctx: Ctx,
    family: str,
    name: str,
    *,
    scopes: Sequence[str] = (EVERY_SCOPE,),
    limit: int | None = None,
    valid_until: int = FOR_EVER,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is shown this once. `limit` is calls per window of the family."""
    kind = FAMILIES.get(family)
    if kind is None:
        raise InvalidInput(FieldError("family", f"must be one of {', '.join(FAMILIES)}", "enum", family))
    body = kind.prefix + "".join(secrets.choice(BASE62) for _ in range(kind.random))
    token = body + _checksum(body)
    key = keys.api_key(digest(token))
    item: Item = {
        "pk": key.pk,
        "sk": key.sk,
        "id": f"key_{ctx.ulid().lower()}",
        "name": name,
        "family": family,
        "scopes": tuple(canonical(scope) for scope in scopes),
        "hint": token[-4:],
        "enabled": True,
        "limit": limit or kind.limit,
        "window": kind.window,
        "used": 0,
        "window_ends": 0,
        "valid_until": valid_until,
        "created_at": ctx.now_ms(),
        "tenant": tenants.copy(ctx.tenant),
    }
    item |= keys.indexed(g1=(keys.api_keys(ctx.tenant.id), item["id"]))
    return _store(ctx, kind, item, (_api_key(item), token))


def every(ctx: Ctx) -> list[ApiKey]:
    """The tenant's keys, oldest first, revoked ones included."""
    return [_api_key(item) for item in _items(ctx)]


def revoke(ctx: Ctx, key_id: str) -> None:
    """Refuse the key from its next call on. Raises NotFound. The item stays: it may be the company's meter."""
    item = next((item for item in _items(ctx) if item["id"] == key_id), None)
    if item is None:
        raise NotFound("api key")
    unscoped(ctx.ports.engine).write(Update(_key_of(item), set={"enabled": False}, condition=PRESENT))


def refresh(ctx: Ctx) -> int:
    """Give the tenant's settings to those of its keys that carry others. Returns how many there were.

    Safe to repeat, and to run beside calls: a key is changed only while the tenant still has the settings of `ctx`.
    Raises Conflict if they were changed again meanwhile: then that change brings the keys up to date.
    """
    behind = outdated(ctx)
    for item in behind:
        change = Update(_key_of(item), set={"tenant": tenants.copy(ctx.tenant)}, condition=PRESENT)
        try:
            unscoped(ctx.ports.engine).transact([tenants.still(ctx.tenant), change])
        except TransactionFailed as refused:
            raise Conflict("The tenant is being changed by somebody else; try again") from refused
    return len(behind)


def outdated(ctx: Ctx) -> list[Item]:
    """The keys that carry other settings than the tenant has."""
    own = tenants.copy(ctx.tenant)
    return [item for item in _items(ctx) if item["tenant"] != own]


def limit(ctx: Ctx, family: str, calls: int) -> int:
    """Set how many calls every key of the family may make in a window. Returns how many keys were changed."""
    others = [item for item in _items(ctx) if item["family"] == family and item["limit"] != calls]
    for item in others:
        unscoped(ctx.ports.engine).write(Update(_key_of(item), set={"limit": calls}, condition=PRESENT))
    return len(others)


def canonical(scope: str) -> str:
    """`leads:write` is another spelling of `write:leads`."""
    left, _, right = scope.partition(":")
    for name in (scope, f"{right}:{left}"):
        if name in SCOPES or name == EVERY_SCOPE:
            return name
    raise InvalidInput(FieldError("scopes", f"unknown scope; one of {', '.join(sorted(SCOPES))}", "enum", scope))


def _items(ctx: Ctx) -> list[Item]:
    table = unscoped(ctx.ports.engine)
    rows = table.query_all(Query(keys.api_keys(ctx.tenant.id), index="g1"))
    found = table.batch_get([_key_of(row) for row in rows])
    return sorted(found.values(), key=lambda item: item["id"])


def _store(ctx: Ctx, kind: Family, item: Item, made: tuple[ApiKey, str]) -> tuple[ApiKey, str]:
    """The first key of a family that counts per company becomes its meter; the others point to it."""
    outside = replace(ctx, table=unscoped(ctx.ports.engine))
    if not kind.per_company:
        return outside.commit([Put(item, ABSENT)], made)
    meter = keys.company_meter(ctx.tenant.id, item["family"])
    claim = Put({"pk": meter.pk, "sk": meter.sk, "key": item["pk"]}, ABSENT)
    try:
        return outside.commit([claim, Put(item, ABSENT)], made)
    except TransactionFailed as taken:
        first = taken.failed[0] or {}
        return outside.commit([Put({**item, "meter": first["key"]}, ABSENT)], made)


def _api_key(item: Item) -> ApiKey:
    return ApiKey(**{name: item[name] for name in ApiKey.__slots__} | {"scopes": tuple(item["scopes"])})


def _key_of(item: Item) -> Key:
    return Key(item["pk"], item["sk"])


def digest(token: str) -> str:
    """What is stored of a token: tokens have 160 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    value, text = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM):
        value, digit = divmod(value, 62)
        text = BASE62[digit] + text
    return text
