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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leadwire import keys
from leadwire.context import Ctx
from leadwire.errors import FieldError, IdempotencyInProgress, IdempotencyMismatch, InvalidInput
from leadwire.json_text import json_text
from leadwire.ports import Vault
from leadwire.store.types import (
    ABSENT,
    Compare,
    Condition,
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
PART = 256 * 1024
"""Bytes of a packed answer that one item holds; what is more follows in items of its own."""
PACKED = b"leadwire:zlib:"
"""Begins packed answers; what a vault seals never begins like this."""
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(slots=True)
class Claim:
    """The right to do this request. `writes` complete the record, in the effect's transaction."""

    tenant: str
    digest: str
    owner: str
    expires_at: int
    reference: str
    render: Callable[[Any], Reply]
    vault: Vault | None = None
    """Seals the stored answer, where it shows a secret that is to be shown this once."""
    reply: Reply | None = None
    """What was written last, and whether that has landed."""
    stored: bool = False

    @property
    def key(self) -> Key:
        return keys.idempotency(self.tenant, self.digest)

    def writes(self, result: object) -> Sequence[TransactWrite]:
        """The answer of a bulk request may take several items; sealed ones are small."""
        self.reply = reply = self.render(result)
        body = None if reply.body is None else json_text(reply.body)
        stored = self.vault.seal(body, self.key.pk) if self.vault and body else _packed(body)
        first, *rest = [stored[at : at + PART] for at in range(0, len(stored), PART)] if stored else [stored]
        answer = {"status": reply.status, "body": first, "headers": json.dumps(dict(reply.headers)), "parts": len(rest)}
        done = Update(self.key, set={"state": "done", **answer}, condition=self._owned())
        return [done, *(self._part(number, some) for number, some in enumerate(rest, start=1))]

    def _part(self, number: int, some: str | bytes | None) -> Put:
        key = keys.idempotency_part(self.tenant, self.digest, number)
        return Put({"pk": key.pk, "sk": key.sk, "body": some, "expires_at": self.expires_at})

    def landed(self) -> None:
        self.stored = True

    def lost(self) -> Exception:
        return IdempotencyInProgress("The request took so long that a repeat of it took over")

    def finish(self, ctx: Ctx, result: object) -> Reply:
        """The answer as it was stored; it is stored here if the request had nothing else to write.

        An unfinished one is not stored: the same request, sent again, continues the work.
        """
        if self.stored and self.reply:
            return self.reply
        reply = self.render(result)
        if reply.unfinished:
            self.release(ctx)
        else:
            ctx.commit([], result)
        return reply

    def release(self, ctx: Ctx) -> None:
        """Give the claim back after a refusal, so that the corrected request may use the same key."""
        try:
            ctx.table.write(Delete(self.key, self._owned()))
        except ConditionFailed:
            return  # somebody took over: the record is theirs now

    def _owned(self) -> Condition:
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
        return _replay(ctx, digest, taken.item or {}, fingerprint)
    reference = hashlib.sha256(f"{digest}{fingerprint}".encode()).hexdigest()
    vault = ctx.ports.vault if seals else None
    return Claim(ctx.tenant.id, digest, ctx.request_id, now + KEPT, reference, render, vault)


def _replay(ctx: Ctx, digest: str, record: Item, fingerprint: str) -> Reply:
    if record.get("request") != fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another request")
    if record["state"] == "running":
        raise IdempotencyInProgress("The first request with this Idempotency-Key is still running")
    stored = record["body"]
    if record["parts"]:
        stored += b"".join(_parts(ctx, digest, record["parts"]))
    text = _opened(stored, record["pk"], ctx.ports.vault)
    body = None if text is None else json.loads(text)
    return Reply(record["status"], body, {**json.loads(record["headers"]), **REPLAYED})


def _parts(ctx: Ctx, digest: str, count: int) -> Iterator[bytes]:
    places = [keys.idempotency_part(ctx.tenant.id, digest, number) for number in range(1, count + 1)]
    found = ctx.table.batch_get(places)
    return (found[place]["body"] for place in places)


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
