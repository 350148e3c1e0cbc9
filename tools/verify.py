"""Verifies deliveries with somebody else's library; runs in .tools/verifiers.

stdin: `{library, deliveries: [{secret, headers, body}]}`; stdout: for each, a line "accepted" or why not.
"""
# ruff: noqa: INP001, T201  # a script, whose answer is what it prints

from __future__ import annotations

import importlib
import json
import sys

asked = json.load(sys.stdin)
library = importlib.import_module(asked["library"]).Webhook
for delivery in asked["deliveries"]:
    try:
        library(delivery["secret"]).verify(delivery["body"], delivery["headers"])
    except Exception as refusal:  # noqa: BLE001  # each library has a name of its own for it
        print(f"refused: {refusal}")
    else:
        print("accepted")
