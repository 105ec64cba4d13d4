"""Forecast a reported figure by a robust line through its reports.

The line is that of Theil and Sen: its slope is the median of the slopes between all pairs of
reports, its level the median of what remains. Ordinary least squares would follow a single wrong
report (usually a figure a thousand times too large); this line tolerates nearly three wrong reports
in ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from statistics import median
from typing import NamedTuple

MIN_POINTS = 3
"""Minimum number of reports for a line; through two there is always one."""
MAX_POINTS = 60
"""Number of newest reports that a line goes through; all pairs of them are compared."""
TREND_DAYS = 366
"""Age in days up to which reports count.

What was true years ago does not predict the next months.
"""
FEW_POINTS = 6
"""Number of newest reports that count whatever their age, for figures reported once a year."""
REACH = 4
"""A line is extended for up to this multiple of the days that it rests on."""


class SeriesPoint(NamedTuple):
    """The value of a day."""

    day: date
    value: float


@dataclass(frozen=True)
class Trend:
    """A line: `slope` in units per day, `level` at the day `at` of the newest report.

    It rests on `points` reports over `days` days.
    """

    slope: float
    level: float
    at: date
    points: int
    days: int

    def on(self, day: date) -> float | None:
        """Return the value of the line on a day; None beyond its reach."""
        ahead = (day - self.at).days
        return None if ahead > REACH * self.days else self.level + self.slope * ahead


def trend(series: Sequence[SeriesPoint]) -> Trend | None:
    """Return the line through the newest reports of a series in order of days.

    None if they are too few.
    """
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
