"""Made-up leads, the same on every machine: skewed as those of a business are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from leadwire.leads import model
from leadwire.leads.model import Lead

START_MS = 1_700_000_000_000
APART_MS = 20_000
"""Between two creations on average."""
SOURCES = (
    "website", "facebook", "google", "referral", "instagram", "phone", "event", "partner", "email", "linkedin", "api",
    "walk-in",
)  # fmt: skip
STATUS_WEIGHTS = (40, 22, 12, 8, 10, 5, 3)
PIPELINES, STAGES, USERS, TAGS, AREAS = 5, 6, 40, 200, 300
DOMAINS = (
    "gmail.com",
    "yahoo.com",
    "outlook.com",
    "icloud.com",
    "example.com",
    "example.org",
    "aol.com",
    "example.net",
)
FIRST_NAMES, LAST_NAMES = 1500, 4000
ONSETS = [*"mjasdcrlbktnehpgwvf", "st", "br", "ch"]
NUCLEI = ["a", "e", "i", "o", "u", "ar", "an", "er", "in", "on", "el", "ie"]
DELETED, CHANGED, ASSIGNED, STARRED = 0.01, 0.6, 0.8, 0.03
"""Shares of all leads."""


def made_up(count: int, seed: int = 1) -> Iterator[Lead]:
    """Stored leads 1 to `count`, in order of creation. About one in a hundred numbers is missing: deleted."""
    r = random.Random(seed)
    first_names, last_names = names(random.Random(2), FIRST_NAMES), names(random.Random(3), LAST_NAMES)
    choices = zip(
        _endless(r, first_names, long_tail(FIRST_NAMES)),
        _endless(r, last_names, long_tail(LAST_NAMES)),
        _endless(r, model.STATUSES, STATUS_WEIGHTS),
        _endless(r, SOURCES, long_tail(len(SOURCES))),
        _endless(r, range(1, PIPELINES * STAGES + 1), long_tail(PIPELINES * STAGES)),
        _endless(r, range(1, USERS + 1), long_tail(USERS)),
        _endless(r, [f"tag-{number}" for number in range(TAGS)], long_tail(TAGS)),
        _endless(r, [f"tag-{number}" for number in range(TAGS)], long_tail(TAGS)),
        _endless(r, range(200, 200 + AREAS), long_tail(AREAS)),
        _endless(r, DOMAINS, long_tail(len(DOMAINS))),
        strict=True,
    )
    at = START_MS
    for number, chosen in zip(range(1, count + 1), choices, strict=False):
        at += r.randrange(2 * APART_MS)
        lead = _lead(r, number, at, chosen)
        if r.random() >= DELETED or number == count:
            yield lead


def _lead(r: random.Random, number: int, at: int, chosen: Sequence[Any]) -> Lead:
    first, last, status, source, stage, user, tag, other_tag, area, domain = chosen
    return Lead(
        number=number,
        version=1,
        event=f"{number:026d}",
        created_at=at,
        updated_at=at + r.randrange(90 * 86_400_000) * (r.random() < CHANGED),
        first_name=first,
        last_name=last,
        email=f"{_mailbox(r, first.lower(), last.lower())}@{domain}",
        phone=f"+1{area}{r.randrange(2_000_000, 10_000_000)}",
        status=status,
        source=source,
        pipeline_id=1 + (stage - 1) // STAGES,
        stage_id=stage,
        assigned_user_id=user if r.random() < ASSIGNED else None,
        score=r.randrange(101),
        starred=r.random() < STARRED,
        tags=model.with_tags((), (tag, other_tag)[: r.choice((0, 1, 1, 2))]),
    )


def _mailbox(r: random.Random, first: str, last: str) -> str:
    both = f"{first}{last}{r.randrange(100)}"
    return r.choice((f"{first}.{last}", f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}", both))


def names(r: random.Random, count: int) -> list[str]:
    """Different names of two or three syllables, the short and the common sounds first."""
    syllables = [onset + nucleus for onset, nucleus in itertools.product(ONSETS, NUCLEI)]
    weights = [a * b for a in long_tail(len(ONSETS)) for b in long_tail(len(NUCLEI))]
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(r.choices(syllables, weights, k=r.choice((2, 2, 3)))).capitalize()] = None
    return list(found)


def long_tail(count: int) -> list[float]:
    """Weights that fall off as the names, tags and cities of the world do: the n-th by about 1/n."""
    return [1 / (rank + 3) for rank in range(count)]


def _endless[Choice](r: random.Random, choices: Sequence[Choice], weights: Sequence[float]) -> Iterator[Choice]:
    totals = list(itertools.accumulate(weights))
    while True:
        yield from r.choices(choices, cum_weights=totals, k=1000)
