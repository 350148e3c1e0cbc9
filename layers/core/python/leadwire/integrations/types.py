"""The types of integrations: what each connects, and what its config is made of. Pure data and its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leadwire.errors import FieldError

TEXT_LIMIT = 2000
CRM_EVENTS = (
    "lead.created", "lead.updated", "lead.deleted", "lead.stage_changed", "lead.assigned", "form.submitted",
)  # fmt: skip
"""What the crm's outbound webhooks can be told (contracts/crm.md)."""
_TEXT = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "string": _TEXT,
    "map": {"type": "object", "additionalProperties": _TEXT},
    "events": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(CRM_EVENTS)}},
}
"""JSON Schema of each kind of setting."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a config: `kind` is string, map (of strings) or events."""

    description: str
    required: bool = False
    secret: bool = False
    kind: str = "string"
    choices: Sequence[str] = ()

    def schema(self) -> dict[str, Any]:
        choices = {"enum": list(self.choices)} if self.choices else {}
        secret = {"writeOnly": True} if self.secret else {}
        return {**SETTINGS[self.kind], **choices, "description": self.description, **secret}

    def problem(self, value: Any) -> str | None:
        if self.kind == "map":
            good = isinstance(value, dict) and all(map(_is_text, value.values()))
            return None if good else f"must be an object of strings of 1 to {TEXT_LIMIT} characters"
        if self.kind == "events":
            good = isinstance(value, list) and bool(value) and all(one in CRM_EVENTS for one in value)
            return None if good else f"must be a list of {', '.join(CRM_EVENTS)}"
        if not _is_text(value):
            return f"must be a string of 1 to {TEXT_LIMIT} characters"
        return f"must be one of {', '.join(self.choices)}" if self.choices and value not in self.choices else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT


@dataclass(frozen=True, slots=True)
class IntegrationType:
    key: str
    name: str
    direction: str
    """in, out or both."""
    category: str
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def takes_in(self) -> bool:
        return self.direction != "out"

    @property
    def secrets(self) -> list[str]:
        return [name for name, setting in self.settings.items() if setting.secret]

    def schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the config."""
        return {
            "type": "object",
            "properties": {name: setting.schema() for name, setting in self.settings.items()},
            "required": [name for name, setting in self.settings.items() if setting.required],
            "additionalProperties": False,
        }

    def unknown(self, config: Mapping[str, Any]) -> list[FieldError]:
        """Names that no setting has."""
        names = [name for name in config if name not in self.settings]
        return [FieldError(f"config.{name}", "is not a known field", "unknown_field") for name in names]

    def problems(self, config: Mapping[str, Any]) -> list[FieldError]:
        """What is wrong with the settings of a whole config; secrets may be given by their hint."""
        errors: list[FieldError] = []
        for name, setting in self.settings.items():
            if name not in config:
                errors += [FieldError(f"config.{name}", "is required", "missing")] if setting.required else []
            elif problem := setting.problem(config[name]):
                errors.append(FieldError(f"config.{name}", problem, "value_error"))
        return errors


def _secret(description: str, *, required: bool = True) -> Setting:
    return Setting(description, required=required, secret=True)


_FIELD_MAP = Setting("Names of the provider's fields or JSON paths, to fields of a lead", kind="map")
_URL = Setting("Where events are sent", required=True)

TYPES: Mapping[str, IntegrationType] = {
    one.key: one
    for one in (
        IntegrationType("facebook_lead_ads", "Facebook Lead Ads", "in", "ads", {
            "page_id": Setting("The page whose forms are read"),
            "verify_token": _secret("What Facebook sends when it checks the URL"),
            "app_secret": _secret("Signs what Facebook sends"),
            "access_token": _secret("Reads leads from the Graph API"),
            "field_map": _FIELD_MAP,
        }),
        IntegrationType("google_ads", "Google Ads lead forms", "in", "ads", {
            "google_key": _secret("The key that is typed in at the lead form"), "field_map": _FIELD_MAP,
        }),
        IntegrationType("typeform", "Typeform", "in", "forms", {
            "secret": _secret("Signs what Typeform sends", required=False), "field_map": _FIELD_MAP,
        }),
        IntegrationType("calendly", "Calendly", "in", "calendar", {
            "signing_key": _secret("Signs what Calendly sends", required=False), "field_map": _FIELD_MAP,
        }),
        IntegrationType("generic_inbound", "Any webhook", "in", "developer", {
            "secret": _secret("HMAC-SHA256 key of the sender, if it signs", required=False), "field_map": _FIELD_MAP,
        }),
        IntegrationType("twilio", "Twilio", "both", "telephony", {
            "account_sid": Setting("The account", required=True),
            "auth_token": _secret("Signs what Twilio sends, and sends for us"),
            "from_number": Setting("The number that texts are sent from, E.164"),
        }),
        IntegrationType("mailgun", "Mailgun", "out", "email", {
            "api_key": _secret("Sends for us"),
            "domain": Setting("The sending domain", required=True),
            "from": Setting("Name and address of the sender", required=True),
            "region": Setting("Where the account is", choices=("us", "eu")),
            "webhook_signing_key": _secret("Signs bounces and complaints", required=False),
        }),
        IntegrationType("ses", "Amazon SES", "out", "email", {
            "from": Setting("Name and address of the sender", required=True),
            "configuration_set": Setting("The configuration set to send with"),
        }),
        IntegrationType("slack", "Slack", "out", "chat", {
            "webhook_url": _secret("The incoming webhook of the channel"),
        }),
        IntegrationType("webhook", "Outbound webhook", "out", "developer", {
            "url": _URL,
            "events": Setting("What is sent", required=True, kind="events"),
            "secret": _secret("Signs what is sent", required=False),
        }),
        IntegrationType("zapier", "Zapier", "both", "automation"),
        IntegrationType("make", "Make", "both", "automation"),
    )
}  # fmt: skip
