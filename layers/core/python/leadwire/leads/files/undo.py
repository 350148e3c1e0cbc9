"""The leads that an import made go away again, but for those that somebody has changed since.

Nothing is recorded on the way: a lead that is gone needs nothing, so an undo that was cut off is simply begun again.
What the import merged into leads that were there stays, and so do the tags and lists that it made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from leadwire.context import Ctx
from leadwire.errors import Unready
from leadwire.leads import batch, store
from leadwire.store.limits import MOST_TRANSACTED
from leadwire.store.types import InvalidOperation, TransactionFailed

from . import log
from .log import FileImport

PER_STEP = MOST_TRANSACTED // batch.MOST_WRITES
ATTEMPTS = 20


@dataclass(slots=True)
class Undone:
    """What became of the leads that an import made, and the numbers of those that are still there."""

    removed: int = 0
    gone: int = 0
    """Were deleted before, by an earlier undo or by somebody else."""
    changed: list[int] = field(default_factory=list)
    """Made by the import and changed by somebody since: left."""
    merged: list[int] = field(default_factory=list)
    """Were there before the import, which merged rows into them: left as they are."""


def run(ctx: Ctx, one: FileImport, moved: Callable[[int], None]) -> Undone:
    """Remove the leads that the import made. `moved` is told how many of them were looked at. Raises Superseded.

    From now on the import does not go on; the same file can be imported again as a new one.
    """
    one = log.move(ctx, one, "undoing", "running", "done", "undoing")
    touched = Counter(number for step in log.steps(ctx, one) for number in step.changed)
    undone = Undone()
    for step in log.steps(ctx, one):
        for start in range(0, len(step.made), PER_STEP):
            _remove(ctx, step.made[start : start + PER_STEP], touched, undone)
        for number in step.made:
            touched.pop(number, None)
        moved(len(step.made))
    undone.merged = sorted(touched)
    log.move(ctx, one, "undone", "undoing")
    return undone


def _remove(ctx: Ctx, numbers: Sequence[int], touched: Counter[int], undone: Undone) -> None:
    """A transaction may also be too large in bytes: then half of the leads go first."""
    try:
        removed, left = _removed(ctx, numbers, touched)
    except InvalidOperation:
        if len(numbers) == 1:
            raise
        half = len(numbers) // 2
        _remove(ctx, numbers[:half], touched, undone)
        _remove(ctx, numbers[half:], touched, undone)
        return
    undone.removed += removed
    undone.gone += len(numbers) - removed - len(left)
    undone.changed += left


def _removed(ctx: Ctx, numbers: Sequence[int], touched: Counter[int]) -> tuple[int, list[int]]:
    """How many leads were removed, and the numbers of those that are not as the import left them."""
    for _ in range(ATTEMPTS):
        found = sorted(store.find_many(ctx, numbers), key=lambda lead: lead.number)
        mine = [lead for lead in found if lead.version == 1 + touched[lead.number]]
        left = [lead.number for lead in found if lead.version != 1 + touched[lead.number]]
        known = batch.identities_of(ctx, mine)
        if not mine:
            return 0, left
        try:
            ctx.table.transact(batch.writes(ctx, [batch.removal(ctx, lead) for lead in mine], known))
        except TransactionFailed:
            continue
        return len(mine), left
    raise Unready("The leads are being changed by too many others at once; try again")
