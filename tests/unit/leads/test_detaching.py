"""Leads leave a list that was deleted, in the background, and the work comes to an end."""

from __future__ import annotations

import json
from dataclasses import replace

from leadwire import keys, lists
from leadwire.context import Ctx
from leadwire.leads import deletions, query
from leadwire.store.types import Delete
from tests import factories
from tests.factories import Kept
from tests.unit.leads.verbs import create


def test_leads_that_the_index_names_and_nobody_has_do_not_keep_the_worker_at_a_list(ctx: Ctx) -> None:
    """More of them than one message works on, so that it would find them again and again."""
    ports = replace(ctx.ports, queue=Kept())
    ctx = replace(ctx, ports=ports)
    one = lists.create(ctx, "one").id
    for number in range(60):
        create(ctx, number, lists=(one,))
    for lead in factories.leads(ports.engine):
        ports.engine.write(Delete(keys.lead(ctx.tenant.id, lead["number"])))
    facet = lists.facet(one)
    assert query.totals(ctx, [facet]) == {facet: 60}
    deletions.delete_list(ctx, one)
    waiting = [json.loads(message.body) for message in ports.queue.messages]
    ports.queue.messages.clear()
    for message in waiting:
        deletions.run(ports, message)
    assert ports.queue.messages == []
