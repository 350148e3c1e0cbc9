"""What an import would do to each row, without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import batched, count
from operator import attrgetter
from typing import Literal

from leadwire.context import Ctx, Tenant
from leadwire.leads import batch, identity, store
from leadwire.leads.batch import Identities
from leadwire.leads.model import Lead
from leadwire.store.limits import MOST_GOT

from .log import Refusal
from .rows import Duplicates, Row, checked, one_person

FIRST_NEW = 10**12
"""The leads that an import makes have higher numbers than those that are there: `keys.numbered` has twelve digits."""
AT_ONCE = MOST_GOT // 2
"""Rows whose identities are one batch read."""

type Fate = Literal["created", "merged", "skipped", "refused"]


def fates(ctx: Ctx, rows: Iterable[Row | Refusal], duplicates: Duplicates) -> Iterator[tuple[Row | Refusal, Fate]]:
    """Each row with what would become of it. Only the import itself finds out that a lead has no room for a merge."""
    future = _Future(ctx.tenant)
    for some in batched(map(checked, rows), AT_ONCE, strict=False):
        future.learn(ctx, batch.identities_of(ctx, [row.draft for row in some if isinstance(row, Row)]))
        for row in some:
            if isinstance(row, Refusal):
                yield row, "refused"
            elif duplicates == "keep" or not future.meets(row.draft, merging=duplicates == "merge"):
                yield row, "created"
            else:
                yield row, "merged" if duplicates == "merge" else "skipped"


@dataclass(slots=True)
class _Someone:
    """A lead that is or would be there: its number, and whether it has an e-mail address and a phone."""

    number: int
    email: bool
    phone: bool


@dataclass(slots=True)
class _Future:
    """Who would have which identity: a few bytes for each that the file has named so far."""

    tenant: Tenant
    stored: dict[int, _Someone] = field(default_factory=dict)
    """The leads of the table that rows are about, by number."""
    owners: dict[int, _Someone] = field(default_factory=dict)
    """The lowest number of those that share an identity, as `Identity.primary`; by the hash of the identity's key."""
    new: Iterator[int] = field(default_factory=lambda: count(FIRST_NEW))

    def learn(self, ctx: Ctx, known: Identities) -> None:
        """What the table says of these identities."""
        new = {one.primary for one in known.values() if one.primary} - self.stored.keys()
        for lead in store.find_many(ctx, new) if new else ():
            self.stored[lead.number] = _Someone(lead.number, bool(lead.email), bool(lead.phone))
        for key, one in known.items():
            if one.primary in self.stored:
                self.owners.setdefault(hash(key), self.stored[one.primary])

    def meets(self, draft: Lead, *, merging: bool) -> bool:
        """Whether the row is about somebody who would be there by then. It is taken in."""
        own = {kind: hash(key) for kind, key in identity.keys_of(self.tenant, draft).items()}
        by_email, by_phone = (self.owners.get(own.get(kind, 0)) for kind in ("email", "phone"))
        shared = by_phone if by_phone and one_person(draft.email, by_phone.email) else None
        someone = by_email or shared
        if someone is None or merging:
            after = someone or _Someone(next(self.new), email=False, phone=False)
            for kind, place in own.items():
                if not getattr(after, kind):
                    setattr(after, kind, True)
                    self.owners[place] = min(self.owners.get(place, after), after, key=attrgetter("number"))
        return someone is not None
