"""What a slice is: its columns, the tiers of its rows, and the state of its tables."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from dashboard.history.periods import GOES_ON
from dashboard.query.clock import Picture
from schemas.clickhouse.columns import MOMENT, Column
from schemas.clickhouse.retention import LOOKBACK
from schemas.clickhouse.sql import at
from schemas.moments import milliseconds

LIGHT = " CODEC(T64, LZ4)"
"""Codec of numbers and moments: a quarter larger than ZSTD, read in three fifths of the time."""
GENTLY = " SETTINGS max_threads = 1"
MONTH = timedelta(days=31)
"""How far figures look back, with a day to spare."""
Marks = tuple[tuple[int, ...], ...]


class Tier(IntEnum):
    """What needs a row of a slice; rows are sorted by it, so that most queries read only a part."""

    MONTH = 0
    """Figures of any moment need it: open, or closed, begun or changed within the last month."""
    UNIT = 1
    """A copy of one row of the tiers below per agency and commune, so that figures by unit have a
    group for every unit.
    """
    LOOKBACK = 2
    """Figures of a month ago need it."""
    REST = 3
    """Only lists of all records need it."""


SPAN = (
    Column("ends", "Date", "The day on which it no longer holds."),
    Column("begins", MOMENT, "Since when it may hold."),
)
"""Sort columns after the tier: they narrow the rows that a moment reads, in both pictures."""


@dataclass(eq=False)
class Slice:
    """The tables of one period."""

    since: datetime
    until: datetime
    marks: Marks
    """How far lives had been derived when it was made: partition, rules, epoch, offset."""
    name: str
    versions: str | None = None
    """Name of the table of lives that were known in several versions; None until it is made, and if
    there are too many of them.
    """
    made: float = field(default_factory=time.monotonic)
    checked: dict[tuple[Picture, datetime], tuple[float, tuple[str, ...]]] = field(
        default_factory=dict
    )
    """Entities with newer events that a moment can see, with the time of the check."""
    late: tuple[tuple[str, int, int], ...] = ()
    """Steps that arrived after their successor: entity, arrival of the successor, own arrival (ms
    since 1970).
    """
    _mixed: tuple[datetime, list[str]] | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is the slice of the open period, which reaches the present."""
        return self.until == GOES_ON

    def mixed(self, moment: datetime) -> list[str]:
        """Return the entities whose lives were known in another version at a moment.

        At that moment a step had not arrived and its successor had.
        """
        known = self._mixed
        if known is None or known[0] != moment:  # a page calls this two dozen times
            ms = milliseconds(moment)
            known = self._mixed = (
                moment,
                sorted({one for one, since, until in self.late if since <= ms < until}),
            )
        return known[1]


class SliceView(NamedTuple):
    """A slice that serves a moment, and the entities that have newer events than it."""

    slice: Slice
    newer: tuple[str, ...] = ()


def ddl(columns: Iterable[Column]) -> str:
    """Return columns as DDL; numbers and moments of two bytes or more get the codec `LIGHT`."""
    kept = [
        (one, LIGHT if re.search(r"\bU?Int(16|32|64)|DateTime", one.type) else "")
        for one in columns
    ]
    return f"({', '.join(f'`{one.name}` {one.type}{codec}' for one, codec in kept)})"


def tier_sql(since: datetime, until: datetime) -> str:
    """Return SQL for the tier of a row in the slice of a period."""

    def is_over(back: timedelta) -> str:
        closed = "greatest(assumeNotNull(closed_at), started_at, since, received_at)"
        return (
            f"standing = 'closed' AND {closed} <= {at(since - back)} "
            f"AND least(until, next_received_at) > {at(until)}"
        )

    holds = f"greatest(until, next_received_at) > {at(since)}"
    tiers = (
        f"{holds} AND NOT ({is_over(MONTH)}), {Tier.MONTH:d}, "
        f"NOT ({is_over(LOOKBACK)}), {Tier.LOOKBACK:d}, {Tier.REST:d}"
    )
    return f"CAST(multiIf({tiers}) AS UInt8)"
