"""What schemathesis cannot know of our values, so that most of what it sends gets past the first check.

Phones that can be dialled and addresses that can take mail, few enough to meet again; Idempotency-Keys that no other
request had, because a stored answer is not what the store looks like now; and ids of records that are there.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

KEPT = 20
BORN: dict[str, Mapping[str, str]] = {
    "POST /v1/lists": {"list_id": "id"},
    "POST /api/v1/leads": {"lead_id": "id"},
    "POST /api/v1/pipelines": {"pipeline_id": "id", "move_to": "id"},
    "POST /api/v1/pipelines/{pipeline_id}/stages": {"pipeline_stage_id": "id", "stage_id": "id"},
    "POST /api/v1/users": {"assigned_user_id": "id", "user_id": "id"},
    "POST /api/v1/api-keys": {"api_key": "id"},
    "GET /api/v1/webhook-deliveries": {"webhook_id": "webhook_id", "event_id": "event_id"},
}
"""Operation to the fields that name what it makes or shows, and the member that they name it by."""
ENDPOINTS = "POST /api/v1/chatbots/{chatbotId}/webhooks"
OWN = "DELETE /api/v1/api-keys/{id}"
known: dict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=KEPT))
pipelines: dict[Any, Any] = {}
"""Of each stage."""
endpoints: deque[dict[str, str]] = deque(maxlen=KEPT)
"""Path parameters of webhooks, which hang under a chatbot."""

schemathesis.openapi.format("phone", st.integers(0, 99).map("+141555501{:02}".format))
schemathesis.openapi.format("idn-email", st.from_regex(r"[a-z]{1,2}@(example\.com|exämple\.org)", fullmatch=True))
schemathesis.openapi.format("iri", st.from_regex(r"https://hooks\.example\.com/[a-z]{1,3}", fullmatch=True))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Only what is right already: what is wrong on purpose stays so. But nobody revokes the key of all these calls."""
    if case.operation.label == OWN:
        case.path_parameters["id"] = known["api_key"].pop() if known["api_key"] else "key_0"
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if endpoints and "webhookId" in (case.path_parameters or {}):
        case.path_parameters |= random.choice(endpoints)
    for sent in (case.body, case.query):
        if isinstance(sent, dict):
            _name_what_is_there(sent)


def _name_what_is_there(sent: dict[str, Any]) -> None:
    there = {name: random.choice(known[name]) for name in sent if known[name]}
    sent |= {name: value for name, value in there.items() if sent[name] is not None}
    if {"pipeline_id", "pipeline_stage_id"} <= sent.keys() and sent["pipeline_stage_id"] in pipelines:
        sent["pipeline_id"] = pipelines[sent["pipeline_stage_id"]]
    if "tenant" in sent:
        sent["tenant"] = "fuzz"
    if sent.get("slug"):
        sent["slug"] = uuid.uuid4().hex
    if sent.get("since"):
        sent["since"] = datetime.now(UTC).date().isoformat()


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    if case.operation.label == ENDPOINTS and response.status_code == 201:
        endpoints.append({**case.path_parameters, "webhookId": response.json()["webhook"]["id"]})
    names = BORN.get(case.operation.label)
    if not names or response.status_code not in (200, 201):
        return
    body = response.json()
    data = body.get("data", body)
    for record in data if isinstance(data, list) else [data]:
        for name, member in names.items():
            known[name].append(record[member])
        if "stage_id" in names:
            pipelines[record["id"]] = record["pipeline_id"]
