"""Leads are merged and part again in any order that there is: in the end each is what it was, and knows who it is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, note, settings
from hypothesis import strategies as st

from leadwire import lists, pipelines, tags
from leadwire.context import Ctx
from leadwire.errors import Conflict
from leadwire.leads import merging, service, store
from leadwire.leads.model import Lead
from leadwire.store.database import MEMORY
from tests import factories, invariants
from tests.factories import Clock

BOOKKEEPING = ("version", "event", "updated_at")
LEADS = 5
TAGS = ("vip", "hot", "cold")
EMAILS = ("", "a@example.com", "A@example.com", "b@example.com", "c@example.com")
PHONES = ("", "+14155550001", "+14155550002", "+14155550003")
CHOICES = ("email", "phone", "company", "status", "pipeline_id", "stage_id", "notes")


def person(r: random.Random, list_ids: Sequence[str]) -> Lead:
    """With much that others have too."""
    pipeline, stage = r.choice(((None, None), (1, None), (1, 1), (1, 2), (2, None)))
    phone = r.choice(PHONES)
    return Lead(
        first_name=r.choice(("Ann", "Bo")),
        email=r.choice(EMAILS),
        phone=phone,
        phone_given=r.choice(("", phone[2:])),
        company=r.choice(("", "Acme", "Tyrell")),
        status=r.choice(("new", "lost", "converted")),
        notes=r.choice(("", "called")),
        pipeline_id=pipeline,
        stage_id=stage,
        tags=tuple(tag for tag in TAGS if r.random() < 0.5),
        lists=tuple(one for one in list_ids if r.random() < 0.5),
        custom={key: r.randrange(2) for key in "xyz" if r.random() < 0.5},
        qualification=r.choice(({}, {"summary": "wants a roof"})),
        address=r.choice(({}, {"city": "Austin"})),
    )


def shown(ctx: Ctx) -> dict[int, Lead]:
    found = store.find_many(ctx, range(1, LEADS + 1))
    return {lead.number: replace(lead, **dict.fromkeys(BOOKKEEPING, 0)) for lead in found}


def merge_some(ctx: Ctx, r: random.Random) -> None:
    for _ in range(r.randint(1, LEADS - 1)):
        kept, gone = r.sample(sorted(shown(ctx)), 2)
        chosen = {name for name in CHOICES if r.random() < 0.3}
        note(f"merge {kept} {gone} {sorted(chosen)}")
        merging.merge(ctx, kept, gone, chosen)


def part(ctx: Ctx, r: random.Random) -> None:
    """One of those that are merged; those that are a part of a part have to wait."""
    merged = sorted({*range(1, LEADS + 1)} - {*shown(ctx)})
    r.shuffle(merged)
    for number in merged:
        try:
            merging.unmerge(ctx, number)
        except Conflict:
            continue
        note(f"unmerge {number}")
        return
    raise AssertionError("none can be undone")


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_leads_that_were_merged_and_parted_in_any_order_are_what_they_were(seed: int) -> None:
    r, clock = random.Random(seed), Clock()
    with factories.engine(MEMORY, clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        list_ids = [lists.create(ctx, name).id for name in ("one", "two")]
        pipelines.create(ctx, "Second", is_default=False, stages=())
        for tag in TAGS:
            tags.create(ctx, tag)
        for _ in range(LEADS):
            service.create(ctx, person(r, list_ids))
        before = shown(ctx)
        for _ in range(2):
            merge_some(ctx, r)
            invariants.check(engine)
            while len(shown(ctx)) < LEADS:
                part(ctx, r)
                invariants.check(engine)
            assert shown(ctx) == before
