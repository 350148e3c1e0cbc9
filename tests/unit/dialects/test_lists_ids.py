"""Ids of the lists dialect are uuids: whoever spells them in capitals means the same ones (RFC 9562)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadwire import ids, lists
from leadwire.context import Ctx
from leadwire.dialects.lists.faces import FACE
from leadwire.leads import deletions, service
from leadwire.ports import Ports
from leadwire.webhooks import service as webhooks
from local import vault
from local.vault import LocalVault
from tests import doors, factories
from tests.factories import Keys


@pytest.mark.parametrize("what", ["leads", "lists", "webhooks", "bulk-jobs"])
def test_an_id_in_capitals_names_the_same_record(ports: Ports, ctx: Ctx, keys_of_families: Keys, what: str) -> None:
    sealing = factories.ctx(replace(ports, vault=LocalVault(vault.key_in(None))), ctx.tenant)
    known = {
        "leads": ids.lead_uuid(ctx.tenant.id_key, service.create(ctx, factories.draft()).lead.number),
        "lists": lists.create(ctx, "one").id,
        "webhooks": webhooks.create(
            sealing, FACE, event_types=frozenset({"lead.created"}), url="https://example.com/hook"
        ).webhook.id,
        "bulk-jobs": deletions.delete_named(ctx, [9]).id,
    }[what]
    shown = doors.send(ports, "GET", f"/v1/{what}/{known}", keys_of_families["lists"])
    in_capitals = doors.send(ports, "GET", f"/v1/{what}/{known.upper()}", keys_of_families["lists"])
    assert shown.status == 200
    assert in_capitals.body == shown.body
