"""What schemathesis cannot know of our values, so that most of what it sends gets past the first check.

Phones that can be dialled and addresses that can take mail, few enough to meet again; Idempotency-Keys that no other
request had, because a stored answer is not what the store looks like now; and ids of records that are there.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict, deque
from typing import Any

import schemathesis
from hypothesis import strategies as st

KEPT = 20
BORN: dict[str, tuple[str, ...]] = {
    "POST /v1/lists": ("list_id",),
    "POST /api/v1/pipelines": ("pipeline_id",),
    "POST /api/v1/pipelines/{pipeline_id}/stages": ("pipeline_stage_id", "stage_id"),
    "POST /api/v1/users": ("assigned_user_id",),
}
"""Operation to the fields that name what it makes."""
known: dict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=KEPT))

schemathesis.openapi.format("phone", st.integers(0, 99).map("+141555501{:02}".format))
schemathesis.openapi.format("idn-email", st.from_regex(r"[a-z]{1,2}@(example\.com|exämple\.org)", fullmatch=True))
schemathesis.openapi.format("iri", st.from_regex(r"https://hooks\.example\.com/[a-z]{1,3}", fullmatch=True))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Only what is right already: what is wrong on purpose stays so."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance(case.body, dict):
        there = {name: random.choice(known[name]) for name in case.body if known[name]}
        case.body |= {name: value for name, value in there.items() if case.body[name] is not None}


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    for name in BORN.get(case.operation.label, ()):
        if response.status_code == 201:
            body = response.json()
            known[name].append(body.get("data", body)["id"])
