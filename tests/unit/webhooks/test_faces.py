from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from leadwire import ids
from leadwire.context import Tenant
from leadwire.dialects.public.conversation import conversation
from leadwire.dialects.public.faces import FACE_V2
from leadwire.dialects.public.lead_object import lead_object
from leadwire.webhooks import retry
from leadwire.webhooks.model import Webhook

TENANT = Tenant("1f0c9a7be4d25386", "acme", b"key")
LEAD = {
    "number": 5,
    "status": "follow_up",
    "first_name": "Ana",
    "last_name": "Ruiz",
    "email": "ana@example.org",
    "phone": "+15125550101",
    "source": "popup",
    "address": {"address1": "111 main st", "city": "Austin", "state": "TX", "zip": "73301", "country": "US"},
    "custom": {"message": "Roof leak", "utm_source": "bing", "gclid": "Cj0x"},
}


def test_the_lead_object_is_as_the_docs_show_it() -> None:
    assert lead_object(TENANT, LEAD) == {
        "type": "lead_created",
        "clientId": "5",
        "leadId": ids.lead_uuid(TENANT.id_key, 5),
        "companyId": TENANT.id,
        "leadQualificationStatus": "FOLLOW_UP",
        "leadInformation": {
            "name": "Ana Ruiz",
            "firstName": "Ana",
            "lastName": "Ruiz",
            "email": "ana@example.org",
            "phone": "+15125550101",
            "additionalData": {"source": "popup", "message": "Roof leak"},
        },
        "trackingData": {"source": "popup", "utm_source": "bing", "gclid": "Cj0x"},
    }


def test_a_qualification_that_is_complete_is_shown_as_published() -> None:
    shown = lead_object(TENANT, {**LEAD, "custom": {"qualification": "completed"}})
    assert (shown["type"], shown["leadQualificationStatus"]) == ("conversation_completed", "COMPLETED")
    assert "qualification" not in shown["leadInformation"]["additionalData"]


def test_an_empty_lead_shows_every_field() -> None:
    shown = lead_object(TENANT, {"number": 1, "status": "new"})
    assert shown["leadInformation"]["name"] is None
    assert shown["leadInformation"]["additionalData"] == {}
    assert shown.keys() == lead_object(TENANT, LEAD).keys()


def test_common_fields_come_from_the_address() -> None:
    assert conversation(LEAD, [])["commonFields"] == {
        "fullAddress": "111 main st, Austin TX 73301",
        "address": "111 main st",
        "zipcode": "73301",
        "state": "TX",
        "city": "Austin",
        "country": "US",
        "isHomeowner": None,
        "customerName": "Ana Ruiz",
    }


def test_the_second_generation_adds_what_tells_its_events_apart(pipeline: Any) -> None:
    webhook = Webhook(id="w", face="public_v2", event_types=frozenset({"LEAD_CREATED"}), url="https://example.com")
    event = replace(pipeline.event(), lead=LEAD)
    ctx = replace(pipeline.ctx, tenant=TENANT)
    body = json.loads(FACE_V2.render(ctx, event, webhook, "LEAD_CREATED"))
    assert lead_object(TENANT, LEAD).items() <= body.items()
    assert (body["eventType"], body["webhookId"], body["eventId"]) == ("LEAD_CREATED", "w", event.id)
    assert (body["messageHistory"], body["userMedia"]) == ([], [])
    settings = replace(pipeline.ports.settings, origin="acme")
    assert FACE_V2.headers("LEAD_CREATED", settings) == {"x-origin": "acme", "x-event-type": "LEAD_CREATED"}


def test_the_second_generation_is_published_with_ten_seconds_and_six_endpoints() -> None:
    assert (FACE_V2.timeout, FACE_V2.limit, FACE_V2.schedule in retry.SCHEDULES) == (10.0, 6, True)
