"""The names by which a file means records of the tenant: lists, stages of pipelines, users."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from leadwire import lists, pipelines, records, users
from leadwire.context import Ctx
from leadwire.leads import placement
from leadwire.leads.model import Lead
from leadwire.leads.service import Requirement
from leadwire.pipelines import Board, Stage


class Unknown(Exception):
    """The tenant has no such record. The message says which there are."""


@dataclass(slots=True)
class Names:
    """What the tenant has, read once. Lists that are missing are made when they are first named, unless `dry`."""

    ctx: Ctx
    dry: bool
    lists: dict[str, str]
    """Id and lower-case name to id."""
    boards: list[Board]
    users: dict[str, int]
    """Address to number."""
    new_lists: list[str] = field(default_factory=list)

    def list_id(self, name: str) -> str:
        """The list of this id or name."""
        known = self.lists.get(name.casefold())
        if known is None:
            self.new_lists.append(name)
            known = str(uuid.uuid4()) if self.dry else lists.create(self.ctx, name).id
            self.lists[name.casefold()] = known
        return known

    def stage(self, pipeline: str, stage: str) -> tuple[int | None, Stage | None]:
        """The pipeline's number, and the stage in it, if one is named. Raises Unknown."""
        boards = [board for board in self.boards if not pipeline or _same(board.pipeline.name, pipeline)]
        if not boards:
            raise Unknown(f"is no pipeline: there {_are([board.pipeline.name for board in self.boards])}")
        if not stage:
            return boards[0].pipeline.id, None
        found = [one for board in boards for one in board.stages if _same(one.name, stage)]
        if len(found) == 1:
            return found[0].pipeline_id, found[0]
        if found:
            raise Unknown("is a stage of more than one pipeline: name the pipeline too")
        raise Unknown(f"is no stage there: there {_are([one.name for board in boards for one in board.stages])}")

    def user(self, email: str) -> int:
        """Raises Unknown."""
        found = self.users.get(email.casefold())
        if found is None:
            raise Unknown("is no user's e-mail address")
        return found

    def requirements(self, lead: Lead) -> list[Requirement]:
        """What must exist when the lead is written."""
        own = [Requirement(lists.exists(self.ctx, id_), "list") for id_ in lead.lists]
        return own + placement.requirements(self.ctx, lead)


def read(ctx: Ctx, *, dry: bool = False) -> Names:
    """Three queries."""
    by_name = {key: one.id for one in reversed(lists.every(ctx)) for key in (one.name.casefold(), one.id)}
    known_users = {user.email.casefold(): user.id for user in records.every(ctx, users.USERS)}
    return Names(ctx, dry, by_name, pipelines.every(ctx), known_users)


def _same(a: str, b: str) -> bool:
    return a.casefold() == b.casefold()


def _are(names: list[str]) -> str:
    return f"are {', '.join(dict.fromkeys(names))}" if names else "is none"
