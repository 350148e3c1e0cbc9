"""The embedded cloud: template.yaml, run by Python on one SQLite file. Nothing in `leadwire` imports it.

__main__.py    `python -m local serve|stop`          world.py       World: all of it in one object, with a clock
server.py      HTTP in front of a world              pumps.py       threads that run a world's stations
worker.py      the process that these threads have   demo.py        the tenant that a fresh Leadwire begins with
console.py     one readable line per log line

template.py    template.yaml as a Stack              gateway.py     HTTP API, payload format 2.0; routes.py
resources.py   what each resource type means         runtime.py     Lambda: handlers, contexts, failures
intrinsics.py  Ref, GetAtt, Sub, If …                stream.py      the table's stream to a function
description.py the Stack, typed                      consumers.py   a queue to a function
lines.py, sam.py  lines for errors; the translator   queues.py      SQS; records.py: the shapes of both
clock.py       time that can be moved                bus.py         EventBridge; patterns.py: its patterns
vault.py       secrets under a key file              invocations.py, schedules.py, housekeeping.py

cloud.py, stack.py, invoke.py  the other lane: the same template, really deployed to an emulator
"""
