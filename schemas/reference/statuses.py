"""The legal order of the statuses of each kind, and whether the deadline's clock runs in them."""

from functools import cache
from typing import Literal

from schemas.reference.table import Dated, rows

STANDINGS = Literal["open", "paused", "closed"]


class StatusRule(Dated, frozen=True, kw_only=True):
    """A status of a kind: how an entity stands in it, and which statuses may follow (codes, separated by spaces).

    `open`: work goes on and the clock runs; `paused`: it waits for the citizen and the clock stands still; `closed`: work is over.
    The first step that is known of a life is not judged: a source may be connected in the middle of it.
    """

    kind: str
    status: str
    standing: STANDINGS
    next: str = ""

    @property
    def followers(self) -> tuple[str, ...]:
        """The codes that may come next."""
        return tuple(self.next.split())


@cache
def statuses(kind: str) -> tuple[StatusRule, ...]:
    """The statuses of a kind that hold today; none for a kind whose entities have no life of steps."""
    return tuple(
        row for row in rows("statuses", StatusRule) if row.kind == kind and row.valid(None)
    )
