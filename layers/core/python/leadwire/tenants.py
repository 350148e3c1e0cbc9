"""Tenants: one business each (company = workspace = account, decision D2), and the settings that requests need."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import available_timezones

from . import chatbots, ids, keys, pipelines
from .context import Actor, Ctx, Tenant, open_ctx
from .errors import Conflict, FieldError, InvalidInput, NotFound
from .ports import Ports
from .store.table import unscoped
from .store.types import (
    ABSENT,
    PRESENT,
    Check,
    ConditionFailed,
    Item,
    Key,
    Put,
    Query,
    TransactionFailed,
    Update,
    all_of,
    equals,
)

CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def create(ports: Ports, slug: str, name: str, *, region: str = "US", shards: int = 1) -> Tenant:
    """A tenant with a `default` chatbot and a first pipeline.

    Raises InvalidInput for a bad slug or region, Conflict for a taken slug.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidInput(FieldError("slug", "must be 1 to 63 of a-z, 0-9 and inner hyphens", "pattern", slug))
    _check(region)
    tenant = Tenant(ids.tenant_id(), slug, secrets.token_bytes(16), region, shards=shards)
    created = int(ports.clock() * 1000)
    ops = [
        Put(_claim(slug, tenant.id), ABSENT),
        Put(_item(tenant, name, created), ABSENT),
        Put(chatbots.default(tenant.id, created), ABSENT),
        *(Put(item, ABSENT) for item in pipelines.defaults(tenant.id, created)),
    ]
    try:
        unscoped(ports.engine).transact(ops)
    except TransactionFailed as taken:
        raise Conflict(f"The slug {slug} is taken") from taken
    return tenant


def load(ports: Ports, tenant_id: str) -> Tenant:
    """Raises NotFound."""
    item = unscoped(ports.engine).get(keys.tenant(tenant_id))
    if item is None:
        raise NotFound("tenant")
    return from_copy(item)


def every(ports: Ports) -> Iterator[tuple[Tenant, str]]:
    """All tenants with their names, by slug. For operators, not for requests."""
    table = unscoped(ports.engine)
    rows = table.query_all(Query(keys.tenants(), index="g1"))
    found = table.batch_get([Key(row["pk"], row["sk"]) for row in rows])
    for item in sorted(found.values(), key=lambda item: item["slug"]):
        yield from_copy(item), item["name"]


def by_slug(ports: Ports, slug: str) -> Tenant:
    """Raises NotFound."""
    claim = unscoped(ports.engine).get(keys.slug(slug))
    if claim is None:
        raise NotFound("tenant")
    return load(ports, claim["tenant"])


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours, Monday to Friday, on the clocks of an IANA time zone. What automations wait for."""

    timezone: str = "UTC"
    opens: str = "09:00"
    closes: str = "17:00"


def hours(ctx: Ctx) -> Hours:
    """As they were set, or else Hours()."""
    item = ctx.table.get(keys.tenant(ctx.tenant.id)) or {}
    return Hours(**{name: item[name] for name in Hours.__slots__ if name in item})


def operate(ports: Ports, tenant: Tenant, who: str) -> Ctx:
    """A Ctx for an operator's or a worker's own action, not for a request: `who` names the part of Leadwire."""
    return open_ctx(ports, tenant, Actor("system", who), request_id=ids.ulid(int(ports.clock() * 1000)))


def change(
    ports: Ports,
    tenant_id: str,
    *,
    name: str | None = None,
    region: str | None = None,
    valid_phones: bool | None = None,
    hours: Hours | None = None,
) -> Tenant:
    """Change what is given of a tenant itself; its API keys follow by `apikeys.refresh`. NotFound, InvalidInput."""
    given = {"name": name, "region": region, "valid_phones": valid_phones}
    settings: Item = {setting: value for setting, value in given.items() if value is not None}
    if region is not None:
        _check(region)
    if hours is not None:
        settings |= _checked(hours)
    if settings:
        try:
            unscoped(ports.engine).write(Update(keys.tenant(tenant_id), set=settings, condition=PRESENT))
        except ConditionFailed as gone:
            raise NotFound("tenant") from gone
    return load(ports, tenant_id)


def still(tenant: Tenant) -> Check:
    """The condition that the tenant still has these settings, for the transaction that copies them to a key."""
    return Check(keys.tenant(tenant.id), all_of(*(equals(name, value) for name, value in copy(tenant).items())))


def _check(region: str) -> None:
    import phonenumbers  # noqa: PLC0415  # 46 ms: only who needs it pays it

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidInput(FieldError("region", "must be an ISO 3166 country, such as US or DE", "enum", region))


def _checked(hours: Hours) -> dict[str, str]:
    if hours.timezone not in available_timezones():
        raise InvalidInput(FieldError("timezone", "must be an IANA time zone, such as Europe/Berlin", "enum"))
    if not (CLOCK.fullmatch(hours.opens) and CLOCK.fullmatch(hours.closes) and hours.opens < hours.closes):
        raise InvalidInput(FieldError("hours", "must be two times of a day, such as 09:00-17:00", "value_error"))
    return asdict(hours)


def copy(tenant: Tenant) -> Item:
    """The attributes of a tenant as its API keys carry them, so that a request need not read the tenant.

    All of them are JSON's own types, which SQLite's engine reads several times faster than it reads bytes.
    """
    return {
        "id": tenant.id,
        "slug": tenant.slug,
        "id_key": tenant.id_key.hex(),
        "region": tenant.region,
        "valid_phones": tenant.valid_phones,
        "shards": tenant.shards,
    }


def from_copy(copy: Mapping[str, Any]) -> Tenant:
    id_key = bytes.fromhex(copy["id_key"])
    return Tenant(copy["id"], copy["slug"], id_key, copy["region"], copy["valid_phones"], copy["shards"])


def _item(tenant: Tenant, name: str, created: int) -> Item:
    key = keys.tenant(tenant.id)
    index = keys.indexed(g1=(keys.tenants(), tenant.slug))
    return {"pk": key.pk, "sk": key.sk, **index, **copy(tenant), "name": name, "created_at": created}


def _claim(slug: str, tenant_id: str) -> Item:
    key = keys.slug(slug)
    return {"pk": key.pk, "sk": key.sk, "tenant": tenant_id}
