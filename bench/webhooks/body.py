"""The body that both workers of the benchmark send: 1.5 KB of JSON that compresses as a lead's does.

Also for peer_jobs.py, which runs without Leadwire.
"""

from __future__ import annotations

import json
import random

NAMES = ("firstName", "lastName", "email", "phone", "address1", "city", "state", "zip", "source", "status")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIZE = 1500


def body() -> str:
    """The same on every call."""
    rng = random.Random(1)
    lead: dict[str, object] = {name: _word(rng, 8) for name in NAMES}
    tracking: dict[str, str] = {}
    told = {"eventType": "LEAD_CREATED", "clientId": "7", "leadInformation": lead, "trackingData": tracking}
    while len(text := json.dumps(told, separators=(",", ":"))) < SIZE:
        tracking[f"utm_{_word(rng, 5)}"] = " ".join(_word(rng, 6) for _ in range(3))
    return text


def _word(rng: random.Random, letters: int) -> str:
    return "".join(rng.choices(LETTERS, k=letters))
