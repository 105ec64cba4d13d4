"""Series of an indicator's reports: their periods, corrections, and the line through them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.scores import LeftOut, SeriesPoint, series, trend
from schemas.scores.periods import ReportPeriod
from tests.unit.target_reports import NOW, report


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026-11", "2026-11-01", "2026-11-30"),
        ("2026-12", "2026-12-01", "2026-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-11-22", "2026-11-22", "2026-11-22"),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text: str, first: str, last: str) -> None:
    found = ReportPeriod.parse(text)
    assert (str(found.first), str(found.last)) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26",
        "2026-11-22T00:00",
        " 2026",
        "2026\n",
        "２０２６",
        "0000",
        "9999",
        "2026-q4",
        "2026-00-01",
        "2026-",
        "2026-13",
        "2026-00",
        "2026-Q5",
        "2026-Q0",
        "2026Q4",
        "Q4-2026",
        "2026-02-30",
        "2026-11-00",
        "2026-11-2",
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no period"):
        ReportPeriod.parse(text)


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    found = series(
        [
            report("2026-09", 50),
            report("2026-10", 99, "2026-11-02"),
            report("2026-10", 52, "2026-11-09"),
        ],
        NOW,
    )
    assert found.points == (SeriesPoint(date(2026, 9, 30), 50), SeriesPoint(date(2026, 10, 31), 52))
    assert found.newest is not None and found.newest.value == 52


def test_a_correction_that_cannot_be_used_does_not_leave_the_old_figure_standing() -> None:
    found = series(
        [report("2026-10", 52, "2026-11-02"), report("2026-10", 1200, "2026-11-09", unit="lượt")],
        NOW,
    )
    assert (found.points, [why for _, why in found.left_out]) == ((), [LeftOut.UNIT])


def test_periods_that_end_alike_give_one_figure_the_one_reported_last() -> None:
    found = series(
        [
            report("2025", 40, "2026-01-20"),
            report("2025-12", 41, "2026-01-05"),
            report("2025-Q4", 39, "2026-01-10"),
        ],
        NOW,
    )
    assert found.points == (SeriesPoint(date(2025, 12, 31), 40),)


def test_a_running_period_stands_for_the_day_of_its_report_and_a_future_one_for_none() -> None:
    found = series(
        [
            report("2026", 55, "2026-11-20"),
            report("2027", 60),
            report("2026-13", 1),
            report("2026-10", 4, unit="lượt"),
        ],
        NOW,
    )
    assert found.points == (SeriesPoint(date(2026, 11, 20), 55),)
    assert [(one.period, why) for one, why in found.left_out] == [
        ("2026-10", LeftOut.UNIT),
        ("2026-13", LeftOut.PERIOD),
        ("2027", LeftOut.FUTURE),
    ]


def test_what_is_reported_later_was_not_known_yet() -> None:
    reports = [
        report("2026-09", 50, "2026-10-05"),
        report("2026-09", 70, "2026-11-30"),
        report("2026-10", 71, "2026-11-30"),
    ]
    assert [point.value for point in series(reports, NOW).points] == [50]


def test_a_line_bears_a_wrong_report() -> None:
    days = [date(2026, 1, 31) + timedelta(days=30 * number) for number in range(8)]
    good = [SeriesPoint(day, 50 + number) for number, day in enumerate(days)]
    wrong = [*good[:4], SeriesPoint(good[4].day, 54_000), *good[5:]]
    for found in (trend(good), trend(wrong)):
        assert found is not None
        assert found.slope == pytest.approx(1 / 30)
        assert found.on(days[-1] + timedelta(days=60)) == pytest.approx(59)


@given(
    st.lists(st.integers(0, 700), min_size=3, max_size=40, unique=True),
    st.floats(-5, 5, allow_nan=False),
    st.floats(-1000, 1000, allow_nan=False),
)
def test_a_line_through_points_of_a_line_is_that_line(
    days: list[int], slope: float, level: float
) -> None:
    found = trend(
        [
            SeriesPoint(date(2024, 1, 1) + timedelta(days=day), level + slope * day)
            for day in sorted(days)
        ]
    )
    if found is not None:
        assert found.slope == pytest.approx(slope, abs=1e-6)
        assert found.level == pytest.approx(level + slope * max(days), abs=1e-3)


def test_too_few_reports_make_no_line_and_a_line_does_not_reach_far() -> None:
    three = [SeriesPoint(date(2026, 11, day), 50 + day) for day in (1, 8, 15)]
    assert trend([]) is None
    assert trend(three[:2]) is None
    found = trend(three)
    assert found is not None
    assert found.on(date(2026, 12, 31)) == pytest.approx(50 + 15 + 46)
    assert found.on(date(2027, 12, 31)) is None, "two weeks tell nothing of a year later"


def test_yearly_figures_make_a_line_over_years() -> None:
    found = trend(
        [SeriesPoint(date(year, 12, 31), float(year - 2015)) for year in range(2021, 2026)]
    )
    assert found is not None and found.points == 5
