"""The published documents: OpenAPI 3.1 of each dialect and of all, made from what the dialects declare.

    DIALECT.routes ─▶ operations.py ─┬─ schemas.py    types of bodies ─▶ components
                                     └─ refusals.py   errors, as the dialect renders them
                     links.py        what a created record leads to
                     webhooks.py     what the dialect sends
                     document.py     puts a dialect together; combined.py all of them

`python -m docs.generate` writes them where functions/reference serves them, `python -m docs.openapi` them alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import dialects
from .combined import combined
from .document import document

FOLDER = Path(__file__).parents[2] / "functions/reference/openapi"
DEPTH = 2
"""Of a path item's methods, and of a component's name."""


def written() -> Iterator[tuple[Path, str]]:
    """Each document's file, and the text that it should have."""
    documents = {}
    for name in dialects.NAMES:
        documents[name] = document(name)
        yield FOLDER / f"{name}.json", text(documents[name])
    yield FOLDER / "all.json", text(combined(documents))


def text(one: dict[str, Any]) -> str:
    """A line for each operation and component: compact, and a change shows where it is."""
    return _laid_out(one) + "\n"


def _laid_out(value: dict[str, Any], depth: int = 0) -> str:
    """Members of `paths` and of each kind of component begin on lines of their own."""
    lines = []
    for name, one in value.items():
        deep = isinstance(one, dict) and (name in ("paths", "webhooks", "components") if depth == 0 else depth < DEPTH)
        shown = _laid_out(one, depth + 1) if deep else json.dumps(one, ensure_ascii=False, separators=(",", ":"))
        lines.append(f"{' ' * depth}{json.dumps(name)}: {shown}")
    return "{\n" + ",\n".join(lines) + "\n}"
