"""What can be done with webhooks: the verbs behind every dialect's routes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from leadwire import keys
from leadwire.context import Ctx
from leadwire.errors import FieldError, InvalidInput, NotFound, Unready, WebhookLimitReached
from leadwire.store.types import (
    ABSENT,
    PRESENT,
    Check,
    Condition,
    Delete,
    Put,
    TransactionFailed,
    TransactWrite,
)

from . import counter, endpoints, guard, held, signing
from .changes import LONGEST_OVERLAP, OVERLAP, Changes, changed, difference
from .model import Face, SealedSecret, Webhook

TRIES = 20
_ID = re.compile(r"[0-9a-f-]{1,64}")


@dataclass(frozen=True, slots=True)
class Created:
    """A new endpoint, and the only sight of its secret."""

    webhook: Webhook
    secret: str = field(repr=False)


def create(
    ctx: Ctx,
    face: Face,
    *,
    event_types: frozenset[str],
    url: str,
    secret: str | None = None,
    filters: Mapping[str, Sequence[str]] | None = None,
    name: str = "",
    scope: str = "",
    max_retries: int | None = None,
    retry_delay: int | None = None,
    requires: Sequence[Check] = (),
    still: Sequence[Condition] = (),
) -> Created:
    """Without a secret one is made. `requires`: what it hangs under must be there. Raises InvalidInput,
    WebhookLimitReached (also if the face's counter is not as `still` says); NotFound if it is not.
    """
    _check(ctx, url, secret)
    now, id_ = ctx.now_ms(), str(uuid.uuid4())
    secret = secret or signing.new_secret()
    webhook = Webhook(
        id=id_,
        face=face.name,
        event_types=event_types,
        url=url,
        name=name,
        scope=scope,
        max_retries=max_retries,
        retry_delay=retry_delay,
        filters=filters or {},
        secrets=(_seal(ctx, id_, secret),),
        created_by=ctx.actor.id,
        created_at=now,
        updated_at=now,
    )
    new = Put(endpoints.item(ctx.tenant.id, webhook), ABSENT)
    ops: list[TransactWrite] = [counter.moved(ctx, face, 1, counter.room(face, *still)), new, *requires]
    try:
        return ctx.commit(ops, Created(webhook, secret))
    except TransactionFailed as refused:
        if 0 in refused.failed:
            raise WebhookLimitReached(f"At most {face.limit} webhooks are allowed") from refused
        raise NotFound("scope") from refused


def create_once(ctx: Ctx, face: Face, event_types: frozenset[str], url: str) -> Webhook | Created:
    """The endpoint with this URL, or a new one, in dialects that know them by it: never two, however many ask at once.

    Raises InvalidInput, WebhookLimitReached; Unready if others keep changing endpoints meanwhile.
    """
    for _ in range(TRIES):
        seen = counter.seen(ctx, face)
        known = _with_url(ctx, face, url)
        if known:
            return known
        try:
            return create(ctx, face, event_types=event_types, url=url, still=[counter.still(seen)])
        except WebhookLimitReached:
            if counter.seen(ctx, face) == seen:
                raise
    raise Unready("Webhooks are being changed by others; try again")


def every(ctx: Ctx, face: Face, scope: str = "") -> list[Webhook]:
    """All endpoints of the face, or of one scope of it, oldest first."""
    all_ = endpoints.every(ctx.table, ctx.tenant.id)
    return [webhook for webhook in all_ if (webhook.face, webhook.scope) == (face.name, scope)]


def delete_url(ctx: Ctx, face: Face, url: str) -> Webhook:
    """Delete the endpoint with this URL, in dialects that know them by it. Raises NotFound."""
    webhook = _with_url(ctx, face, url)
    if webhook is None:
        raise NotFound("webhook")
    return delete(ctx, face, webhook.id)


def get(ctx: Ctx, face: Face, id_: str, scope: str = "") -> Webhook:
    """The id may be in capitals (RFC 9562). Raises NotFound, also for an endpoint of another face or scope."""
    small = id_.lower()
    webhook = endpoints.find(ctx.table, ctx.tenant.id, small) if _ID.fullmatch(small) else None
    if webhook is None or (webhook.face, webhook.scope) != (face.name, scope):
        raise NotFound("webhook")
    return webhook


def update(ctx: Ctx, face: Face, id_: str, changes: Changes, scope: str = "") -> Webhook:
    """A new secret signs beside the old ones for a while. Enabling sends what was held meanwhile.

    Raises NotFound, InvalidInput.
    """
    _check(ctx, changes.url, changes.secret)
    if not 0 <= changes.overlap <= LONGEST_OVERLAP:
        raise InvalidInput(FieldError("overlap", f"must be 0 to {LONGEST_OVERLAP} seconds", "range", changes.overlap))
    for _ in range(TRIES):
        before = get(ctx, face, id_, scope)
        sealed = None if changes.secret is None else _seal(ctx, id_, changes.secret)
        after = changed(before, changes, sealed, ctx.now_ms())
        try:
            ctx.commit([difference(ctx.tenant.id, before, after)], after)
        except TransactionFailed:
            continue  # changed by another request between reading and writing
        if changes.enabled:
            held.release(ctx.ports, ctx.table, ctx.tenant.id, after.id)
        return after
    raise Unready("The webhook is being changed by others; try again")


def rotate(ctx: Ctx, face: Face, id_: str, overlap: int = OVERLAP, scope: str = "") -> Created:
    """A new secret of our making; the ones before still sign for `overlap` seconds. Raises NotFound, InvalidInput."""
    secret = signing.new_secret()
    working = ctx.answering(lambda webhook: Created(webhook, secret))
    return Created(update(working, face, id_, Changes(secret=secret, overlap=overlap), scope), secret)


def delete(ctx: Ctx, face: Face, id_: str, scope: str = "") -> Webhook:
    """Stops events at once; what was sent stays in the log. Raises NotFound."""
    webhook = get(ctx, face, id_, scope)
    gone = Delete(keys.webhook(ctx.tenant.id, webhook.id), PRESENT)
    try:
        deleted = ctx.commit([counter.moved(ctx, face, -1, PRESENT), gone], webhook)
    except TransactionFailed as refused:
        raise NotFound("webhook") from refused
    held.close(ctx.table, ctx.tenant.id, webhook.id, ctx.now_ms())
    return deleted


def delete_scope[Result](
    ctx: Ctx, face: Face, scope: str, owner: Callable[[Sequence[TransactWrite]], Result]
) -> Result:
    """Delete what endpoints hang under, which `owner` does together with further writes, and the endpoints with it.

    Raises what `owner` raises; Unready if others keep changing endpoints meanwhile.
    """
    for _ in range(TRIES):
        seen = counter.seen(ctx, face)
        hanging = every(ctx, face, scope)
        gone = [Delete(keys.webhook(ctx.tenant.id, webhook.id), PRESENT) for webhook in hanging]
        try:
            result = owner([counter.moved(ctx, face, -len(gone), counter.still(seen)), *gone])
        except NotFound:
            if counter.seen(ctx, face) == seen:
                raise
            continue  # an endpoint was made or deleted meanwhile
        for webhook in hanging:
            held.close(ctx.table, ctx.tenant.id, webhook.id, ctx.now_ms())
        return result
    raise Unready("Its webhooks are being changed by others; try again")


# --- inside -----------------------------------------------------------------------------------------------------------


def _check(ctx: Ctx, url: str | None, secret: str | None) -> None:
    private = ctx.ports.settings.private_targets
    problems = {
        "url": None if url is None else guard.problem(url, private=private),
        "secret": None if secret is None else signing.problem(secret),
    }
    errors = [FieldError(path, problem, "value_error") for path, problem in problems.items() if problem]
    if errors:
        raise InvalidInput(*errors)


def _seal(ctx: Ctx, id_: str, secret: str) -> SealedSecret:
    return SealedSecret(ctx.ports.vault.seal(secret, endpoints.vault_context(ctx.tenant.id, id_)))


def _with_url(ctx: Ctx, face: Face, url: str) -> Webhook | None:
    return next((webhook for webhook in every(ctx, face) if webhook.url == url), None)
