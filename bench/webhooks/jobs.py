"""Puts deliveries into our table and queue, as the fan-out leaves them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.webhooks.body import body
from leadwire import ids, tenants
from leadwire.context import Ctx
from leadwire.dialects.public.faces import FACE_V2
from leadwire.webhooks import fanout, queue, service
from leadwire.webhooks.model import Delivery, Webhook
from local.clock import Clock
from local.world import World

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 10
"""Events that the fan-out is handed together under load: as many deliveries share a message."""
LOOPBACK = {"LEADWIRE_PRIVATE_TARGETS": "true"}


def of_leadwire(database: str, url: str, at_once: int = AT_ONCE) -> Callable[[int], list[str]]:
    """A function that puts so many and gives their `webhook-id`s; the table is a file that a worker reads too."""
    return of_world(World(ROOT, data=database, clock=Clock.real(), overrides=LOOPBACK), url, at_once)


def world_in(stack: ExitStack) -> World:
    """A world in memory."""
    world = World(ROOT, clock=Clock.real(), overrides=LOOPBACK)
    stack.callback(world.close)
    return world


def of_world(world: World, url: str, at_once: int = AT_ONCE) -> Callable[[int], list[str]]:
    ctx = tenants.operate(world.ports, tenants.create(world.ports, "bench", "Bench"), "bench")
    webhook = service.create(ctx, FACE_V2, event_types=frozenset({"LEAD_CREATED"}), url=url).webhook
    return lambda count: [id_ for n in range(0, count, at_once) for id_ in _put(ctx, webhook, min(at_once, count - n))]


def _put(ctx: Ctx, webhook: Webhook, count: int) -> list[str]:
    now = ctx.now_ms()
    events = [ids.ulid(now) for _ in range(count)]
    text = body()
    drafts: list[Delivery] = [fanout.draft(ctx, FACE_V2, webhook, event, "LEAD_CREATED", text, now) for event in events]
    current = service.get(ctx, FACE_V2, webhook.id)
    born = fanout.put(ctx.table, ctx.tenant.id, current, drafts).born
    queue.ring(ctx.ports, born, now)
    return [delivery.message_id for delivery in born]
