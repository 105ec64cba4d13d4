"""Read the legal order of each kind's statuses, and whether the deadline's clock runs in them."""

from functools import cache
from typing import Literal

from schemas.reference.table import Dated, rows

STANDINGS = Literal["open", "paused", "closed"]


class StatusRule(Dated, frozen=True, kw_only=True):
    """A status of a kind, with its standing and the statuses that may follow.

    `next` has their codes, separated by spaces. `open`: work continues and the clock runs;
    `paused`: it waits for the citizen and the clock stops; `closed`: work is over. The first known
    step of an entity is not checked: a source may be connected in the middle of its history.
    """

    kind: str
    status: str
    standing: STANDINGS
    next: str = ""

    @property
    def followers(self) -> tuple[str, ...]:
        """Return the codes that may come next."""
        return tuple(self.next.split())


@cache
def statuses(kind: str) -> tuple[StatusRule, ...]:
    """Return the statuses of a kind that are valid today.

    There are none for a kind whose entities have no steps.
    """
    return tuple(
        row for row in rows("statuses", StatusRule) if row.kind == kind and row.valid(None)
    )
