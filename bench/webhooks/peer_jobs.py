"""Puts deliveries into Redis and tasks into Celery's queue: a count on a line of stdin, their ids on one of stdout."""

from __future__ import annotations

import base64
import json
import secrets
import sys

from body import body
from peer import deliver, table


def main(url: str) -> None:
    text = body()
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    table().flushall()
    table().set("webhook:1", json.dumps({"url": url, "secret": secret}))
    print("ready", flush=True)
    for line in sys.stdin:
        ids = [secrets.token_hex(16) for _ in range(int(line))]
        for id_ in ids:
            delivery = {"webhook": "1", "message_id": f"msg_{id_}", "body": text, "state": "pending"}
            table().set(f"delivery:{id_}", json.dumps(delivery))
        for id_ in ids:
            deliver.delay(id_)
        print(json.dumps([f"msg_{id_}" for id_ in ids]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
