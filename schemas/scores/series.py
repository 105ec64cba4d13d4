"""Turn reports of an indicator into a series: one value per day, with corrections applied.

Reports that cannot be used are listed with the reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from schemas.events.codes import WordedCode
from schemas.figures import Reading
from schemas.reference import DAY_HOURS, ZONE, IndicatorType, WorkingCalendar, indicator
from schemas.scores.forecast import SeriesPoint
from schemas.scores.periods import ReportPeriod

LATE_AFTER = {"daily": 2, "weekly": 10, "monthly": 44, "quarterly": 130, "yearly": 500}
"""Working days after which a value of that rhythm is stale: twice the rhythm."""


class IndicatorReport(NamedTuple):
    """A report of an agency: the value of an indicator for a unit and a period."""

    indicator: str
    unit: str
    period: str
    value: float
    measure_unit: str
    agency: str
    reported_at: datetime


class LeftOut(WordedCode):
    """Reason for which a report is in no series."""

    PERIOD = "period", "Kỳ báo cáo không hợp lệ", "Its period cannot be read"
    FUTURE = "future", "Kỳ báo cáo chưa bắt đầu", "Its period has not begun"
    UNIT = "unit", "Đơn vị tính khác với chỉ tiêu", "Its unit of measure is not the indicator's"


@dataclass(frozen=True)
class Series:
    """The values of an indicator and unit in order of days.

    `newest` is the report behind the last one; `left_out` are reports that could not be used.
    """

    points: tuple[SeriesPoint, ...] = ()
    newest: IndicatorReport | None = None
    left_out: tuple[tuple[IndicatorReport, LeftOut], ...] = ()


def series(reports: Iterable[IndicatorReport], now: datetime) -> Series:
    """Return the series of the reports of one indicator and unit as they were at a moment.

    Reports made later are ignored. A value stands for the last day of its period, or for the day of
    the report if the period was still running. Of several reports of a period, or of periods that
    end alike (2026 and 2026-12), the one that was reported last holds. One that cannot be used
    still replaces the one that it corrects.
    """
    known = sorted(
        (one for one in reports if one.reported_at <= now),
        key=lambda one: (one.reported_at, one.period),
    )
    newest = {report.period: report for report in known}
    by_day: dict[date, tuple[SeriesPoint, IndicatorReport]] = {}
    left_out = []
    today = now.astimezone(ZONE).date()
    for report in sorted(newest.values(), key=lambda one: (one.reported_at, one.period)):
        try:
            period = ReportPeriod.parse(report.period)
        except ValueError:
            left_out.append((report, LeftOut.PERIOD))
            continue
        listed = indicator(report.indicator)
        if listed and report.measure_unit and report.measure_unit != listed.measure_unit:
            left_out.append((report, LeftOut.UNIT))
        elif period.first > today:
            left_out.append((report, LeftOut.FUTURE))
        else:
            point = SeriesPoint(
                period.point(report.reported_at.astimezone(ZONE).date()), report.value
            )
            by_day[point.day] = (point, report)
    ordered = [by_day[day] for day in sorted(by_day)]
    return Series(
        tuple(point for point, _ in ordered), ordered[-1][1] if ordered else None, tuple(left_out)
    )


def by_indicator(
    reports: Iterable[IndicatorReport], now: datetime
) -> dict[tuple[str, str], Series]:
    """Return {(unit, indicator): its series} of reports of any of them."""
    ordered = sorted(reports, key=lambda one: (one.unit, one.indicator))
    return {
        key: series(found, now)
        for key, found in groupby(ordered, key=lambda one: (one.unit, one.indicator))
    }


def reading(of: IndicatorType, found: Series, now: datetime, calendar: WorkingCalendar) -> Reading:
    """Return the reading of a reported indicator at a moment.

    It is the newest value, stale if a newer one is overdue.
    """
    if found.newest is None:
        return Reading(None)
    midnight = datetime.combine(found.points[-1].day + timedelta(days=1), time(), ZONE)
    passed = calendar.working_time(min(midnight, now), now)
    stale = passed > timedelta(hours=LATE_AFTER[of.rhythm] * DAY_HOURS)
    return Reading(found.points[-1].value, as_of=found.newest.reported_at, stale=stale)


def readings(
    all_series: Mapping[tuple[str, str], Series],
    unit: str,
    now: datetime,
    calendar: WorkingCalendar,
) -> dict[str, Reading]:
    """Return the readings of a unit's indicators, of those that are listed and reported.

    Indicators that are computed here are left out.
    """
    found = {}
    for (of_unit, code), one in all_series.items():
        listed = indicator(code)
        if of_unit == unit and listed is not None and listed.rhythm != "live":
            found[code] = reading(listed, one, now, calendar)
    return found
