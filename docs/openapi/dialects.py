"""What the dialects declare, found by walking their folders."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from leadwire import dialects
from leadwire.edge.types import Dialect

NAMES = ("public", "chatbot", "lists", "crm")


def declared(name: str) -> Iterator[tuple[ModuleType, Dialect]]:
    """The `DIALECT`s that the modules of a dialect's folder declare, or make of faces that their door hands them."""
    package = f"{dialects.__name__}.{name}"
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        module = importlib.import_module(found.name)
        members = vars(module)
        made = members["dialect"]() if "dialect" in members else members.get("DIALECT")
        if isinstance(made, Dialect):
            yield module, made
