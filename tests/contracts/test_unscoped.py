"""The table of all tenants is in few hands, and every hand is on this list with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("layers/core/python", "functions", "local", "cli")
HANDS = {
    "leadwire/store/table.py": {"unscoped": "where it is made"},
    "leadwire/edge/http.py": {"_admit": "the API key finds the tenant"},
    "leadwire/dialects/crm/health.py": {"handler": "asks for an item that is nobody's"},
    "leadwire/apikeys.py": {
        "revoke": "keys stand outside of their tenants",
        "refresh": "keys stand outside of their tenants",
        "limit": "keys stand outside of their tenants",
        "_items": "keys stand outside of their tenants",
        "_store": "keys stand outside of their tenants",
    },
    "leadwire/tenants.py": {
        "create": "the slug is claimed among all tenants",
        "load": "before there is a tenant",
        "change": "for operators",
        "every": "for operators",
        "by_slug": "the slug finds the tenant",
    },
    "leadwire/webhooks/sweep.py": {"_shard": "what is due, of all tenants"},
}


def unscoped_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """`unscoped(...)`, and `Table(engine, "")` or `Table(..., prefix="")`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        arguments = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "prefix")]
        empty = any(isinstance(argument, ast.Constant) and argument.value == "" for argument in arguments)
        if name == "unscoped" or (name == "Table" and empty):
            yield node


def hands() -> dict[str, set[str]]:
    """File to the functions in it that reach the table of all tenants."""
    found: dict[str, set[str]] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.FunctionDef) and any(unscoped_calls(function)):
                    found.setdefault(str(path.relative_to(ROOT / folder)), set()).add(function.name)
    return found


def test_only_these_functions_reach_the_table_of_all_tenants() -> None:
    assert hands() == {path: set(functions) for path, functions in HANDS.items()}


def test_no_module_reaches_it_when_it_is_imported() -> None:
    """A call outside of any function would not be in the list above."""
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text())
            inside = {id(call) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for call in unscoped_calls(f)}
            assert {id(call) for call in unscoped_calls(tree)} <= inside, path
