"""Which route a request takes: the most specific one for its method and path."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .description import Route

_PLACEHOLDER = re.compile(r"\{(\w+)(\+?)\}")


class Router:
    """Fixed segments go before {parameters}, those before {proxy+}, that before $default; a method before ANY."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=_rank)
        self._fixed = {(route.method, route.path): route for route in ordered if "{" not in route.path}
        self._patterns = [(route, _pattern(route.path)) for route in ordered if "{" in route.path]
        self._default = next((route for route in routes if route.path == "$default"), None)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters, or None. `path` is decoded."""
        fixed = self._fixed.get((method, path)) or self._fixed.get(("ANY", path))
        if fixed:
            return fixed, {}
        for route, pattern in self._patterns:
            if route.method in (method, "ANY") and (found := pattern.fullmatch(path)):
                return route, found.groupdict()
        return (self._default, {}) if self._default else None


def _rank(route: Route) -> tuple[list[int], bool]:
    kinds = [_kind(segment) for segment in route.path.split("/")]
    return kinds, route.method == "ANY"


def _kind(segment: str) -> int:
    placeholder = _PLACEHOLDER.fullmatch(segment)
    if placeholder is None:
        return 0
    return 2 if placeholder[2] else 1


def _pattern(path: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for found in _PLACEHOLDER.finditer(path):
        parts += [re.escape(path[end : found.start()]), f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"]
        end = found.end()
    return re.compile("".join(parts) + re.escape(path[end:]), re.DOTALL)
