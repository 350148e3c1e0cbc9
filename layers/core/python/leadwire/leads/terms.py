"""By what a lead is found: facets, search tokens and sort values. Pure; the index and every list are made of these.

A term is the name of one set of leads. Facets (`status=new`) are read whole, tokens (`john`) by prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .model import Lead

ALL = "all"
SORTS = ("created", "updated", "score", "first_name", "last_name", "email")
FOUR = 4
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

# A token is the letter of its kind and a text. Texts that no two leads share have kinds of their own, which a short
# search never reads: however many leads it finds, it reads the chunks of a few shared tokens.
#
#   n  words of the name, the domain of the e-mail, and what stands before the e-mail's first sign: shared by many
#   e  the whole e-mail: only for words with a sign in them, which get beyond what `n` holds of it
#   q  the first four digits of the phone, with and without the calling code, and the last four: shared by many
#   p  all digits, with and without the calling code: for searches of five digits and more


def tokens(lead: Lead) -> set[str]:
    """What a search finds the lead by."""
    texts = set(words(lead.name))
    found = set()
    if lead.email:
        whole = lead.email.casefold()[:_TEXT]
        found.add(f"e{whole}")
        texts |= {whole.rpartition("@")[2], whole[: _beginning(whole)]} - {""}
    if lead.phone:
        digits = lead.phone.removeprefix("+")
        national = digits[_calling_code(digits) :]
        found |= {f"p{digits}", f"p{national}"}
        found |= {f"q{four}" for four in (digits[:FOUR], national[:FOUR], digits[-FOUR:])}
    return found | {f"n{text}" for text in texts}


def phone_token(phone: str) -> str:
    """The token of a whole E.164 number."""
    return "p" + phone.removeprefix("+")


def words(text: str) -> list[str]:
    return [word[:_TEXT] for word in text.casefold().split()]


type Search = list[list[tuple[str, ...]]]
"""Alternatives, each a list of groups: a lead meets one in which some token prefix of every group begins a token."""


def search(text: str, *, phones: bool) -> Search:
    """All words are prefixes of words of name or e-mail; or, with `phones`, the whole is a beginning of the phone."""
    alternatives: Search = [[_word_prefixes(word) for word in words(text)]]
    if phones and _PHONE_LIKE.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        alternatives += [[(("q" if len(digits) <= FOUR else "p") + digits,)]] if digits else []
    return [groups for groups in alternatives if groups]


def meets(lead: Lead, wanted: Search) -> bool:
    """Whether the lead is found by such a search."""
    own = tokens(lead)
    return any(all(any(token.startswith(group) for token in own) for group in groups) for groups in wanted)


def _word_prefixes(word: str) -> tuple[str, ...]:
    return (f"n{word}",) if _beginning(word) == len(word) else (f"n{word}", f"e{word}")


def _beginning(text: str) -> int:
    """How many letters and digits the text begins with."""
    return next((at for at, character in enumerate(text) if not character.isalnum()), len(text))


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
