"""Tables that hold the newest steps of lives as they were at one past moment.

A page needs a tenth of a slice (`dashboard.history.slices`), and reads it two dozen times.
"""

import threading
from collections.abc import Callable, Hashable

from dashboard.history.tables import Prefix, TemporaryTables
from dashboard.query.clock import Replay
from dashboard.query.turns import holding
from schemas.clickhouse.lives import LIVES, Life

MAX_MOMENTS = 8
"""Most moments cached per kind: some megabytes of memory each."""
GRACE_SECONDS = 10.0
"""Seconds until an evicted table is dropped, as queries may still be about to read it."""


class Moments:
    """Makes and caches tables of moments. Safe to use from many threads."""

    def __init__(self, tables: TemporaryTables) -> None:
        """Start with an empty cache; `tables` creates and drops the tables."""
        self._tables = tables
        self._locks = {life: threading.Lock() for life in LIVES}
        self._kept: dict[Life, dict[tuple[Hashable, Replay], str]] = {life: {} for life in LIVES}

    def at(
        self, life: Life, replay: Replay, source: Hashable, select: Callable[[], str]
    ) -> str | None:
        """Return the table with the rows of `current_K` at a moment that figures need.

        Args:
            life: the kind of life.
            replay: the moment and the picture.
            source: identifies what the rows are selected from; each source has a table of its own.
            select: returns the SELECT that fills the table; called only if it must be made.

        Returns:
            The name of the table; None if none may be made.

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
            kept[key] = name  # the last key is the most recently used
            while len(kept) > MAX_MOMENTS:
                self._tables.drop_later(kept.pop(next(iter(kept))), GRACE_SECONDS)
            return name
