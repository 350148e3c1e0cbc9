"""By what a lead is found: facets, search tokens and sort values. Pure; the index and every list are made of these.

A term is the name of one set of leads. Facets (`status=new`) are read whole, tokens (`john`) by prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .model import Lead

ALL = "all"
SORTS = ("created", "updated", "score", "first_name", "last_name", "email")
LAST_DIGITS = 4
_TEXT = 200
"""Characters of a name or an e-mail address that sort order and search look at (index keys end at 1,024 bytes)."""
_PHONE_LIKE = re.compile(r"[\d\s()+./-]+")
_SCORE_ZERO = 10**9


# --- facets -----------------------------------------------------------------------------------------------------------


def facets(lead: Lead) -> Iterator[str]:
    """Every set that the lead is in."""
    yield ALL
    yield f"status={lead.status}"
    for name, value in (
        ("source", lead.source),
        ("pipeline", lead.pipeline_id),
        ("stage", lead.stage_id),
        ("user", lead.assigned_user_id),
        ("chatbot", lead.chatbot),
    ):
        if value:
            yield f"{name}={value}"
    if lead.starred:
        yield "starred"
    yield from (f"tag={tag}" for tag in lead.tags)
    yield from (f"list={list_id}" for list_id in lead.lists)


# --- search -----------------------------------------------------------------------------------------------------------


def tokens(lead: Lead) -> set[str]:
    """Words of the name, the e-mail and its domain (`n`), and digits of the phone (`p`), each with its kind in front.

    The local part of an e-mail is a prefix of the whole, so it needs no token of its own.
    """
    texts = [*words(lead.name)]
    if lead.email:
        whole = lead.email.casefold()[:_TEXT]
        texts += [whole, whole.rpartition("@")[2]]
    found = {f"n{text}" for text in texts}
    if lead.phone:
        found |= {f"p{digits}" for digits in _phone_tokens(lead.phone)}
    return found


def phone_token(phone: str) -> str:
    """The token of a whole E.164 number."""
    return "p" + phone.removeprefix("+")


def words(text: str) -> list[str]:
    return [word[:_TEXT] for word in text.casefold().split()]


def search_tokens(search: str, *, phones: bool) -> list[list[str]]:
    """What a search means: alternatives, each a list of token prefixes that must all be met.

    All words are prefixes of words of name or e-mail; or, with `phones`, the whole is the beginning of a phone number.
    """
    alternatives = [[f"n{word}" for word in words(search)]]
    if phones and _PHONE_LIKE.fullmatch(search):
        alternatives.append(["p" + re.sub(r"\D", "", search)])
    return [prefixes for prefixes in alternatives if prefixes]


def meets(lead: Lead, alternatives: list[list[str]]) -> bool:
    """Whether the lead is found by such a search."""
    own = tokens(lead)
    return any(all(any(token.startswith(p) for token in own) for p in prefixes) for prefixes in alternatives)


def _phone_tokens(phone: str) -> set[str]:
    """All digits, the digits after the calling code, and the last four."""
    digits = phone.removeprefix("+")
    return {digits, digits[_calling_code(digits) :], digits[-LAST_DIGITS:]}


def _calling_code(digits: str) -> int:
    """The length of the calling code in front: by the phonenumbers library's table of codes."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415  # 46 ms: only who indexes pays it

    return next((n for n in (1, 2, 3) if int(digits[:n]) in COUNTRY_CODE_TO_REGION_CODE), 0)


# --- sort orders ------------------------------------------------------------------------------------------------------


SORT_VALUES: dict[str, Callable[[Lead], str]] = {
    "created": lambda lead: f"{lead.created_at:015d}",
    "updated": lambda lead: f"{lead.updated_at:015d}",
    "score": lambda lead: f"{lead.score + _SCORE_ZERO:010d}",
    "first_name": lambda lead: lead.first_name.casefold()[:_TEXT],
    "last_name": lambda lead: lead.last_name.casefold()[:_TEXT],
    "email": lambda lead: lead.email.casefold()[:_TEXT],
}
"""Texts whose order is the order of the field; a lead without a value sorts before all others."""
