"""By what a lead is found: facets, search tokens and sort values. Pure; the index and every list are made of these.

A term is the name of one set of leads. Facets (`status=new`) are read whole, tokens (`john`) by prefix.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .model import Lead

ALL = "all"
STARRED = "starred"
SORTS = ("created", "updated", "score", "first_name", "last_name", "email")
SHORT, WORD, AREA, LAST, PHONE = "t", "n", "q", "l", "p"
"""Kinds of tokens."""
ANY_AREA, EMAIL = "a", "e"
"""What else a search may begin: what follows any calling code, and an e-mail."""
THREE, FOUR = 3, 4
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
        yield STARRED
    yield from (f"tag={tag}" for tag in lead.tags)
    yield from (f"list={list_id}" for list_id in lead.lists)


# --- search -----------------------------------------------------------------------------------------------------------

# A token is the letter of its kind and a text. A short search finds many leads, so it must not read what is different
# with each of them; that is why there are kinds, and why a search chooses its kind by its length.
#
#   t  the first three characters of every text below: for words that are no longer
#   n  words of the name, the domain of the e-mail, and the letters and digits that the e-mail begins with
#   q  the phone's calling code and the four digits that follow it: 1-4155
#   l  its last four digits
#   p  all digits with the calling code behind, 4155550123+1: for searches of five digits and more
#
# A word with a sign in it may also be the beginning of an e-mail; the sort order by e-mail is the index for that. The
# other e-mails of a lead that was merged are in no sort order: they are words.


def tokens(lead: Lead) -> set[str]:
    """What the index finds the lead by, but for the whole e-mail: of its own, and of those it was merged with."""
    texts, email = set(words(lead.name)), _email(lead)
    if email:
        texts |= {email.rpartition("@")[2], email[: _plain(email)]} - {""}
    texts |= {text for other in lead.other_emails for text in (other[:_TEXT], other.rpartition("@")[2])}
    found = {f"{WORD}{text}" for text in texts} | {f"{SHORT}{text[:THREE]}" for text in (*texts, email) if text}
    return found.union(*(_phone_tokens(phone) for phone in (lead.phone, *lead.other_phones) if phone))


def phone_token(phone: str) -> str:
    """The token of a whole E.164 number."""
    digits = phone.removeprefix("+")
    code = _calling_code(digits)
    return f"{PHONE}{digits[len(code) :]}+{code}"


def words(text: str) -> list[str]:
    return [word[:_TEXT] for word in text.casefold().split()]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Tokens of a kind that begin with a text and, if one is named, end with a calling code; or e-mails."""

    kind: str
    text: str
    code: str = ""

    def begins(self, token: str) -> bool:
        if self.kind == ANY_AREA:
            return token.startswith(AREA) and token.partition("-")[2].startswith(self.text)
        return token.startswith(self.kind + self.text) and self.ends(token)

    def ends(self, token: str) -> bool:
        return not self.code or token.endswith(f"+{self.code}")


type Search = list[list[tuple[Beginning, ...]]]
"""Alternatives, each a list of groups: a lead meets one if something that it has in every group begins so."""


@functools.lru_cache(maxsize=64)  # every pending lead is asked the same
def search(text: str, *, phones: bool) -> Search:
    """All words begin words of name or e-mail; or, with `phones`, the whole begins the phone or is its last digits."""
    found: Search = [[_word(word) for word in words(text)]]
    digits = re.sub(r"\D", "", text)
    if phones and digits and _PHONE_LIKE.fullmatch(text):
        found.append([_phone(digits)])
    return [groups for groups in found if groups]


def meets(lead: Lead, wanted: Search) -> bool:
    """Whether the lead is found by such a search."""
    own = tokens(lead) | ({EMAIL + _email(lead)} if lead.email else set())
    return any(
        all(any(beginning.begins(token) for beginning in group for token in own) for group in groups)
        for groups in wanted
    )


def _word(word: str) -> tuple[Beginning, ...]:
    if len(word) <= THREE:
        return (Beginning(SHORT, word),)
    if _plain(word) == len(word):
        return (Beginning(WORD, word),)
    return Beginning(WORD, word), Beginning(EMAIL, word)


def _phone(digits: str) -> tuple[Beginning, ...]:
    """As the beginning of a national number, as that of a number with its calling code, and as the last digits."""
    code = _calling_code(digits)
    rest = digits[len(code) :]
    found = [Beginning(PHONE, digits)] if len(digits) > FOUR else [Beginning(ANY_AREA, digits), Beginning(LAST, digits)]
    if not code:
        return (*found, Beginning(AREA, digits))
    return (*found, Beginning(PHONE, rest, code) if len(rest) > FOUR else Beginning(AREA, f"{code}-{rest}"))


def _phone_tokens(phone: str) -> set[str]:
    digits = phone.removeprefix("+")
    code = _calling_code(digits)
    return {phone_token(phone), f"{AREA}{code}-{digits[len(code) :][:FOUR]}", LAST + digits[-FOUR:]}


def _email(lead: Lead) -> str:
    return lead.email.casefold()[:_TEXT]


def _plain(text: str) -> int:
    """How many letters and digits the text begins with."""
    return next((at for at, character in enumerate(text) if not character.isalnum()), len(text))


def _calling_code(digits: str) -> str:
    """The calling code that the digits begin with; empty if there is none."""
    codes = calling_codes()
    return next((digits[:n] for n in (1, 2, 3) if digits[:n] in codes), "")


@functools.cache
def calling_codes() -> frozenset[str]:
    """By the phonenumbers library's table. None begins with another."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415  # 46 ms: only who needs it pays it

    return frozenset(str(code) for code in COUNTRY_CODE_TO_REGION_CODE)


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
