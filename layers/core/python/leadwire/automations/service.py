"""What can be done with automations as records: they are checked, word by word and against what they name, and kept."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadwire import keys, records
from leadwire.context import Ctx
from leadwire.errors import Conflict, FieldError, InvalidInput
from leadwire.ports import hint
from leadwire.records import Kind, Numbered
from leadwire.store.types import Key

from . import vocabulary
from .vocabulary import Reference

MOST = 100
STEPS = 50
HIDDEN = "sealed_secret"
"""Where a step keeps its secret; what is shown of it stands under `secret`."""

PARTITIONS: Mapping[str, Callable[[str], str]] = {
    "pipeline": keys.pipelines,
    "stage": keys.stages,
    "user": keys.users,
    "form": keys.forms,
    "automation": keys.automations,
    "integration": keys.integrations,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation(Numbered):
    name: str
    description: str = ""
    is_active: bool = True
    business_hours: bool = False
    """Delays end within the tenant's business hours."""
    trigger: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]] = ()


AUTOMATIONS = Kind("automation", keys.automations, Automation, texts=frozenset({"trigger", "steps"}))


def create(ctx: Ctx, draft: Automation) -> Automation:
    """Raises InvalidInput with the place of each mistake, Conflict when there are too many."""
    _check(ctx, draft)

    def attempt() -> Automation:
        if len(records.every(ctx, AUTOMATIONS)) >= MOST:
            raise Conflict(f"At most {MOST} automations are allowed")
        number, drawn = records.draw(ctx, AUTOMATIONS.name)
        numbered = replace(draft, id=number, steps=_sealed(ctx, number, draft.steps, ()))
        automation = records.first(numbered, ctx.now_ms())
        return records.commit(ctx, [drawn, records.addition(ctx, AUTOMATIONS, automation)], automation)

    return records.persist(attempt)


def update(ctx: Ctx, automation_id: int | None, changes: Mapping[str, Any]) -> Automation:
    """A secret that is sent as it is shown stays what it is. Raises NotFound, InvalidInput."""

    def wanted(before: Automation) -> Automation:
        asked = replace(before, **changes)
        if "trigger" not in changes and "steps" not in changes:
            return asked
        steps = changes.get("steps", [shown(step) for step in asked.steps])
        _check(ctx, replace(asked, steps=steps), before.steps)
        steps = _sealed(ctx, before.id, asked.steps, before.steps) if "steps" in changes else before.steps
        return replace(asked, steps=steps)

    return records.change(ctx, AUTOMATIONS, automation_id, wanted)


def delete(ctx: Ctx, automation_id: int | None) -> Automation:
    """Raises NotFound."""

    def attempt() -> Automation:
        automation = records.find(ctx, AUTOMATIONS, automation_id)
        return records.commit(ctx, [records.removal(ctx, AUTOMATIONS, automation)], automation)

    return records.persist(attempt)


def shown(step: Mapping[str, Any]) -> dict[str, Any]:
    """The step without what only Leadwire may read."""
    return {name: value for name, value in step.items() if name != HIDDEN}


# --- inside -----------------------------------------------------------------------------------------------------------


def _check(ctx: Ctx, draft: Automation, before: Sequence[Any] = ()) -> None:
    """`before`: the steps as they are stored, with secrets that need not be sent again. Raises InvalidInput."""
    found = [*vocabulary.read_trigger(draft.trigger)]
    for place, step in enumerate(draft.steps):
        found += vocabulary.read_step(step, f"steps[{place}]")
    errors = [one for one in found if isinstance(one, FieldError)]
    errors += _missing(ctx, [one for one in found if isinstance(one, Reference)])
    errors = errors or _unsendable(ctx, draft.steps, _kept(before))
    if errors:
        raise InvalidInput(*errors)


def _unsendable(ctx: Ctx, steps: Sequence[Any], kept: Mapping[tuple[str, str], str]) -> list[FieldError]:
    """What a webhook would be refused for when it is to be sent."""
    hooks = {place: step["config"] for place, step in enumerate(steps) if step.get("action") == "send_webhook"}
    if not hooks:
        return []
    from . import targets  # noqa: PLC0415  # what checks addresses takes 50 ms to import

    private, errors = ctx.ports.settings.private_targets, []
    for place, config in hooks.items():
        url, secret = config["url"], config.get("secret")
        wrong = targets.problems(url, None if (url, secret) in kept else secret, private=private)
        errors += [FieldError(f"steps[{place}].config.{name}", text, "value_error") for name, text in wrong.items()]
    return errors


def _missing(ctx: Ctx, references: Sequence[Reference]) -> list[FieldError]:
    """References to what is not there: one batch read."""
    wanted = {one: Key(PARTITIONS[one.kind](ctx.tenant.id), keys.numbered(one.id)) for one in references}
    found = ctx.table.batch_get([*wanted.values()]) if wanted else {}
    gone = [one for one, key in wanted.items() if key not in found]
    return [FieldError(one.path, f"does not name one: {one.kind} {one.id}", "not_found", one.id) for one in gone]


def _sealed(ctx: Ctx, number: int, steps: Sequence[Any], before: Sequence[Any]) -> list[Any]:
    """The steps with their secrets sealed and shown as their last four characters."""
    kept, result = _kept(before), []
    for step in copy.deepcopy(list(steps)):
        secret = step.get("config", {}).get("secret")
        if secret is not None:
            known = kept.get((step["config"]["url"], secret))
            step[HIDDEN] = known or _seal(ctx, number, secret)
            step["config"]["secret"] = secret if known else hint(secret)
        result.append(step)
    return result


def _kept(steps: Sequence[Any]) -> dict[tuple[str, str], str]:
    """URL and secret, as it is shown, to the secret as it is sealed."""
    return {(step["config"]["url"], step["config"]["secret"]): step[HIDDEN] for step in steps if HIDDEN in step}


def vault_context(tenant: str, automation: int) -> str:
    """Binds a sealed secret to its automation."""
    return f"automation:{tenant}:{automation}"


def _seal(ctx: Ctx, number: int, secret: str) -> str:
    sealed = ctx.ports.vault.seal(secret, vault_context(ctx.tenant.id, number))
    return base64.b64encode(sealed).decode()
