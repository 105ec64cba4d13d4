"""Tables with what lives hold at one moment of the past.

Of a slice (`dashboard.history.slices`) a page needs a tenth, and asks for that two dozen times.
"""

import threading
from collections.abc import Callable, Hashable

from dashboard.history.tables import Prefix, TemporaryTables
from dashboard.query.clock import Replay
from dashboard.query.turns import holding
from schemas.clickhouse.lives import LIVES, Life

MAX_MOMENTS = 8
"""Moments that are kept of a kind: in memory, some megabytes each."""
GRACE = 10.0
"""Seconds for which one that is no longer kept stays, as queries may be on their way to it."""


class Moments:
    """Makes and keeps such tables; from any thread."""

    def __init__(self, tables: TemporaryTables) -> None:
        """Keep nothing yet; `tables` makes them."""
        self._tables = tables
        self._locks = {life: threading.Lock() for life in LIVES}
        self._kept: dict[Life, dict[tuple[Hashable, Replay], str]] = {life: {} for life in LIVES}

    def at(
        self, life: Life, replay: Replay, source: Hashable, select: Callable[[], str]
    ) -> str | None:
        """Return the table with the rows of `current_K` at a moment that figures ask for.

        Args:
            life: Whose rows.
            replay: The moment.
            source: What the rows come from: of another source another table is made.
            select: Gives the SELECT that reads them, when the table is to be made.

        Returns:
            The name of the table, None where none may be made.

        Raises:
            UnreachableError: `dashboard.query.connection.UnreachableError`.
        """
        key = source, replay
        with holding(self._locks[life]):
            kept = self._kept[life]
            name = kept.pop(key, None) or self._tables.make(
                Prefix.MOMENT, f"ENGINE = Memory AS {select()}"
            )
            if name is None:
                return None
            kept[key] = name  # the last is the one that was used last
            while len(kept) > MAX_MOMENTS:
                self._tables.drop_later(kept.pop(next(iter(kept))), GRACE)
            return name
