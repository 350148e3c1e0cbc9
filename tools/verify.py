"""Verifies one delivery with somebody else's library; runs in .tools/verifiers.

stdin: `{library, secret, headers, body}`; stdout: "accepted", or why not.
"""

from __future__ import annotations

import importlib
import json
import sys

asked = json.load(sys.stdin)
library = importlib.import_module(asked["library"]).Webhook
try:
    library(asked["secret"]).verify(asked["body"], asked["headers"])
except Exception as refusal:  # noqa: BLE001  # each library has a name of its own for it
    print(f"refused: {refusal}")  # noqa: T201
else:
    print("accepted")  # noqa: T201
