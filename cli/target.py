"""Which Leadwire a command speaks to: the embedded one in this directory, or a stack on AWS."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from leadwire.ports import Bus, BusEntry, Message, Ports, Queue, Vault
from leadwire.settings import Settings
from leadwire.store.database import Database
from leadwire.store.sqlite import SqliteEngine
from leadwire.store.types import Unreadable

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(".leadwire")
DATABASE = "leadwire.db"
OUTPUTS = {
    "table": "TableName",
    "bus": "BusName",
    "deliveries_queue_url": "DeliveriesQueueUrl",
    "slow_queue_url": "SlowDeliveriesQueueUrl",
    "kms_key_id": "SecretsKeyId",
}
"""Setting to the output of template.yaml that holds it."""
NOWHERE = Settings(table="", bus="", deliveries_queue_url="", kms_key_id="")


class Unreachable(Exception):
    """There is no Leadwire where the command looked. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the options before the command say."""

    data: Path = DATA
    stack: str | None = None
    profile: str | None = None
    region: str | None = None

    @contextmanager
    def ports(self, *, sending: bool = False) -> Iterator[Ports]:
        """`sending`: with the queues, which a running server takes messages from. Raises Unreachable or `failures`."""
        if self.stack:
            yield _deployed(self.stack, self.profile, self.region)
            return
        if sending:
            with _world(self.data) as ports:
                yield ports
            return
        engine = _embedded(self.data)
        try:
            yield Ports(NOWHERE, engine, _NoQueue(), _NoBus(), _NoVault(), time.time)
        finally:
            engine.close()

    def failures(self) -> tuple[type[Exception], ...]:
        """What AWS may raise at any call: no credentials, no right to do it, no such stack."""
        if not self.stack:
            return ()
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # costs 100 ms

        return BotoCoreError, ClientError


def _embedded(data: Path) -> SqliteEngine:
    path = data / DATABASE
    if not path.is_file():
        raise Unreachable(
            f"There is no database at {path}. Run `make run` once, or name a deployed stack with --stack."
        )
    try:
        return SqliteEngine(Database(path))
    except Unreadable as other:
        raise Unreachable(f"{path} {other}: move {data} away, and `make run` begins a new one.") from other


@contextmanager
def _world(data: Path) -> Iterator[Ports]:
    """The embedded cloud on the same file: what it is sent, the server's own process works on."""
    from local.clock import Clock  # noqa: PLC0415  # reads the template: costs half a second
    from local.world import World  # noqa: PLC0415

    _embedded(data).close()
    world = World(ROOT, data=data / DATABASE, clock=Clock.real())
    try:
        yield world.ports
    finally:
        world.close()


def _deployed(stack: str, profile: str | None, region: str | None) -> Ports:
    import boto3  # noqa: PLC0415  # costs 300 ms

    from leadwire import aws  # noqa: PLC0415

    boto3.setup_default_session(profile_name=profile, region_name=region)
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Stacks"][0].get("Outputs", ())}
    return aws.ports(_settings(stack, outputs))


def _settings(stack: str, outputs: Mapping[str, Any]) -> Settings:
    missing = sorted(set(OUTPUTS.values()) - set(outputs))
    if missing:
        raise Unreachable(f"The stack {stack} has no output {', '.join(missing)}: it is not a Leadwire, or an old one.")
    return Settings(**{name: outputs[output] for name, output in OUTPUTS.items()})


# --- commands send nothing: beside a running server, its own process is the one that does -----------------------------


def _not_from_here() -> NoReturn:
    raise NotImplementedError("commands on the embedded database neither send messages nor open secrets")


class _NoQueue(Queue):
    def send(self, url: str, messages: Sequence[Message]) -> list[Message]:  # noqa: ARG002
        _not_from_here()


class _NoBus(Bus):
    def put(self, entries: Sequence[BusEntry]) -> list[int]:  # noqa: ARG002
        _not_from_here()


class _NoVault(Vault):
    def seal(self, secret: str, context: str) -> bytes:  # noqa: ARG002
        _not_from_here()

    def open(self, sealed: bytes, context: str) -> str:  # noqa: ARG002
        _not_from_here()
