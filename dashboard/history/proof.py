"""Prove that a replay shows what the screens showed.

Recorded snapshots (`schemas.figures.snapshots`) are compared with the replay of their moments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from dashboard.history.lives import PastLives
from dashboard.history.past import PastConnection
from dashboard.query.clock import Replay
from dashboard.query.connection import Connection
from schemas.clickhouse.retention import HORIZONS
from schemas.clickhouse.sql import at
from schemas.clickhouse.working_time import calendar_row
from schemas.figures.snapshots import SNAPSHOTS, rules, take
from schemas.reference import calendar

WHOLE = f"moment >= (SELECT max(whole_from) FROM {HORIZONS.name})"
"""SQL condition: a moment can still be replayed."""


@dataclass(frozen=True)
class Recorded:
    """A snapshot as it was recorded."""

    moment: datetime
    hash: int
    rules: int
    readings: int


@dataclass(frozen=True)
class Proof:
    """Compares snapshots with replays.

    Every method may raise `dashboard.query.connection.UnreachableError`.
    """

    connection: Connection
    province: str

    def recorded(self, since: datetime, until: datetime, limit: int = 1_000_000) -> list[Recorded]:
        """Return the snapshots of a period that can still be replayed, newest first.

        The end of the period is included.
        """
        rows = self.connection.tuples(
            f"SELECT moment, hash, rules, readings FROM {SNAPSHOTS.name} FINAL "
            f"WHERE moment >= {at(since)} AND moment <= {at(until)} AND {WHOLE} "
            f"ORDER BY moment DESC LIMIT {limit:d}"
        )
        return [Recorded(*row) for row in rows]

    def count(self) -> tuple[int, datetime | None]:
        """Return the number of snapshots that can be replayed, and the moment of the first."""
        ((count, first),) = self.connection.tuples(
            f"SELECT count(), minOrNull(moment) FROM {SNAPSHOTS.name} FINAL WHERE {WHOLE}"
        )
        return count, first

    def comparable(self, one: Recorded) -> bool:
        """Tell whether a snapshot was taken by the rules that apply now."""
        return one.rules == self.rules

    def same(self, one: Recorded, lives: PastLives | None = None) -> bool:
        """Tell whether the replay of a snapshot's moment, as known then, has the same hash."""
        past = PastConnection(self.connection, self.province, Replay(one.moment), lives)
        return take(past.tuples, one.moment, calendar(self.province)).hash == one.hash

    def all(
        self, found: list[Recorded], on_progress: Callable[[int], None]
    ) -> Iterator[tuple[Recorded, bool | None]]:
        """Yield each snapshot and whether its replay matches; None if it cannot be compared."""
        lives = PastLives(self.connection, self.province)
        for number, one in enumerate(found):
            yield one, self.same(one, lives) if self.comparable(one) else None
            on_progress(number + 1)

    @cached_property
    def calendar(self) -> int:
        """The number of the calendar in `working_weeks`."""
        return calendar_row(calendar(self.province))[0]

    @cached_property
    def rules(self) -> int:
        """A hash of the rules by which a snapshot would be taken now."""
        return rules(calendar(self.province), self.calendar)
