"""A tenant: its slug is its own, and it starts with what leads need."""

from __future__ import annotations

import pytest

from leadwire import chatbots, keys, stages, tenants
from leadwire.context import Ctx, Tenant
from leadwire.errors import Conflict, InvalidInput, NotFound
from leadwire.ports import Ports
from leadwire.store.table import ForeignKey
from leadwire.store.types import Key
from tests import factories


def test_a_tenant_is_found_by_its_id_and_by_its_slug(ports: Ports) -> None:
    made = tenants.create(ports, "acme-roofing", "Acme Roofing", region="DE")
    assert tenants.load(ports, made.id) == made
    assert tenants.by_slug(ports, "acme-roofing") == made


def test_a_slug_names_one_tenant_only(ports: Ports) -> None:
    tenants.create(ports, "acme", "First")
    before = factories.items(ports.engine)
    with pytest.raises(Conflict):
        tenants.create(ports, "acme", "Second")
    assert factories.items(ports.engine) == before


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a b", "ä", "a" * 64, "a\n", "a/b"])
def test_a_slug_that_could_not_be_a_host_name_is_refused(ports: Ports, slug: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        tenants.create(ports, slug, "Name")
    assert refused.value.errors[0].path == "slug"


@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a" * 63])
def test_a_slug_that_could_be_a_host_name_is_taken(ports: Ports, slug: str) -> None:
    assert tenants.create(ports, slug, "Name").slug == slug


def test_unknown_tenants_are_not_found(ports: Ports) -> None:
    with pytest.raises(NotFound):
        tenants.load(ports, "0" * 16)
    with pytest.raises(NotFound):
        tenants.by_slug(ports, "nobody")


def test_every_tenant_is_listed_by_slug(ports: Ports) -> None:
    made = {slug: tenants.create(ports, slug, slug.upper()) for slug in ("b", "a", "c")}
    assert list(tenants.every(ports)) == [(made["a"], "A"), (made["b"], "B"), (made["c"], "C")]


def test_a_tenant_starts_with_a_chatbot_and_a_pipeline_that_has_a_won_and_a_lost_stage(ctx: Ctx) -> None:
    assert ctx.table.get(Key(keys.chatbots(ctx.tenant.id), chatbots.DEFAULT))
    found = [stages.find(ctx, number) for number in range(1, 7)]
    assert [stage.status if stage else "none" for stage in found] == [None, None, None, "converted", "lost", "none"]


def test_two_tenants_have_different_keys_for_their_ids(ports: Ports) -> None:
    assert tenants.create(ports, "a", "A").id_key != tenants.create(ports, "b", "B").id_key


def test_a_tenants_table_reaches_no_other_tenants_item(ports: Ports, ctx: Ctx) -> None:
    other: Tenant = tenants.create(ports, "other", "Other")
    with pytest.raises(ForeignKey):
        ctx.table.get(keys.tenant(other.id))
