"""template.yaml as a Stack: translated by aws-sam-translator, resolved, and refused where we do not know it.

The translation takes a second, so its result is kept under .leadwire/ by the hash of all that it depends on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import resources
from .description import REGION, Function, Queue, QueueMapping, Route, Rule, Schedule, Stack, StreamMapping
from .intrinsics import Scope, Unresolvable, holds, resolve
from .parts import AsyncInvocation, EventBus, Part, Unsupported

CODE = "local"
"""The translator wants code on S3: this is the bucket; the key is the folder."""
SECTIONS = frozenset({"AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs"})
SECTIONS |= {"Parameters", "Resources"}


class TemplateRefused(Exception):
    """The template has something that the embedded cloud does not do; the message names it and its line."""


def read(path: Path, parameters: Mapping[str, str] | None = None) -> Stack:
    """The stack that the template at `path` describes, with `parameters` in place of their defaults.

    Raises TemplateRefused.
    """
    text = path.read_text()
    template = _translated(path, text, parameters or {})
    if unknown := set(template) - SECTIONS:
        raise TemplateRefused(f"{path.name}: the section {', '.join(sorted(unknown))} is not supported")
    scope = _scope(path, template, parameters or {})
    parts: list[Part] = []
    for name, resource in template["Resources"].items():
        try:
            parts += _parts(name, resource, scope)
        except Unresolvable as wrong:
            raise _refused(path, text, f"{name}: {wrong}", name) from wrong
        except Unsupported as wrong:
            raise _refused(path, text, str(wrong), name, *wrong.path) from wrong
    return _stack(path.parent, parts)


def _parts(name: str, resource: Mapping[str, Any], scope: Scope) -> list[Part]:
    if "Condition" in resource and not holds(resource["Condition"], scope):
        return []
    kind = resource["Type"]
    properties = {} if kind in resources.PASSED_OVER else resolve(resource.get("Properties", {}), scope)
    return resources.read(name, kind, properties)


def _scope(path: Path, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Scope:
    declared = template.get("Parameters", {})
    if unknown := set(parameters) - set(declared):
        raise TemplateRefused(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
    values = {name: parameters.get(name, spec.get("Default", "")) for name, spec in declared.items()}
    lists = {name for name, spec in declared.items() if spec["Type"] == "CommaDelimitedList"}
    return Scope(
        {name: value.split(",") if name in lists else value for name, value in values.items()},
        template.get("Conditions", {}),
        {name: resource["Type"] for name, resource in template["Resources"].items()},
        template.get("Mappings", {}),
    )


def _stack(root: Path, parts: Sequence[Part]) -> Stack:
    def those[T](kind: type[T]) -> list[T]:
        return [part for part in parts if isinstance(part, kind)]

    changes = {part.function: dict(part.changes) for part in those(AsyncInvocation)}
    functions = [
        dataclasses.replace(function, folder=root / function.folder, **changes.get(function.name, {}))
        for function in those(Function)
    ]
    return Stack(
        functions={function.name: function for function in functions},
        routes=tuple(those(Route)),
        streams=tuple(those(StreamMapping)),
        queues={queue.name: queue for queue in those(Queue)},
        queue_mappings=tuple(those(QueueMapping)),
        buses=("default", *(bus.name for bus in those(EventBus))),
        rules=tuple(those(Rule)),
        schedules=tuple(those(Schedule)),
    )


def _refused(path: Path, text: str, message: str, *where: str) -> TemplateRefused:
    from .lines import line_of  # noqa: PLC0415  # YAML is only read again when something is wrong

    return TemplateRefused(f"{path.name}:{line_of(text, *where)}: {message}")


def _translated(path: Path, text: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    version = importlib.metadata.version("aws-sam-translator")
    digest = hashlib.sha256(json.dumps([text, version, sorted(parameters.items())]).encode()).hexdigest()
    kept = path.parent / ".leadwire" / f"template-{digest[:16]}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    translated = _translate(path, text, parameters)
    kept.parent.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
        json.dump(translated, file, default=str)
    Path(file.name).replace(kept)
    return translated


def _translate(path: Path, text: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    from . import sam  # noqa: PLC0415  # half a second to import, and needed only when the template has changed

    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    try:
        template = sam.parse(text)
        for resource in template["Resources"].values():
            for name in ("CodeUri", "ContentUri"):
                folder = resource.get("Properties", {}).get(name)
                if isinstance(folder, str):
                    resource["Properties"][name] = f"s3://{CODE}/{folder.removeprefix('./')}"
        defaults = {name: spec.get("Default", "") for name, spec in template.get("Parameters", {}).items()}
        return sam.translate(template, {**defaults, **parameters})
    except sam.Invalid as wrong:
        raise TemplateRefused(f"{path.name}: {wrong}") from wrong
