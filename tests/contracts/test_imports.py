"""What each function imports as it starts, which is what its cold start costs: counted in modules, which hold on every
machine, and by name for what is heavy. The ports of AWS come on top, the same for all (`ports.prepare`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOORS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
HEAVY = frozenset(
    [
        "boto3",
        "cryptography",
        "email_validator",
        "phonenumbers",
        "pydantic",
        "requests",
        "standardwebhooks",
        "urllib3",
    ]
)
"""20 to 500 ms each."""
CONTACTS = frozenset({"email_validator", "phonenumbers"})
"""What reads the contacts of leads (dialects/contacts.py)."""
EDGE = frozenset({"pydantic"})
SIGNS = frozenset({"standardwebhooks", "urllib3"})
"""What checks the addresses of webhooks (guard.py) and makes their secrets."""
ALLOWED = {
    "chatbot_bots": EDGE | CONTACTS | SIGNS,
    "chatbot_leads": EDGE | CONTACTS,
    "chatbot_webhooks": EDGE | CONTACTS | SIGNS,
    "crm_admin": EDGE | CONTACTS,
    "crm_automations": EDGE,
    "crm_deliveries": EDGE | CONTACTS,
    "crm_forms": EDGE | CONTACTS,
    "crm_integrations": EDGE,
    "crm_leads": EDGE | CONTACTS,
    "crm_pipelines": EDGE | CONTACTS,
    "crm_tags": EDGE,
    "crm_users": EDGE | CONTACTS,
    "deliver_webhooks": SIGNS | {"requests"},
    "fan_out_webhooks": EDGE | CONTACTS,
    "health": EDGE,
    "inbound": EDGE | CONTACTS,
    "index_leads": frozenset(),
    "lists_bulk": EDGE | CONTACTS,
    "lists_leads": EDGE | CONTACTS,
    "lists_lists": EDGE | CONTACTS,
    "lists_webhooks": EDGE | CONTACTS | SIGNS,
    "public_clients": EDGE | CONTACTS,
    "public_conversations": EDGE | CONTACTS,
    "public_leads": EDGE,
    "public_webhooks": EDGE | SIGNS,
    "reference": EDGE,
    "relay_events": frozenset(),
    "run_automations": EDGE | SIGNS,
    "run_jobs": frozenset(),
    "sweep_due": frozenset(),
    "tidy_index": frozenset(),
}
MOST = {
    frozenset(): 160,
    EDGE: 280,
    EDGE | CONTACTS: 380,
    EDGE | SIGNS: 330,
    EDGE | CONTACTS | SIGNS: 410,
    SIGNS | {"requests"}: 350,
}
"""Modules that a function of each kind imports at most, Python's own among them."""
PROBE = """
import importlib, json, os, sys
sys.path[:0] = json.loads(sys.argv[1])
for door in json.loads(sys.argv[2]):
    if os.fork() == 0:
        before = set(sys.modules)
        importlib.import_module(f"functions.{door}.app")
        names = set(sys.modules) - before
        print(json.dumps([door, len(names), sorted({name.partition(".")[0] for name in names})]), flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(door)
"""


@cache
def imported() -> dict[str, tuple[int, frozenset[str]]]:
    """Door to how many modules it imports, and their packages: each in a process that had imported nothing before."""
    paths = [str(ROOT), str(ROOT / "layers/core/python")]
    command = [sys.executable, "-c", PROBE, json.dumps(paths), json.dumps(DOORS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, cwd=ROOT)
    lines = map(json.loads, done.stdout.splitlines())
    return {door: (count, frozenset(packages)) for door, count, packages in lines}


@pytest.mark.parametrize("door", DOORS)
def test_a_function_imports_nothing_heavy_that_it_does_not_need(door: str) -> None:
    _, packages = imported()[door]
    assert packages & HEAVY == ALLOWED[door]


@pytest.mark.parametrize("door", DOORS)
def test_a_function_stays_within_its_budget_of_modules(door: str) -> None:
    count, _ = imported()[door]
    assert count <= MOST[ALLOWED[door]]


def test_the_ports_of_aws_leave_to_the_keeper_of_secrets_what_only_that_needs() -> None:
    code = "import sys; import leadwire.aws; sys.exit('cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT / "layers/core/python")
