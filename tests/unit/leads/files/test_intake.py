"""Imports of files: each row once, whatever ends them, whoever is at work too; undone but for what others changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadwire import keys, lists, tags
from leadwire.context import Ctx
from leadwire.errors import NotFound
from leadwire.leads import service
from leadwire.leads.files import foretell, intake, log, undo
from leadwire.leads.files.log import KEPT, FileImport, Refusal, Superseded
from leadwire.leads.files.rows import Duplicates, Row
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.ports import Ports
from leadwire.store.database import MEMORY
from leadwire.store.faults import FaultyEngine
from tests import factories, invariants
from tests.factories import Clock

ID = "imp_0123456789abcdef"


class Died(BaseException):
    """The process is gone."""


def row(number: int, lead: int, **fields: Any) -> Row:
    return Row(number, factories.draft(lead, **fields))


def rows(count: int) -> list[Row | Refusal]:
    """Every tenth is refused, every seventh is the lead of two rows before."""
    found: list[Row | Refusal] = []
    for number in range(2, count + 2):
        if number % 10 == 0:
            found.append(Refusal(number, "email", "must be a valid email address"))
        else:
            found.append(row(number, number - 2 if number % 7 == 0 else number, notes=f"row {number}", tags=("fair",)))
    return found


def run(ctx: Ctx, found: Sequence[Row | Refusal], duplicates: Duplicates = "merge", id_: str = ID) -> FileImport:
    """As the command does: begin or go on, with the rows that are not behind it."""
    one = log.begin(ctx, id_, "leads.csv", len(found))
    if one.state == "done":
        return one
    waiting = [row for row in found if (row.number if isinstance(row, Row) else row.row) > one.position]
    return intake.run(ctx, one, waiting, duplicates, lambda _: None)


def counts(one: FileImport) -> tuple[int, int, int, int]:
    return one.created, one.merged, one.skipped, one.refused


def leads(ctx: Ctx) -> list[Lead]:
    return [service.get(ctx, item["number"]) for item in factories.leads(ctx.ports.engine)]


def told(ctx: Ctx) -> list[tuple[str, str, str]]:
    """What the leads are, but for numbers and times."""
    return [(lead.email, lead.phone, lead.notes[:6]) for lead in leads(ctx)]


def test_each_row_becomes_a_lead_is_merged_or_refused_and_the_counts_say_so(ctx: Ctx) -> None:
    one = run(ctx, rows(60))
    assert counts(one) == (47, 7, 0, 6)
    assert (one.state, one.position, one.settled) == ("done", 61, 60)
    assert len(leads(ctx)) == 47
    assert [refusal.row for refusal in log.refusals(ctx, one)] == [10, 20, 30, 40, 50, 60]
    assert [tag.name for tag in tags.every(ctx)] == ["fair"]
    invariants.check(ctx.ports.engine)


def test_the_same_import_again_does_nothing(ctx: Ctx) -> None:
    first = run(ctx, rows(30))
    before = factories.items(ctx.ports.engine)
    assert run(ctx, rows(30)) == first
    assert factories.items(ctx.ports.engine) == before


def test_an_import_that_dies_at_any_request_goes_on_and_ends_as_if_it_had_not(ports: Ports, clock: Clock) -> None:
    """Before and after each request to the table: half done is not a state."""
    found = rows(45)
    clean = factories.ctx(ports, factories.tenant(ports, "clean"))
    clean_one = run(clean, found)
    number = 0
    while True:
        number += 1
        died = 0
        for moment in ("fail_before", "fail_after"):
            tenant = factories.tenant(ports, f"t{number}{moment[5]}")
            faulty = FaultyEngine(ports.engine)
            getattr(faulty, moment)(number, Died())
            try:
                one = run(factories.ctx(replace(ports, engine=faulty), tenant), found)
            except Died:
                died += 1
            ctx = factories.ctx(ports, tenant)
            one = run(ctx, found)
            assert counts(one) == counts(clean_one)
            assert _own(ports, ctx) == _own(ports, clean)
        if not died:
            break
    assert number > 15
    invariants.check(ports.engine)


def _own(ports: Ports, ctx: Ctx) -> list[tuple[str, str, int]]:
    """Of one tenant: who the leads are and how often each was changed."""
    prefix = keys.tenant_prefix(ctx.tenant.id)
    own = [item for item in factories.leads(ports.engine) if item["pk"].startswith(prefix)]
    return [(item["email"], item["notes"][:6], item["version"]) for item in own]


def test_of_two_runs_at_once_one_goes_on_and_the_other_is_told(ctx: Ctx) -> None:
    one = log.begin(ctx, ID, "leads.csv", 60)

    def other(_: FileImport) -> None:
        assert run(ctx, rows(60)).state == "done"

    with pytest.raises(Superseded):
        intake.run(ctx, one, rows(60), "merge", other)
    assert len({lead.email for lead in leads(ctx)}) == len(leads(ctx)) == 47


def test_a_row_whose_lead_others_change_at_the_same_time_is_tried_again(ctx: Ctx) -> None:
    """Two people merge into one lead: both notes are there."""
    service.create(ctx, factories.draft(1, notes="old"))
    faulty = FaultyEngine(ctx.ports.engine)

    class Racing(FaultyEngine):
        def batch_get(self, *args: Any, **kwargs: Any) -> Any:
            answer = super().batch_get(*args, **kwargs)
            if any(item["sk"] == "LEAD" for item in answer[0]) and not self.raced:
                self.raced = True
                service.change(ctx, 1, lambda lead: replace(lead, company="Acme"))
            return answer

        raced = False

    racing = Racing(faulty)
    own = factories.ctx(replace(ctx.ports, engine=racing), ctx.tenant)
    run(own, [row(2, 1, notes="new")])
    [lead] = leads(ctx)
    assert racing.raced
    assert (lead.company, lead.notes.splitlines()[0], lead.notes.endswith("new")) == ("Acme", "old", True)


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_merge_fills_in_what_is_lacking_and_overwrites_nothing(ctx: Ctx) -> None:
    service.create(ctx, Lead(first_name="Ann", email="ann@example.com", company="Acme", notes="old", status="lost"))
    draft = Lead(
        first_name="Anna",
        email="ANN@example.com",
        phone="+14155552671",
        company="Other",
        job_title="CEO",
        notes="new",
        tags=("vip",),
        address={"city": "Bonn"},
        custom={"a": 1},
    )
    assert counts(run(ctx, [Row(2, draft)])) == (0, 1, 0, 0)
    [lead] = leads(ctx)
    assert (lead.first_name, lead.email, lead.company, lead.status) == ("Ann", "ann@example.com", "Acme", "lost")
    assert (lead.phone, lead.job_title, lead.tags) == ("+14155552671", "CEO", ("vip",))
    assert (lead.address, lead.custom) == ({"city": "Bonn"}, {"a": 1})
    assert lead.notes.splitlines()[0] == "old"
    assert lead.notes.endswith("] new")
    invariants.check(ctx.ports.engine)


@pytest.mark.parametrize("note", ["first\nsecond", "first", "second", "later", "later\nand more"])
def test_a_note_that_the_lead_has_already_is_not_added_again(ctx: Ctx, note: str) -> None:
    notes = "first\nsecond\n[2026-11-21T09:00:00Z] later\nand more"
    service.create(ctx, factories.draft(1, notes=notes))
    run(ctx, [row(2, 1, notes=note)])
    assert [lead.notes for lead in leads(ctx)] == [notes]


@pytest.mark.parametrize("note", ["fair", "a fair", "visitor", ".*", "a fair visitor\nsecond"])
def test_a_note_that_only_stands_inside_another_is_added(ctx: Ctx, note: str) -> None:
    service.create(ctx, factories.draft(1, notes="a fair visitor"))
    run(ctx, [row(2, 1, notes=note)])
    [lead] = leads(ctx)
    assert lead.notes.startswith("a fair visitor\n[")
    assert lead.notes.endswith(f"] {note}")


def test_a_merge_that_would_be_too_large_is_refused_in_words_of_files(ctx: Ctx) -> None:
    service.create(ctx, factories.draft(1, custom={"a": "x" * 20_000}))
    one = run(ctx, [row(2, 1, custom={"b": "x" * 20_000})])
    assert [*log.refusals(ctx, one)] == [Refusal(2, "", "cannot be merged: custom must not be larger than 32 KiB")]


def test_skip_leaves_known_leads_as_they_are(ctx: Ctx) -> None:
    service.create(ctx, factories.draft(1))
    assert counts(run(ctx, [row(2, 1, notes="x"), row(3, 2), row(4, 2, notes="y")], "skip")) == (1, 0, 2, 0)
    assert [lead.notes for lead in leads(ctx)] == ["", ""]


def test_keep_makes_every_row_a_lead_of_its_own_flagged_with_the_first(ctx: Ctx) -> None:
    service.create(ctx, factories.draft(1))
    assert counts(run(ctx, [row(2, 1), row(3, 2), row(4, 2)], "keep")) == (3, 0, 0, 0)
    assert [lead.possible_duplicate_of for lead in leads(ctx)] == [None, 1, None, 3]
    invariants.check(ctx.ports.engine)


def test_two_rows_of_one_step_may_mean_the_same_lead(ctx: Ctx) -> None:
    """One names it by e-mail, the other by phone: it is changed once, by both."""
    service.create(ctx, factories.draft(1))
    by_email = Lead(email="ada1@example.com", notes="one")
    by_phone = Lead(phone="+14152000001", notes="two")
    assert counts(run(ctx, [Row(2, by_email), Row(3, by_phone)])) == (0, 2, 0, 0)
    [lead] = leads(ctx)
    assert lead.version == 2
    assert [line.rpartition(" ")[2] for line in lead.notes.splitlines()] == ["one", "two"]


def test_people_who_share_a_phone_stay_leads_of_their_own(ctx: Ctx) -> None:
    """Whoever has no address of its own is taken for the one who has the phone."""
    phone = "+14155552671"
    service.create(ctx, Lead(first_name="Ann", email="ann@example.com", phone=phone))
    found = [Row(2, Lead(email="bob@example.com", phone=phone)), Row(3, Lead(first_name="Cid", phone=phone))]
    assert counts(run(ctx, found)) == (1, 1, 0, 0)
    assert [(lead.email, lead.possible_duplicate_of) for lead in leads(ctx)] == [
        ("ann@example.com", None),
        ("bob@example.com", 1),
    ]
    invariants.check(ctx.ports.engine)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_merge_that_would_be_too_much_is_refused_and_the_others_are_stored(ctx: Ctx) -> None:
    service.create(ctx, factories.draft(1, notes="x" * 65_530))
    one = run(ctx, [row(2, 1, notes="too much"), row(3, 3)])
    assert counts(one) == (1, 0, 0, 1)
    [refusal] = log.refusals(ctx, one)
    assert (refusal.row, "65536" in refusal.message) == (2, True)


def test_a_row_that_is_more_than_a_lead_may_be_is_refused(ctx: Ctx) -> None:
    one = run(ctx, [row(2, 1, tags=tuple(map(str, range(51)))), row(3, 3)])
    assert counts(one) == (1, 0, 0, 1)


def test_large_rows_are_stored_in_smaller_steps(ctx: Ctx) -> None:
    one = run(ctx, [row(number, number, notes="é" * 50_000) for number in range(2, 22)])
    assert counts(one) == (20, 0, 0, 0)


def test_thousands_of_refusals_fit_into_the_log(ctx: Ctx) -> None:
    one = run(ctx, [Refusal(number, "email; phone", "x" * 150) for number in range(2, 3002)])
    assert one.refused == 3000
    assert [refusal.row for refusal in log.refusals(ctx, one)] == list(range(2, 3002))


def test_a_list_that_goes_away_ends_the_import_where_it_stands(ctx: Ctx) -> None:
    fair = lists.create(ctx, "Fair")
    exists = [Requirement(lists.exists(ctx, fair.id), "list")]
    found = [Row(number, factories.draft(number, lists=(fair.id,)), exists) for number in range(2, 42)]
    one = log.begin(ctx, ID, "leads.csv", 40)
    with pytest.raises(NotFound, match="List"):
        intake.run(ctx, one, found, "merge", lambda _: lists.delete(ctx, fair.id))
    stood = log.find(ctx, ID)
    assert (stood.state, 0 < stood.created < 40) == ("running", True)
    assert len(leads(ctx)) == stood.created


# --- undo -------------------------------------------------------------------------------------------------------------


def test_undo_removes_what_the_import_made_and_says_what_it_leaves(ctx: Ctx) -> None:
    service.create(ctx, factories.draft(900))
    one = run(ctx, [*rows(40), row(50, 900, notes="met")])
    changed = leads(ctx)[5].number
    service.change(ctx, changed, lambda lead: replace(lead, company="Acme"))
    service.delete(ctx, leads(ctx)[7].number)
    looked: list[int] = []
    undone = undo.run(ctx, one, looked.append)
    assert (undone.removed, undone.gone) == (one.created - 2, 1)
    assert (undone.changed, undone.merged) == ([changed], [1])
    assert sum(looked) == one.created
    assert [lead.number for lead in leads(ctx)] == [1, changed]
    assert log.find(ctx, ID).state == "undone"
    invariants.check(ctx.ports.engine)


def test_a_lead_that_later_rows_of_the_import_changed_is_removed_too(ctx: Ctx) -> None:
    one = run(ctx, [row(2, 1, notes="a"), row(3, 1, notes="b"), row(4, 1, notes="c")])
    assert counts(one) == (1, 2, 0, 0)
    assert undo.run(ctx, one, lambda _: None).removed == 1
    assert leads(ctx) == []


def test_an_undo_that_dies_at_any_request_is_begun_again_and_ends(ports: Ports) -> None:
    number, died = 0, True
    while died:
        number += 1
        tenant = factories.tenant(ports, f"undo{number}")
        ctx = factories.ctx(ports, tenant)
        one = run(ctx, rows(30))
        faulty = FaultyEngine(ports.engine)
        faulty.fail_after(number, Died())
        died = False
        try:
            undo.run(factories.ctx(replace(ports, engine=faulty), tenant), one, lambda _: None)
        except Died:
            died = True
        if log.find(ctx, ID).state != "undone":
            undo.run(ctx, log.find(ctx, ID), lambda _: None)
    assert number > 5
    assert factories.leads(ports.engine) == []


def test_what_is_undone_stays_undone(ctx: Ctx) -> None:
    one = run(ctx, rows(10))
    undo.run(ctx, one, lambda _: None)
    with pytest.raises(Superseded, match="was undone already"):
        undo.run(ctx, one, lambda _: None)
    with pytest.raises(Superseded):
        intake.run(ctx, one, rows(10), "merge", lambda _: None)


def test_an_import_under_way_stops_when_it_is_undone(ctx: Ctx) -> None:
    one = log.begin(ctx, ID, "leads.csv", 60)
    with pytest.raises(Superseded):
        intake.run(ctx, one, rows(60), "merge", lambda after: undo.run(ctx, after, lambda _: None))
    assert leads(ctx) == []


def test_imports_are_forgotten_after_thirty_days(ctx: Ctx, clock: Clock) -> None:
    run(ctx, rows(5))
    assert [one.id for one in log.every(ctx)] == [ID]
    clock.advance(KEPT)
    assert log.every(ctx) == []
    with pytest.raises(NotFound):
        log.find(ctx, ID)
    assert log.begin(ctx, ID, "leads.csv", 5).position == 0


@pytest.mark.parametrize("id_", ["", "imp_", "imp_0123456789ABCDEF", "x" * 3000])
def test_what_is_no_id_finds_nothing(ctx: Ctx, id_: str) -> None:
    with pytest.raises(NotFound):
        log.find(ctx, id_)


# --- foretelling ------------------------------------------------------------------------------------------------------

EMAILS, PHONES = ["", "a@example.com", "A@example.com", "b@example.com"], ["", "+14155552671", "+14155552672"]
people = st.builds(Lead, email=st.sampled_from(EMAILS), phone=st.sampled_from(PHONES), first_name=st.just("Ada"))


@example(
    [],
    [
        Lead(first_name="Ada", email="a@example.com"),
        Lead(first_name="Ada", phone="+14155552671"),
        Lead(first_name="Ada", email="a@example.com", phone="+14155552671"),  # the first lead has this phone too now
        Lead(first_name="Ada", email="b@example.com", phone="+14155552671"),  # and so this is somebody else
    ],
    "merge",
)
@given(st.lists(people, max_size=3), st.lists(people, max_size=8), st.sampled_from(["merge", "skip", "keep"]))
def test_what_is_foretold_is_what_comes_and_nothing_is_written(
    stored: list[Lead], drafts: list[Lead], duplicates: Duplicates
) -> None:
    clock = Clock()
    with factories.engine(MEMORY, clock) as engine:
        ports = factories.ports(engine, clock)
        ctx = factories.ctx(ports, factories.tenant(ports, "acme"))
        for draft in stored:
            service.create(ctx, draft)
        found = [Row(number, draft) for number, draft in enumerate(drafts, start=2)]
        before = factories.last_change(engine)
        fates = [fate for _, fate in foretell.fates(ctx, found, duplicates)]
        assert factories.last_change(engine) == before
        one = run(ctx, found, duplicates)
        assert tuple(fates.count(fate) for fate in ("created", "merged", "skipped", "refused")) == counts(one)
        invariants.check(engine)
