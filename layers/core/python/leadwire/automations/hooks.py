"""The action `send_webhook`: a delivery of the webhook engine, with its signature, guards, retries and log.

Each URL and secret of an automation has an endpoint of its own, made when it is first needed. It speaks the face that
the door names, so that the routes and commands of deliveries show what became of it.
"""

from __future__ import annotations

import base64
import contextlib
import uuid
from dataclasses import replace

from leadwire.context import Ctx
from leadwire.events import Event
from leadwire.leads import model, service
from leadwire.store.types import ABSENT, ConditionFailed, Put
from leadwire.webhooks import endpoints, fanout, queue, signing, store
from leadwire.webhooks.model import Face, SealedSecret, Webhook, delivery_id

from . import targets
from .actions import Doing, Undoable
from .service import HIDDEN, vault_context

WORD = "automation.webhook"
"""The event in the body. No face has the word for any event of ours, so the fan-out never sends to these endpoints."""
NAMESPACE = uuid.UUID("6f2d4c3e-8a51-4c0f-9a7b-3d1f0e5b7c92")
"""Of the ids of endpoints (RFC 9562, version 5)."""


def send(face: Face, doing: Doing) -> None:
    """Safe to repeat: a delivery's id is made of the step and the endpoint. Raises Undoable if the URL is refused."""
    ctx, run, now = doing.ctx, doing.run, doing.ctx.now_ms()
    lead = service.get(ctx, run.number)
    webhook = _endpoint(face, doing)
    told = Event(
        id=ctx.ulid(),
        type=WORD,
        tenant=ctx.tenant.id,
        number=lead.number,
        version=lead.version,
        at=now,
        actor=f"{ctx.actor.type}:{ctx.actor.id}",
        request_id=ctx.request_id,
        lead=model.snapshot(lead),
        changes={},
    )
    draft = fanout.draft(ctx, face, webhook, told.id, WORD, face.render(ctx, told, webhook, WORD), now)
    once = replace(draft, id=delivery_id(f"{run.id}/{run.at}", webhook.id, WORD))
    made = fanout.put(ctx.table, ctx.tenant.id, webhook, [once])
    for refused in queue.ring(ctx.ports, made.born + made.untried, now):
        store.move(ctx.table, refused, refused, now)  # to the due index


def _endpoint(face: Face, doing: Doing) -> Webhook:
    ctx, url, sealed = doing.ctx, doing.config["url"], doing.step.get(HIDDEN, "")
    id_ = str(uuid.uuid5(NAMESPACE, f"{ctx.tenant.id}/{doing.run.automation}/{url}/{sealed}"))
    known = endpoints.find(ctx.table, ctx.tenant.id, id_)
    if known:
        return known
    secret = _secret(ctx, doing, sealed)
    wrong = targets.problems(url, secret, private=ctx.ports.settings.private_targets)
    if wrong:
        raise Undoable("refused", "; ".join(f"The {name} {problem}" for name, problem in wrong.items()))
    now = ctx.now_ms()
    webhook = Webhook(
        id=id_,
        face=face.name,
        event_types=frozenset({WORD}),
        url=url,
        name=f"automation {doing.run.automation}",
        secrets=(SealedSecret(ctx.ports.vault.seal(secret, endpoints.vault_context(ctx.tenant.id, id_))),),
        created_by=f"automation:{doing.run.automation}",
        created_at=now,
        updated_at=now,
    )
    with contextlib.suppress(ConditionFailed):  # another run was first: the endpoint is the same
        ctx.table.write(Put(endpoints.item(ctx.tenant.id, webhook), ABSENT))
    return endpoints.find(ctx.table, ctx.tenant.id, id_) or webhook


def _secret(ctx: Ctx, doing: Doing, sealed: str) -> str:
    """As the owner wrote it; deliveries are signed in any case, so without one a secret is made up."""
    if not sealed:
        return signing.new_secret()
    return ctx.ports.vault.open(base64.b64decode(sealed), vault_context(ctx.tenant.id, doing.run.automation))
