"""What can be done with integrations as records. Secrets are sealed by the vault, and come back as `••••last4`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leadwire import keys, records
from leadwire.context import Ctx
from leadwire.errors import FieldError, InvalidInput
from leadwire.ports import hint
from leadwire.records import Kind, Numbered

from .types import TYPES, IntegrationType


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(Numbered):
    type: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    """As it is shown: of a secret the hint."""
    sealed: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    """The last part of the URL that a provider calls: random, so that only who was given it can."""
    is_active: bool = True
    last_activity_at: int | None = None
    last_error: str = ""

    @property
    def of_type(self) -> IntegrationType:
        return TYPES[self.type]


INTEGRATIONS = Kind("integration", keys.integrations, Integration, texts=frozenset({"config"}))


def create(ctx: Ctx, draft: Integration) -> Integration:
    """`draft.config` has its secrets in clear. Raises InvalidInput with the place of each mistake."""
    if draft.type not in TYPES:
        raise InvalidInput(FieldError("type", f"must be one of {', '.join(TYPES)}", "enum", draft.type))
    _check(draft.of_type, draft.config)

    def attempt() -> Integration:
        number, drawn = records.draw(ctx, INTEGRATIONS.name)
        token = secrets.token_urlsafe(24) if draft.of_type.takes_in else ""
        numbered = replace(draft, id=number, token=token)
        integration = records.first(_with_config(ctx, numbered, draft.config), ctx.now_ms())
        return records.commit(ctx, [drawn, records.addition(ctx, INTEGRATIONS, integration)], integration)

    return records.persist(attempt)


def update(ctx: Ctx, integration_id: int | None, changes: Mapping[str, Any]) -> Integration:
    """`changes`: name, is_active, and of the config what changes: null removes, a secret as it is shown stays.

    Raises NotFound, InvalidInput.
    """

    def wanted(before: Integration) -> Integration:
        _raise(before.of_type.unknown(changes.get("config", {})))
        after = replace(before, **{name: value for name, value in changes.items() if name != "config"})
        sent = {name: value for name, value in changes.get("config", {}).items() if value != before.config.get(name)}
        if not sent:
            return after
        config = {name: value for name, value in {**before.config, **sent}.items() if value is not None}
        _check(before.of_type, config)
        return _with_config(ctx, replace(after, config={name: before.config.get(name) for name in config}), sent)

    return records.change(ctx, INTEGRATIONS, integration_id, wanted)


def delete(ctx: Ctx, integration_id: int | None) -> Integration:
    """Raises NotFound."""

    def attempt() -> Integration:
        integration = records.find(ctx, INTEGRATIONS, integration_id)
        return records.commit(ctx, [records.removal(ctx, INTEGRATIONS, integration)], integration)

    return records.persist(attempt)


def inbound_path(slug: str, integration: Integration) -> str | None:
    """What to paste at a provider that calls us."""
    return f"/hooks/{slug}/{integration.id}/{integration.token}" if integration.token else None


# --- inside -----------------------------------------------------------------------------------------------------------


def _check(type_: IntegrationType, config: Mapping[str, Any]) -> None:
    _raise([*type_.unknown(config), *type_.problems(config)])


def _raise(problems: Sequence[FieldError]) -> None:
    if problems:
        raise InvalidInput(*problems)


def _with_config(ctx: Ctx, integration: Integration, sent: Mapping[str, Any]) -> Integration:
    """The integration with what was sent, secrets sealed; what is no longer in its config goes."""
    config, hidden = dict(integration.config), dict(integration.sealed)
    for name, value in sent.items():
        if value is None:
            continue
        if name in integration.of_type.secrets:
            hidden[name] = ctx.ports.vault.seal(value, f"integration:{ctx.tenant.id}:{integration.id}:{name}")
            config[name] = hint(value)
        else:
            config[name] = value
    return replace(integration, config=config, sealed={name: one for name, one in hidden.items() if name in config})
