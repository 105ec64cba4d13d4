"""Working time: holidays, make-up Saturdays, and deadlines that are exact whatever the moment."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import pytz  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reference import ZONE, OutsideCalendarError, WorkingCalendar, calendar, day_label

CALENDAR = calendar("46")
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))
work = st.timedeltas(timedelta(0), timedelta(hours=400))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@settings(deadline=None)
@given(moments, work)
def test_a_deadline_is_exactly_as_much_working_time_away(
    moment: datetime, amount: timedelta
) -> None:
    assert CALENDAR.working_time(moment, CALENDAR.add_working(moment, amount)) == amount


@settings(deadline=None)
@given(moments, work, work)
def test_more_work_never_ends_earlier(moment: datetime, one: timedelta, two: timedelta) -> None:
    less, more = sorted((one, two))
    assert CALENDAR.add_working(moment, less) <= CALENDAR.add_working(moment, more)


@settings(deadline=None)
@given(moments, moments, moments)
def test_working_time_adds_up(a: datetime, b: datetime, c: datetime) -> None:
    assert CALENDAR.working_time(a, b) + CALENDAR.working_time(b, c) == CALENDAR.working_time(a, c)


@settings(deadline=None)
@given(moments)
def test_it_is_working_when_working_time_passes(moment: datetime) -> None:
    passed = CALENDAR.working_time(moment, moment + timedelta(microseconds=1))
    assert CALENDAR.is_working(moment) == (passed > timedelta(0))


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-02T07:30", 7.5, "2026-03-02T17:00"),
        ("2026-03-02T07:30", 4.5, "2026-03-02T14:00"),
        ("2026-03-02T12:00", 1, "2026-03-02T14:30"),
        ("2026-03-06T16:30", 1, "2026-03-09T08:00"),
        ("2026-03-07T20:00", 7.5, "2026-03-09T17:00"),
    ],
    ids=["a day", "over noon", "at noon", "over a weekend", "on a Saturday evening"],
)
def test_a_deadline_skips_what_is_not_worked(start: str, hours: float, due: str) -> None:
    assert CALENDAR.add_working(at(start), hours) == at(due)


def test_a_deadline_over_tet_2026_waits_for_the_first_working_day() -> None:
    assert CALENDAR.add_working(at("2026-02-13T16:30"), 7.5) == at("2026-02-23T16:30")
    assert not CALENDAR.is_working(at("2026-02-17T09:00"))


def test_a_make_up_saturday_is_worked_and_its_monday_is_not() -> None:
    assert CALENDAR.is_working(at("2026-08-22T09:00"))
    assert not CALENDAR.is_working(at("2026-08-31T09:00"))
    assert CALENDAR.add_working(at("2026-08-21T16:00"), 2) == at("2026-08-22T08:30")


def test_a_day_of_the_table_goes_before_the_rule_once_it_was_announced() -> None:
    assert CALENDAR.is_working_day(date(2026, 1, 10))
    assert not CALENDAR.is_working_day(date(2026, 1, 2))
    before = calendar("46", known_on=date(2025, 12, 1))
    assert not before.is_working_day(date(2026, 1, 10))
    assert before.is_working_day(date(2026, 1, 2))


@pytest.mark.parametrize("province", ["", "46", "NYC"])
def test_a_calendar_as_known_on_a_day_is_shared_and_is_that_of_the_day(province: str) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(0, 800, 7)]
    asked = [date(2025, 12, 1) + timedelta(days=number) for number in range(40)]
    assert len({id(calendar(province, known_on=one)) for one in asked}) <= 2
    for one in (*asked, date.min, date.max):
        own, shared = WorkingCalendar(province, one), calendar(province, known_on=one)
        assert [shared.sessions(day) for day in days] == [own.sessions(day) for day in days]


def test_a_working_day_has_seven_and_a_half_hours() -> None:
    sessions = CALENDAR.sessions(date(2026, 3, 2))
    assert [
        (start.time().isoformat("minutes"), end.time().isoformat("minutes"))
        for start, end in sessions
    ] == [
        ("07:30", "11:30"),
        ("13:30", "17:00"),
    ]


def test_zones_do_not_matter() -> None:
    assert CALENDAR.is_working(datetime(2026, 3, 2, 1, 0, tzinfo=UTC))
    assert not CALENDAR.is_working(datetime(2026, 3, 2, 5, 0, tzinfo=UTC))


def test_no_work_takes_no_time_and_work_cannot_be_taken_back() -> None:
    night = at("2026-03-02T22:00")
    assert CALENDAR.add_working(night, 0) == night
    with pytest.raises(ValueError, match="cannot be subtracted"):
        CALENDAR.add_working(night, -1)


def test_a_year_without_a_calendar_is_named() -> None:
    with pytest.raises(OutsideCalendarError, match="1989"):
        CALENDAR.is_working(at("1989-06-01T09:00"))
    with pytest.raises(OutsideCalendarError, match="2101"):
        CALENDAR.add_working(at("2100-12-01T09:00"), 1000)


def test_special_days_have_words() -> None:
    assert day_label(date(2026, 9, 2)) == "Quốc khánh"
    assert day_label(date(2026, 9, 2), "en") == "National Day"
    assert "02/01/2026" in day_label(date(2026, 1, 10))
    assert day_label(date(2026, 3, 2)) == ""


@settings(deadline=None)
@given(moments)
def test_the_moment_of_a_position_is_the_first_that_has_it(at: datetime) -> None:
    position = CALENDAR.position(at)
    found = CALENDAR.moment(position)
    assert CALENDAR.position(found) == position and found <= at.replace(
        microsecond=at.microsecond // 1000 * 1000
    )
    assert CALENDAR.position(found - timedelta(milliseconds=1)) < position or position == 0


def test_moments_of_other_libraries_are_the_same_moments() -> None:
    moment = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert CALENDAR.position(
        pd.Timestamp(moment).tz_convert("Asia/Ho_Chi_Minh")
    ) == CALENDAR.position(moment)
    assert CALENDAR.position(
        pytz.timezone("Asia/Ho_Chi_Minh").fromutc(moment.replace(tzinfo=None))
    ) == CALENDAR.position(moment)
