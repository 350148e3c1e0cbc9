"""By what a lead is found, and that a short search never reads what every lead has for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadwire.leads import terms
from leadwire.leads.model import Lead
from leadwire.leads.terms import Beginning

ANN = Lead(first_name="Ann Mary", last_name="Lee", email="Ann.Lee@Example.com", phone="+14155550123")


def test_a_lead_is_in_a_set_for_each_thing_that_can_be_filtered_by() -> None:
    lead = Lead(
        source="web", pipeline_id=1, stage_id=2, assigned_user_id=3, starred=True, tags=("a", "b"), lists=("l",)
    )
    assert {"all", "status=new", "source=web", "pipeline=1", "stage=2", "user=3", "starred"} < set(terms.facets(lead))
    assert {"tag=a", "tag=b", "list=l"} < set(terms.facets(lead))
    assert list(terms.facets(Lead())) == ["all", "status=new"]


def test_tokens_are_words_their_beginnings_and_parts_of_the_phone() -> None:
    assert terms.tokens(ANN) == {
        *("nann", "nmary", "nlee", "nexample.com"),
        *("tann", "tmar", "tlee", "texa"),
        *("q1-4155", "l0123", "p4155550123+1"),
    }
    assert terms.tokens(Lead()) == set()


FOUND = [
    *("a", "an", "ann", "mary", "lee an", "LEE", "ann.", "ann.lee@ex", "example.com", "exa"),
    *("4", "415", "4155", "41555", "4155550123", "1", "1415", "14155", "+1 (415) 555", "0123", "01"),
]
NOT_FOUND = ["anne", "nn", "lee bob", "lee@", "com", "555", "1555", "01234", "123", "+44", "zz", "ann 0123", "25555"]


@pytest.mark.parametrize("text", ["bea", "be", "bea.b@ex", "example.org", "151", "49151", "+49 151", "5678"])
def test_a_lead_is_found_by_what_the_leads_had_that_became_part_of_it(text: str) -> None:
    survivor = replace(ANN, other_emails=("bea.b@example.org",), other_phones=("+4915112345678",))
    assert terms.meets(survivor, terms.search(text, phones=True))
    assert not terms.meets(ANN, terms.search(text, phones=True))


@pytest.mark.parametrize("text", FOUND)
def test_a_lead_is_found_by_beginnings_of_its_words_and_its_phone(text: str) -> None:
    assert terms.meets(ANN, terms.search(text, phones=True))


@pytest.mark.parametrize("text", NOT_FOUND)
def test_a_lead_is_not_found_by_anything_else(text: str) -> None:
    assert not terms.meets(ANN, terms.search(text, phones=True))


def test_a_phone_is_found_only_where_phones_are_searched() -> None:
    assert not terms.meets(ANN, terms.search("4155", phones=False))


@pytest.mark.parametrize("text", ["a", "an", "ann", "a.b", "mary", "4", "41", "415", "4155", "1415"])
def test_a_short_search_reads_what_leads_share(text: str) -> None:
    kinds = {one.kind for groups in terms.search(text, phones=True) for group in groups for one in group}
    assert kinds.isdisjoint({terms.PHONE, terms.EMAIL})


def test_a_calling_code_that_is_complete_asks_for_numbers_of_that_country_only() -> None:
    phone = terms.search("+1 415 55", phones=True)[1][0]
    assert phone == (Beginning(terms.PHONE, "141555"), Beginning(terms.PHONE, "41555", "1"))


def test_blanks_are_no_search() -> None:
    assert terms.search("  ", phones=True) == []


@pytest.mark.parametrize("sort", terms.SORTS)
def test_every_sort_value_is_a_text_for_any_lead(sort: str) -> None:
    assert isinstance(terms.SORT_VALUES[sort](Lead()), str)


def test_scores_sort_as_numbers_do() -> None:
    scores = [-(10**9), -5, 0, 3, 20, 10**9]
    texts = [terms.SORT_VALUES["score"](Lead(score=score)) for score in scores]
    assert texts == sorted(texts)
