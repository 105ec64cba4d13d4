"""Judge how a target stands: met, on track, at risk, off track, missed, or unknown.

The status depends on the current value and on its forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from schemas.events.codes import WordedCode
from schemas.figures import UNKNOWN, Reading, Readings
from schemas.reference import (
    ZONE,
    Agency,
    IndicatorType,
    Target,
    agency,
    calendar,
    indicator,
    prefix,
    targets,
)
from schemas.scores.forecast import SeriesPoint, Trend, trend
from schemas.scores.series import Series, reading

TOLERANCE = 0.05
"""Share of the target by which a forecast may miss it and be at risk only; beyond, it is off track.
"""
TOLERANCE_OF_RANK = 1.0
"""The same for a rank, in ranks: five hundredths of rank 4 would be none."""
FLAT = 0.005
"""Share of the target that a trend must move in 30 days to count as up or down."""


NO_REPORTS = Series()


class TargetStatus(WordedCode):
    """Status of a target, from best to worst, then unknown."""

    MET = "met", "Đạt", "Met"
    ON_TRACK = "on_track", "Đúng tiến độ", "On track"
    AT_RISK = "at_risk", "Có nguy cơ không đạt", "At risk"
    OFF_TRACK = "off_track", "Khó đạt", "Off track"
    MISSED = "missed", "Không đạt", "Missed"
    UNKNOWN = "unknown", "Chưa đủ số liệu", "Not enough data"


@dataclass(frozen=True)
class Forecast:
    """The expected value on the due day.

    `steady`: there is no line, and the value now is assumed to stay.
    """

    value: float
    steady: bool


@dataclass(frozen=True)
class TargetStanding:
    """A target with all that a line of the scoreboard shows.

    `reading` is the value with its age (`as_of`) and whether it is too old. `reporter` is
    responsible for it, with owner and telephone: the agency that reported last, or the one that has
    to report. `points` is what the trend rests on. `series.left_out` lists reports that could not
    be used.
    """

    target: Target
    unit: str
    reading: Reading
    status: TargetStatus
    reporter: Agency
    trend: Trend | None = None
    forecast: Forecast | None = None
    series: Series = NO_REPORTS

    @property
    def points(self) -> tuple[SeriesPoint, ...]:
        """Return the values that the trend rests on."""
        return self.series.points

    @property
    def direction(self) -> Literal["up", "down", "flat"] | None:
        """Return the direction of the value; None if there is no line."""
        if self.trend is None:
            return None
        monthly = self.trend.slope * 30
        if abs(monthly) < FLAT * abs(self.target.value):
            return "flat"
        return "up" if monthly > 0 else "down"

    @property
    def verified(self) -> bool:
        """Return whether the target was seen in a source as it is stated here.

        A note says what was assumed or taken from elsewhere.
        """
        return self.target.verified and not self.target.note


def status(
    target: Target,
    now: Reading,
    today: date,
    forecast: Forecast | None = None,
    points: Sequence[SeriesPoint] = (),
) -> TargetStatus:
    """Return the status of a target.

    After the due day the last value up to it decides, or if there is none the value of now. Before,
    a value that meets the target is met; else the forecast decides. Without a current value or
    without a forecast, the status is unknown.

    Args:
        target: The target.
        now: The current reading.
        today: The day of the judgement.
        forecast: The forecast for the due day.
        points: The values by day.
    """
    if today > target.due:
        then = next((point.value for point in reversed(points) if point.day <= target.due), None)
        value = then if then is not None else None if now.stale else now.value
        return (
            TargetStatus.UNKNOWN
            if value is None
            else TargetStatus.MET
            if target.met(value)
            else TargetStatus.MISSED
        )
    if now.value is None or now.stale:
        return TargetStatus.UNKNOWN
    if target.met(now.value):
        return TargetStatus.MET
    if forecast is None:
        return TargetStatus.UNKNOWN
    if target.met(forecast.value):
        return TargetStatus.ON_TRACK
    return (
        TargetStatus.AT_RISK
        if abs(forecast.value - target.value) <= tolerance(target) + 1e-9
        else TargetStatus.OFF_TRACK
    )


def tolerance(target: Target) -> float:
    """Return how far a forecast may miss the target, in its unit, to be at risk only."""
    least = TOLERANCE_OF_RANK if target.measure_unit == "hạng" else 0.0
    return max(TOLERANCE * abs(target.value), least)


def standing(
    target: Target,
    of: IndicatorType,
    unit: str,
    found: Series,
    live: Readings,
    now: datetime,
    province: str,
) -> TargetStanding:
    """Return how a target stands for a unit at a moment.

    Its values are those of the series of its indicator, or of `live` for one that is computed here.
    A computed rate covers many days and has no reports: it is assumed to stay as it is.
    """
    today = now.astimezone(ZONE).date()
    line = None
    if of.rhythm == "live":
        current, found = live.get(of.code, UNKNOWN), NO_REPORTS
        forecast = None if current.value is None else Forecast(current.value, steady=True)
    else:
        current, line = reading(of, found, now, calendar(province)), trend(found.points)
        ahead = line.on(target.due) if line else None
        forecast = None if ahead is None else Forecast(_possible(of, ahead), steady=False)
    if today > target.due:
        forecast = None
    who = agency(found.newest.agency, today) if found.newest else None
    if who is None or not who.known:
        who = agency(reporter(of, unit, province), today)
    return TargetStanding(
        target=target,
        unit=unit,
        reading=current,
        status=status(target, current, today, forecast, found.points),
        reporter=who,
        trend=line,
        forecast=forecast,
        series=found,
    )


def reporter(of: IndicatorType, unit: str, province: str) -> str:
    """Return the code of the agency that has to report an indicator of a unit.

    It is a body of the province, or the commune's committee.
    """
    return (
        f"{prefix(province)}.{of.body}"
        if unit == province or of.rhythm == "live"
        else f"{prefix(province)}.{unit}.UB"
    )


def standings(
    province: str,
    unit: str,
    all_series: Mapping[tuple[str, str], Series],
    live: Readings,
    now: datetime,
) -> tuple[TargetStanding, ...]:
    """Return how all targets of a province stand.

    If `unit` is one of its communes, these are the targets of indicators known by commune.
    """
    found = []
    for target in targets(province, now.astimezone(ZONE).date()):
        of = indicator(target.indicator)
        if of is not None and (unit == province or of.level == "commune"):
            one = all_series.get((unit, of.code), NO_REPORTS)
            found.append(standing(target, of, unit, one, live, now, province))
    return tuple(found)


def _possible(of: IndicatorType, value: float) -> float:
    """Return the nearest possible value to a forecast.

    A percentage is from 0 to 100, a rank 1 or more, nothing is negative.
    """
    if of.measure_unit == "%":
        return min(max(value, 0.0), 100.0)
    return max(value, 1.0 if of.measure_unit == "hạng" else 0.0)
