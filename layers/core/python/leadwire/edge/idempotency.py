"""Idempotency-Key (decision D8): one effect and one answer, however often a request arrives.

The record is claimed before the work and completed in the transaction of its effect, under the owner's token:

    claim ──────────── work ─────────── effect + answer, if still owner ──── replay for 24 h
      └ held 30 s; a repeat meanwhile is 409, later it takes over, and the first owner's transaction then fails

So a crash between claim and effect leaves nothing but a claim that runs out, and a slow owner cannot overwrite a faster
one (the gap in published libraries: anchors/reliability.md, section 4). A refused request (4xx) gives the claim back.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from leadwire import keys
from leadwire.context import Ctx
from leadwire.errors import FieldError, IdempotencyInProgress, IdempotencyMismatch, InvalidInput
from leadwire.ports import Vault
from leadwire.store.types import (
    ABSENT,
    Compare,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    TransactWrite,
    Update,
    all_of,
    any_of,
    equals,
)

from .types import Reply

HEADER = "idempotency-key"
REPLAYED = {"Idempotency-Replayed": "true"}
KEPT = 24 * 3600
HELD = 30
"""Seconds that a claim is held: no function of the API runs longer."""
LARGE = 4096
"""Characters of an answer from which it is stored packed."""
PACKED = b"leadwire:zlib:"
"""Begins packed answers; what a vault seals never begins like this."""
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(slots=True)
class Claim:
    """The right to do this request. `write` is the write that completes the record, for the effect's transaction."""

    key: Key
    owner: str
    reference: str
    render: Callable[[Any], Reply]
    vault: Vault | None = None
    """Seals the stored answer, where it shows a secret that is to be shown this once."""
    stored: bool = field(default=False)

    def write(self, result: object) -> TransactWrite:
        reply = self.render(result)
        body = None if reply.body is None else json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
        stored = self.vault.seal(body, self.key.pk) if self.vault and body else _packed(body)
        answer = {"status": reply.status, "body": stored, "headers": json.dumps(dict(reply.headers))}
        return Update(self.key, set={"state": "done", **answer}, condition=self._owned())

    def landed(self) -> None:
        self.stored = True

    def lost(self) -> Exception:
        return IdempotencyInProgress("The request took so long that a repeat of it took over")

    def complete(self, ctx: Ctx, result: object) -> None:
        """Store the answer of a request that had nothing to write."""
        if not self.stored:
            ctx.commit([], result)

    def release(self, ctx: Ctx) -> None:
        """Give the claim back after a refusal, so that the corrected request may use the same key."""
        try:
            ctx.table.write(Delete(self.key, self._owned()))
        except ConditionFailed:
            return  # somebody took over: the record is theirs now

    def _owned(self) -> Any:
        return all_of(equals("state", "running"), equals("owner", self.owner))


def claim(ctx: Ctx, text: str, fingerprint: str, render: Callable[[Any], Reply], *, seals: bool) -> Claim | Reply:
    """The claim, or the stored answer. Raises IdempotencyMismatch, IdempotencyInProgress, InvalidInput."""
    if not _PRINTABLE.fullmatch(text):
        raise InvalidInput(FieldError("Idempotency-Key", "must be 1 to 255 printable ASCII characters", "header"))
    digest = hashlib.sha256(f"{ctx.actor.id}\0{text}".encode()).hexdigest()
    key, now = keys.idempotency(ctx.tenant.id, digest), ctx.now_ms() // 1000
    item = {
        "pk": key.pk,
        "sk": key.sk,
        "state": "running",
        "owner": ctx.request_id,
        "request": fingerprint,
        "held_until": now + HELD,
        "expires_at": now + KEPT,
    }
    abandoned = all_of(equals("state", "running"), Compare("held_until", "<=", now), equals("request", fingerprint))
    try:
        ctx.table.write(Put(item, any_of(ABSENT, Compare("expires_at", "<=", now), abandoned)))
    except ConditionFailed as taken:
        return _replay(taken.item or {}, fingerprint, ctx.ports.vault)
    reference = hashlib.sha256(f"{digest}{fingerprint}".encode()).hexdigest()
    return Claim(key, ctx.request_id, reference, render, ctx.ports.vault if seals else None)


def _replay(record: Item, fingerprint: str, vault: Vault) -> Reply:
    if record.get("request") != fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another request")
    if record["state"] == "running":
        raise IdempotencyInProgress("The first request with this Idempotency-Key is still running")
    stored = record["body"]
    text = _opened(stored, record["pk"], vault)
    body = None if text is None else json.loads(text)
    return Reply(record["status"], body, {**json.loads(record["headers"]), **REPLAYED})


def _packed(body: str | None) -> str | bytes | None:
    """Large answers (of bulk requests) must fit into an item, and cost less when they are small."""
    return PACKED + zlib.compress(body.encode()) if body and len(body) > LARGE else body


def _opened(stored: str | bytes | None, place: str, vault: Vault) -> str | None:
    if not isinstance(stored, bytes):
        return stored
    packed = stored.startswith(PACKED)
    return zlib.decompress(stored.removeprefix(PACKED)).decode() if packed else vault.open(stored, place)


def fingerprint(method: str, path: str, query: str, body: bytes) -> str:
    """What makes two requests the same one."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), query.encode(), body])).hexdigest()
