"""Where a reported figure is heading: a robust line through its reports, and what it says for the day a target is due.

The line is that of Theil and Sen: the median of the slopes between all pairs of reports, through the median of the rest. Ordinary
least squares would follow a single wrong report (a figure a thousand times too large, which is what slips happen to be); this one
bears that nearly three reports in ten are wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from statistics import median
from typing import NamedTuple

MIN_POINTS = 3
"""Fewer reports make no line: through two there is always one."""
MAX_POINTS = 60
"""The newest reports that a line goes through; all pairs of them are looked at."""
TREND_DAYS = 366
"""How far back reports count for a line: what was true years ago does not tell the next months."""
FEW_POINTS = 6
"""Unless they come once a year: so many of the newest count whatever their age."""
REACH = 4
"""A line is not drawn further ahead than this many times the span of days it rests on."""


class SeriesPoint(NamedTuple):
    """A figure of a day."""

    day: date
    value: float


@dataclass(frozen=True)
class Trend:
    """A line: `slope` in units per day, `level` at the day `at` of the newest report; it rests on `points` over `days`."""

    slope: float
    level: float
    at: date
    points: int
    days: int

    def on(self, day: date) -> float | None:
        """What the line says for a day; None beyond its reach."""
        ahead = (day - self.at).days
        return None if ahead > REACH * self.days else self.level + self.slope * ahead


def trend(series: Sequence[SeriesPoint]) -> Trend | None:
    """The line through the newest reports of a series in order of days; None where they are too few."""
    if not series:
        return None
    newest = series[-1].day
    recent = [point for point in series if point.day > newest - timedelta(days=TREND_DAYS)]
    used = recent[-MAX_POINTS:] if len(recent) >= FEW_POINTS else series[-FEW_POINTS:]
    if len(used) < MIN_POINTS:
        return None
    slope = median((b.value - a.value) / (b.day - a.day).days for a, b in combinations(used, 2))
    level = median(point.value + slope * (newest - point.day).days for point in used)
    return Trend(slope, level, newest, len(used), (newest - used[0].day).days)
