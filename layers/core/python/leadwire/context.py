"""Ctx: what every verb is given. There is no Ctx without a tenant, so there is no verb without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from . import ids, keys
from .ports import Ports
from .store.table import Meter, Table
from .store.types import TransactionFailed, TransactWrite


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant and those of its settings that requests need; every API key carries a copy (see apikeys.py)."""

    id: str
    slug: str
    id_key: bytes
    """Keys the public spellings of lead numbers (ids.py). Never changes, never shown."""
    region: str = "US"
    """ISO 3166 country whose national phone numbers are understood without a country code."""
    valid_phones: bool = False
    """Ask for valid phone numbers rather than possible ones (decision D7)."""
    shards: int = 1
    """Partitions over which pending leads are spread; more for tenants that import much (docs/list-engine.md)."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: `api_key` and the key's id, or `system` and the part of Leadwire."""

    type: str
    id: str


class Answer(Protocol):
    """The stored answer of a request under an Idempotency-Key (decision D8), as `commit` sees it."""

    @property
    def reference(self) -> str:
        """Hex digits, the same for every try of the same request under its key."""

    def writes(self, result: object) -> Sequence[TransactWrite]: ...

    def landed(self) -> None: ...

    def lost(self) -> Exception: ...


@dataclass(frozen=True, slots=True)
class AnswerOf:
    """The answer of a verb that is made of another verb's result."""

    answer: Answer
    into: Callable[[Any], object]

    @property
    def reference(self) -> str:
        return self.answer.reference

    def writes(self, result: object) -> Sequence[TransactWrite]:
        return self.answer.writes(self.into(result))

    def landed(self) -> None:
        self.answer.landed()

    def lost(self) -> Exception:
        return self.answer.lost()


@dataclass(frozen=True, slots=True)
class Ctx:
    tenant: Tenant
    actor: Actor
    request_id: str
    table: Table
    ports: Ports
    cause: str = ""
    """The id of the event that led to this change, and `hops`, how many such steps lie behind it."""
    hops: int = 0
    answer: Answer | None = None
    """Set by the edge under an Idempotency-Key."""

    def now_ms(self) -> int:
        return int(self.ports.clock() * 1000)

    def ulid(self, after: str = "") -> str:
        return ids.ulid(self.now_ms(), after)

    def answering(self, into: Callable[[Any], object]) -> Ctx:
        """A Ctx for a verb whose result is answered as `into(result)`."""
        return replace(self, answer=AnswerOf(self.answer, into)) if self.answer else self

    def commit[Result](self, ops: Sequence[TransactWrite], result: Result) -> Result:
        """Write the facts, their events and the stored answer in one transaction, and hand the result on.

        Raises TransactionFailed with positions within `ops`, or what `answer.lost` says if only that one failed.
        """
        if self.answer is None:
            self.table.transact(ops)
            return result
        try:
            self.table.transact([*ops, *self.answer.writes(result)])
        except TransactionFailed as refused:
            if min(refused.failed) < len(ops):
                raise
            raise self.answer.lost() from refused
        self.answer.landed()
        return result


def open_ctx(ports: Ports, tenant: Tenant, actor: Actor, request_id: str, meter: Meter | None = None) -> Ctx:
    """A Ctx whose table reaches this tenant only."""
    table = Table(ports.engine, keys.tenant_prefix(tenant.id), meter or Meter())
    return Ctx(tenant, actor, request_id, table, ports)


def iso(ms: int, spec: str = "seconds", zone: str = "Z") -> str:
    """Epoch milliseconds as ISO 8601 UTC; `spec` as in datetime.isoformat, `zone` Z or +00:00 (decision D12)."""
    return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None).isoformat(timespec=spec) + zone
