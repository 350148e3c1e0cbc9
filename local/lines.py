"""Which line of a template something stands on, for error messages: only read when something is wrong."""

from __future__ import annotations

import yaml


def line_of(text: str, resource: str, *path: str) -> int:
    """The line (from 1) of the deepest key on the path that the YAML text has.

    SAM makes several resources out of one, each named after it: the longest name that begins `resource` is its origin.
    """
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    names = _keys(_child(node, "Resources"))
    origin = max((name for name in names if resource.startswith(name)), key=len, default="")
    line = 1
    for key in ("Resources", origin, *path):
        mark = _keys(node).get(key)
        if mark is None:
            break
        line, node = mark + 1, _child(node, key)
    return line


def _keys(node: yaml.Node | None) -> dict[str, int]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): key.start_mark.line for key, _ in node.value}


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)
