"""Compute working time: which moments an administration works, and deadlines counted in them.

Days off and make-up Saturdays are those of the library `holidays` (Viet Nam), overridden by those
of `data/days.csv`; the hours of a working day are those of `data/hours.csv`. A make-up Saturday has
the hours of a Friday.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import holidays

from schemas.reference.table import Dated, rows

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Civil time of Việt Nam: UTC+7 without summer time since 1975, which the calendar relies on."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
_FIRST_DAY = datetime(FIRST_YEAR, 1, 1, tzinfo=ZONE)
_DAYS = (_FIRST_DAY.date() - date(1970, 1, 1)).days
"""Days from 1970, when another offset was in force in Saigon, to the first day."""
_MICROSECOND = timedelta(microseconds=1)
_FRIDAY = 4
Session = tuple[int, int]
"""Start and end of uninterrupted work, in microseconds since the day's midnight."""


class Day(Dated, frozen=True, kw_only=True):
    """A day that differs from the rule; `valid_from` is the day on which it was announced."""

    date: date
    kind: Literal["off", "working"]
    vi: str
    en: str
    province: str = ""


class Hours(Dated, frozen=True, kw_only=True):
    """Working hours on some weekdays (digits, 0 is Monday)."""

    weekdays: str
    start: time
    end: time
    province: str = ""


class OutsideCalendarError(ValueError):
    """Raised for a moment before 1990 or after 2100, for which no working time is known."""


@dataclass(frozen=True)
class _Table:
    """Working time of each day from the first of January of a year.

    `before[i]` is the sum of all days before day i.
    """

    first: int
    before: list[int]
    sessions: list[tuple[Session, ...]]


@dataclass(eq=False)
class WorkingCalendar:
    """The working time of a province's administration, exact to the microsecond.

    With `known_on`, it is the calendar as it was known on a day: days announced later are left out.
    Moments are aware datetimes of any zone; results are in Vietnamese time. Each method costs a
    look-up, no iteration over days.
    """

    province: str = ""
    known_on: date | None = None
    _years: range = field(default=range(0), init=False, repr=False)
    _table: _Table = field(default_factory=lambda: _Table(0, [0], []), init=False, repr=False)

    def is_working(self, moment: datetime) -> bool:
        """Return whether a moment lies in working hours.

        The start of a session does, its end does not.
        """
        table, day, within = self._locate(moment)
        return any(start <= within < end for start, end in table.sessions[day])

    def is_working_day(self, day: date) -> bool:
        """Return whether any work is done on a day."""
        return bool(self.sessions(day))

    def sessions(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the working hours of a day, as pairs of start and end."""
        midnight = datetime.combine(day, time(), ZONE)
        table, index, _ = self._locate(midnight)
        return tuple(
            (midnight + start * _MICROSECOND, midnight + end * _MICROSECOND)
            for start, end in table.sessions[index]
        )

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from `start` to `end`; negative if `end` is earlier."""
        while True:
            table = self._table
            passed = self._position(end) - self._position(start)
            if (
                self._table is table
                # Otherwise the second call added years to the table, which moves positions.
            ):
                return timedelta(microseconds=passed)

    def add_working(self, moment: datetime, work: timedelta | float) -> datetime:
        """Return the first moment at which an amount of work has been done since `moment`.

        Zero returns the moment itself, in Vietnamese time.

        Args:
            moment: The start.
            work: A duration, or a number of hours; not negative.
        """
        amount = round(
            (work if isinstance(work, timedelta) else timedelta(hours=work)) / _MICROSECOND
        )
        if amount < 0:
            raise ValueError("working time cannot be subtracted from a moment")
        if amount == 0:
            return moment.astimezone(ZONE)
        goal = self._position(moment) + amount
        while goal > self._table.before[-1]:
            self._grow(self._years.stop)
            goal = self._position(moment) + amount
        table = self._table
        day = bisect_left(table.before, goal) - 1
        rest = goal - table.before[day]
        for start, end in table.sessions[day]:
            if rest <= end - start:
                return _FIRST_DAY + timedelta(table.first + day - _DAYS, microseconds=start + rest)
            rest -= end - start
        raise AssertionError("a day's sessions sum up to its working time")

    def position(self, moment: datetime) -> int:
        """Return the working milliseconds from the first of January 1990 to a moment.

        Deadlines and spans are differences of positions.
        """
        return self.working_time(_FIRST_DAY, moment) // timedelta(milliseconds=1)

    def moment(self, position: int) -> datetime:
        """Return the first moment with a position; the inverse of `position`.

        It gives the moment of a deadline that is stored as a position.
        """
        self._cover(_FIRST_DAY)
        return self.add_working(_FIRST_DAY, timedelta(milliseconds=position))

    def days(self) -> tuple[tuple[int, int, tuple[Session, ...]], ...]:
        """Return all days from 1990 to 2100.

        Each is (days since 1970, working milliseconds before the day, its sessions in
        milliseconds).
        """
        self._cover(_FIRST_DAY, datetime(LAST_YEAR, 12, 31, tzinfo=ZONE))
        table = self._table
        start = _DAYS - table.first
        origin = table.before[start]
        return tuple(
            (
                table.first + number,
                (table.before[number] - origin) // 1000,
                tuple((begin // 1000, end // 1000) for begin, end in table.sessions[number]),
            )
            for number in range(start, len(table.sessions))
        )

    def _position(self, moment: datetime) -> int:
        """Return the working microseconds from the table's first day to a moment."""
        table, day, within = self._locate(moment)
        done = table.before[day]
        for start, end in table.sessions[day]:
            done += min(max(within - start, 0), end - start)
        return done

    def _locate(self, moment: datetime) -> tuple[_Table, int, int]:
        passed = moment.astimezone(ZONE) - _FIRST_DAY
        table = self._table
        if not 0 <= passed.days + _DAYS - table.first < len(table.sessions):
            self._grow(moment.astimezone(ZONE).year)
            table = self._table
        return (
            table,
            passed.days + _DAYS - table.first,
            passed.seconds * 1_000_000 + passed.microseconds,
        )

    def _cover(self, *moments: datetime) -> None:
        for moment in moments:
            self._locate(moment)

    def _grow(self, year: int) -> None:
        """Add a year, and all between it and the known ones, to the table."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise OutsideCalendarError(f"no working time is known for the year {year}")
        known = self._years or range(year, year + 1)
        years = range(
            max(min(year - 1, known.start), FIRST_YEAR),
            min(max(year + 2, known.stop), LAST_YEAR + 1),
        )
        rule = _rule(self.province, self.known_on, years)
        first = (date(years.start, 1, 1) - date(1970, 1, 1)).days
        days = (date(years.stop, 1, 1) - date(years.start, 1, 1)).days
        sessions = [
            rule.sessions(date(1970, 1, 1) + timedelta(days=first + number))
            for number in range(days)
        ]
        before = [0]
        for of_day in sessions:
            before.append(before[-1] + sum(end - start for start, end in of_day))
        self._years, self._table = years, _Table(first, before, sessions)


@dataclass(frozen=True)
class _Rule:
    """Which days are worked and how, in some years."""

    days: dict[date, Day]
    off: frozenset[date]
    made_up: frozenset[date]
    hours: tuple[Hours, ...]

    def sessions(self, day: date) -> tuple[Session, ...]:
        special, weekday = self.days.get(day), day.weekday()
        if special.kind == "off" if special else day in self.off:
            return ()
        if weekday > _FRIDAY and (special or day in self.made_up):
            weekday = _FRIDAY
        return tuple(
            (_microseconds(row.start), _microseconds(row.end))
            for row in self.hours
            if str(weekday) in row.weekdays
            and row.valid_from <= day
            and (row.valid_to is None or day < row.valid_to)
        )


def _rule(province: str, known_on: date | None, years: range) -> _Rule:
    national = holidays.country_holidays("VN", years=years)
    own = [row for row in rows("days", Day) if row.province in ("", province)]
    hours = rows("hours", Hours)
    local = tuple(row for row in hours if row.province == province)
    return _Rule(
        days={row.date: row for row in own if known_on is None or row.valid_from <= known_on},
        off=frozenset(national),
        made_up=frozenset(national.weekend_workdays),
        hours=local or tuple(row for row in hours if not row.province),
    )


def _microseconds(clock: time) -> int:
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000


@cache
def calendar(province: str = "", known_on: date | None = None) -> WorkingCalendar:
    """Return the working calendar of a province, today's or as known on a day.

    Days between which nothing was announced share one calendar, as a new one has to compute its
    years first.
    """
    announced = {row.valid_from for row in rows("days", Day) if row.province in ("", province)}
    if known_on is None or all(day <= known_on for day in announced):
        return _shared(province, None)
    return _shared(province, max((day for day in announced if day <= known_on), default=date.min))


_shared = cache(WorkingCalendar)


def day_label(day: date, language: str = "vi", province: str = "") -> str:
    """Return what is special about a day, such as a holiday's name; empty for any other day."""
    for row in rows("days", Day):
        if row.date == day and row.province in ("", province):
            return row.vi if language == "vi" else row.en
    names = holidays.country_holidays(
        "VN", years=day.year, language="vi" if language == "vi" else "en_US"
    )
    return str(names.get(day, ""))
