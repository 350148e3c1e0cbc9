"""The environment, read once, typed. Every variable that a function understands is a field here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "LEADWIRE_"


class SettingMissing(Exception):
    """A variable that has no default is not set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per `LEADWIRE_<NAME>`; a field without default must be set. docs/operations.md explains each."""

    table: str
    bus: str
    deliveries_queue_url: str
    kms_key_id: str
    slow_queue_url: str = ""
    """Where alarms of webhooks with slow receivers go, so that they keep nobody waiting; empty for no such lane."""
    tidy_queue_url: str = ""
    """Where `index_leads` says what was indexed, for `tidy_index` to forget (leads/pending.py)."""
    jobs_queue_url: str = ""
    """Where bulk requests leave the work that they do not do themselves, for `run_jobs` (leads/deletions.py)."""
    automations_queue_url: str = ""
    """Where events that may start automations go, and the messages that continue runs (automations/worker.py)."""
    stage: str = "dev"
    endpoint_url: str = ""
    """Where AWS answers, if not at its usual addresses (emulators)."""
    origin: str = "leadtruffle"
    """Value of the header `x-origin` on deliveries of the public dialect."""
    debug_capacity: bool = False
    """Adds `X-Leadwire-Capacity: wru=… rru=… trips=…` to every response."""
    private_targets: bool = False
    """Lets webhooks go to http and to private addresses: for embedded mode and tests."""
    schedule_scale: float = 1.0
    """Multiplies every wait of a webhook schedule: 0.001 turns five minutes into 0.3 seconds."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingMissing with the name of the variable."""
        values: dict[str, object] = {}
        for name, annotation in cls.__annotations__.items():
            text = environment.get(PREFIX + name.upper(), "")
            if text:
                values[name] = _typed(str(annotation), text)
        try:
            return cls(**values)  # type: ignore[arg-type]  # typed by the annotations just read
        except TypeError as error:
            raise SettingMissing(f"{error}: set {PREFIX}<NAME>") from error


def _typed(annotation: str, text: str) -> object:
    if annotation == "bool":
        return text.lower() in ("1", "true", "yes")
    return float(text) if annotation == "float" else text
