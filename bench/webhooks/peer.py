"""The same job as the usual Python stack does it: Celery, Redis, requests. Runs in .tools/bench.

A task loads its delivery, signs it as Standard Webhooks has it, posts it, and writes down the attempt, the delivery's
state and the endpoint's counters in one MULTI. Acknowledged late, so that a worker that dies loses nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
import time

import redis
import requests
from celery import Celery

SOCKET = os.environ["BENCH_REDIS"]
app = Celery("peer", broker=f"redis+socket://{SOCKET}")
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_pool_limit=None,
    broker_transport_options={"max_connections": 5000},
)


@functools.cache
def table() -> redis.Redis:
    return redis.Redis(unix_socket_path=SOCKET)


@app.task(bind=True, max_retries=10)
def deliver(self, delivery_id: str) -> None:  # noqa: ANN001  # Celery binds the task
    delivery = json.loads(table().get(f"delivery:{delivery_id}"))
    webhook = json.loads(table().get(f"webhook:{delivery['webhook']}"))
    at, body = str(int(time.time())), delivery["body"].encode()
    content = f"{delivery['message_id']}.{at}.".encode() + body
    digest = hmac.new(base64.b64decode(webhook["secret"]), content, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "webhook-id": delivery["message_id"],
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    started = time.monotonic()
    try:
        response = requests.post(webhook["url"], data=body, headers=headers, timeout=10, allow_redirects=False)
        status, text = response.status_code, response.text[:20_000]
    except requests.RequestException as error:
        status, text = 0, str(error)
    _record(delivery_id, delivery, status, text, started)
    if not 200 <= status < 300:  # noqa: PLR2004  # RFC 9110, 15.3
        raise self.retry(countdown=5)


def _record(delivery_id: str, delivery: dict, status: int, text: str, started: float) -> None:
    good = 200 <= status < 300  # noqa: PLR2004  # RFC 9110, 15.3
    attempt = {"at": time.time(), "status": status, "ms": round((time.monotonic() - started) * 1000), "body": text}
    with table().pipeline(transaction=True) as several:
        several.rpush(f"attempts:{delivery_id}", json.dumps(attempt))
        several.set(f"delivery:{delivery_id}", json.dumps({**delivery, "state": "delivered" if good else "pending"}))
        several.hincrby(f"counters:{delivery['webhook']}", "successes" if good else "failures", 1)
        several.execute()
