"""Our worker as Lambda runs it: batches of the deliveries queue, one after the other, through the function's own door.

`python worker.py <database>`: works until it is ended. The table and the queue are the embedded cloud's, on disk.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from local.clock import Clock
from local.records import message_id, queue_record
from local.world import World

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "DeliveriesQueue"
IDLE = 0.002
"""Seconds between two looks into an empty queue; SQS would hold the call."""


def main(database: str) -> None:
    logging.disable()
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"  # neither worker of the pair writes its log
    world = World(ROOT, data=database, clock=Clock.real(), overrides={"LEADWIRE_PRIVATE_TARGETS": "true"})
    batch = next(one.batch_size for one in world.stack.queue_mappings if one.queue == QUEUE)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    print("ready", flush=True)
    with Path(os.devnull).open("w") as metrics, redirect_stdout(metrics):  # written, but not into a pipe that fills up
        while not stopping:
            _work(world, batch)
    world.close()


def _work(world: World, batch: int) -> None:
    messages = world.queues.receive(QUEUE, batch)
    if not messages:
        time.sleep(IDLE)
        return
    event = {"Records": [queue_record(message, QUEUE) for message in messages]}
    failures = world.invoke("DeliverWebhooks", event)["batchItemFailures"]
    failed = {failure["itemIdentifier"] for failure in failures}
    world.queues.delete([message for message in messages if message_id(message) not in failed])


if __name__ == "__main__":
    main(sys.argv[1])
