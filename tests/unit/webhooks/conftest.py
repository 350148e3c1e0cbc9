"""A receiver of webhooks on the loopback, a real server whose answers a test chooses; and the way of an event to it."""

from __future__ import annotations

import io
import json
import math
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any

import pytest

from leadwire import events, faces, ids, telemetry
from leadwire.context import Ctx, Tenant, open_ctx
from leadwire.dialects.public.faces import FACE_V2
from leadwire.events import Event
from leadwire.ports import Message, Ports, Queue, Vault
from leadwire.store.table import Table, unscoped
from leadwire.webhooks import attempts, fanout, service, store
from leadwire.webhooks.batch import deliver_batch
from leadwire.webhooks.model import Delivery, Webhook
from leadwire.webhooks.sweep import sweep
from tests.factories import Clock

BY_NAME = {face.name: face for face in faces.ALL}
type Behave = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """What arrived, and how to answer: `answers` in turn, then `answer` for ever."""

    url: str = ""
    answer: tuple[int, dict[str, str], bytes] = (204, {}, b"")
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    behave: Behave | None = None
    """Takes the place of the answers; it may do what no good server does."""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over: a server that stalls may wait for it."""

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0))).decode()
        self.received.append(({name.lower(): value for name, value in request.headers.items()}, body))
        if self.behave is not None:
            self.behave(request)
            return
        status, headers, content = self.answers.pop(0) if self.answers else self.answer
        request.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    hook = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                hook.serve(self)
            except OSError:
                self.close_connection = True  # the sender hung up, as it should

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100  # connections that wait to be accepted: a whole batch of ours

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        hook.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


# --- the way of an event ----------------------------------------------------------------------------------------------


class Middle(random.Random):
    """Jitter that changes nothing, so that exact times can be told."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Sealed(Vault):
    """Opens a secret only in the place where it was sealed."""

    def seal(self, secret: str, context: str) -> bytes:
        return f"{context}|{secret}".encode()

    def open(self, sealed: bytes, context: str) -> str:
        place, _, secret = sealed.decode().partition("|")
        assert place == context
        return secret


@dataclass
class Alarms(Queue):
    """The deliveries queue: messages with the time at which they may be seen, and how often they were."""

    clock: Clock
    waiting: list[tuple[float, Message, int]] = field(default_factory=list)
    before_send: Callable[[], None] = lambda: None
    sent: list[tuple[str, Message]] = field(default_factory=list)
    refuse: int = 0
    """So many of the next messages are refused."""

    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:
        assert url in ("queue", "slow")
        self.sent += [(url, message) for message in messages]
        self.before_send()
        refused, taken = list(messages[: self.refuse]), messages[self.refuse :]
        self.refuse -= len(refused)
        self.waiting += [(self.clock.now + message.delay, message, 1) for message in taken]
        return refused

    def take(self) -> list[tuple[float, Message, int]]:
        """The messages that can be seen now."""
        ready = [one for one in self.waiting if one[0] <= self.clock.now]
        self.waiting = [one for one in self.waiting if one[0] > self.clock.now]
        return ready


@dataclass
class Pipeline:
    """Fan-out, delivery and sweep as the functions call them, on one movable clock."""

    ports: Ports
    ctx: Ctx
    alarms: Alarms
    rng: random.Random = field(default_factory=Middle)

    @property
    def table(self) -> Table:
        return unscoped(self.ports.engine)

    def register(self, url: str, **more: Any) -> Webhook:
        return self.created(url, **more).webhook

    def created(self, url: str, **more: Any) -> service.Created:
        return service.create(self.ctx, FACE_V2, event_types=frozenset({"LEAD_CREATED"}), url=url, **more)

    def webhook(self, webhook: Webhook) -> Webhook:
        return service.get(self.ctx, FACE_V2, webhook.id)

    def event(self, number: int = 1, **lead: Any) -> Event:
        """A new lead's event, in the journal as well."""
        event = self.unwritten(number, **lead)
        self.ctx.table.write(events.put(event))
        return event

    def told(self) -> list[Event]:
        """What operators were told, in order."""
        items = [item for item in self.items() if item["sk"].startswith("EVT#") and "webhook" in item]
        return [events.from_item(item) for item in sorted(items, key=lambda item: item["sk"])]

    def unwritten(self, number: int = 1, **lead: Any) -> Event:
        now = self.ctx.now_ms()
        snapshot = {"number": number, "version": 1, "created_at": now, "updated_at": now, "status": "new", **lead}
        return events.of_lead(self.ctx, events.LEAD_CREATED, ids.ulid(now), snapshot, {})

    def publish(self, *happened: Event) -> list[str]:
        """Fan out one batch; the ids of the messages that failed."""
        bodies = [json.dumps({"detail": json.loads(events.to_detail(event))}) for event in happened]
        records = [{"messageId": f"m{at}", "body": body} for at, body in enumerate(bodies)]
        answer = fanout.fan_out(self.ports, BY_NAME, records)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def deliver(self) -> int:
        """Work on what rings now, in one batch. What fails, or dies, is seen again."""
        ready = self.alarms.take()
        records = [
            {"messageId": str(at), "body": message.body, "attributes": {"ApproximateReceiveCount": str(times)}}
            for at, (_, message, times) in enumerate(ready)
        ]
        failed = set(range(len(ready)))
        try:
            answer = deliver_batch(self.ports, records, self.rng) if records else {"batchItemFailures": []}
            failed = {int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
        finally:
            again = [(self.alarms.clock.now, ready[at][1], ready[at][2] + 1) for at in sorted(failed)]
            self.alarms.waiting += again
        return len(ready)

    def advance(self, seconds: float) -> None:
        """Let the time pass: alarms ring at their moment, the due index is swept every minute."""
        end = self.alarms.clock.now + seconds
        while True:
            rings = [due for due, _, _ in self.alarms.waiting]
            minute = self._next_sweep()
            moment = min([minute, *rings])
            if moment > end:
                break
            self.alarms.clock.now = max(moment, self.alarms.clock.now)
            if moment == minute:
                sweep(self.ports)
            self.deliver()
        self.alarms.clock.now = end

    def _next_sweep(self) -> float:
        """The next full minute at which a sweep finds something: the sweeps between are left out, they do nothing."""
        due = [int(item["g2sk"]) / 1000 for item in self.items() if "g2sk" in item]
        first = max(self.alarms.clock.now + 1, min(due, default=math.inf) - 60)
        return math.ceil(first / 60) * 60 if due else math.inf

    def deliveries(self) -> list[Delivery]:
        """All of the tenant's, by event and endpoint."""
        items = [item for item in self.items() if item["sk"] == "DLV"]
        return sorted(map(store.delivery_of, items), key=lambda delivery: (delivery.event, delivery.webhook))

    def attempts(self) -> list[Mapping[str, Any]]:
        """Of all deliveries, as the log shows them."""
        return list(chain.from_iterable(attempts.of_deliveries(self.table, self.deliveries())))

    def items(self) -> list[Any]:
        latest = {(one.key.pk, one.key.sk): one.new for one in self.base.read_stream(0, 10**6)}
        return [item for item in latest.values() if item is not None]

    @property
    def base(self) -> Any:
        """The engine that is really there, behind whatever makes it fail."""
        return getattr(self.ports.engine, "engine", self.ports.engine)

    def on(self, engine: Any) -> None:
        """From now on through this engine."""
        self.ports = replace(self.ports, engine=engine)


@pytest.fixture
def pipeline(ports: Ports, tenant: Tenant, ctx: Ctx, clock: Clock) -> Pipeline:
    alarms = Alarms(clock)
    settings = replace(ports.settings, private_targets=True)
    ours = replace(ports, queue=alarms, vault=Sealed(), settings=settings)
    return Pipeline(ours, open_ctx(ours, tenant, ctx.actor, "request"), alarms)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the workers' logger writes, from now on."""
    written = io.StringIO()
    for handler in telemetry.logger().handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written
