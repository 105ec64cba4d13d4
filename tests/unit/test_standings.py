"""Targets: series of reports, where they are heading, and the status that follows."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.figures import Reading
from schemas.reference import Target, calendar, indicator, target, targets
from schemas.scores import (
    Forecast,
    IndicatorReport,
    LeftOut,
    SeriesPoint,
    TargetStatus,
    by_indicator,
    reading,
    readings,
    series,
    standing,
    standings,
    status,
    trend,
)
from schemas.scores.periods import ReportPeriod

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)


def report(
    period: str,
    value: float,
    at: str = "2026-11-20",
    code: str = "payment.cashless",
    unit: str = "%",
) -> IndicatorReport:
    return IndicatorReport(
        code, "46", period, value, unit, "H57.STC", datetime.fromisoformat(f"{at}T09:00:00+07:00")
    )


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


def goal(value: float, due: date = date(2026, 12, 31), code: str = "payment.cashless") -> Target:
    of = indicator(code)
    assert of is not None
    words = {
        "vi": of.vi,
        "en": of.en,
        "indicator": of.code,
        "measure_unit": of.measure_unit,
        "direction": of.direction,
    }
    return Target(code="t", value=value, due=due, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "forecast", "expected"),
    [
        (60, 61, TargetStatus.MET),
        (60, 40, TargetStatus.MET),
        (55, 60, TargetStatus.ON_TRACK),
        (55, 57, TargetStatus.AT_RISK),
        (55, 56.9, TargetStatus.OFF_TRACK),
        (55, None, TargetStatus.UNKNOWN),
        (None, None, TargetStatus.UNKNOWN),
    ],
)
def test_before_the_due_day_the_forecast_decides(
    value: float | None, forecast: float | None, expected: TargetStatus
) -> None:
    ahead = None if forecast is None else Forecast(forecast, steady=False)
    assert status(goal(60), Reading(value), TODAY, ahead) is expected


def test_a_stale_figure_is_unknown_even_if_it_met_the_target() -> None:
    assert (
        status(goal(60), Reading(70, stale=True), TODAY, Forecast(70, steady=True))
        is TargetStatus.UNKNOWN
    )


def test_a_rank_is_at_risk_one_place_off() -> None:
    rank = goal(2, code="rank.dti")
    assert status(rank, Reading(2), TODAY) is TargetStatus.MET
    assert status(rank, Reading(4), TODAY, Forecast(3, steady=False)) is TargetStatus.AT_RISK
    assert status(rank, Reading(4), TODAY, Forecast(3.5, steady=False)) is TargetStatus.OFF_TRACK


@pytest.mark.parametrize(
    ("before", "after", "current", "expected"),
    [
        (61, 50, Reading(50), TargetStatus.MET),
        (59, 70, Reading(70), TargetStatus.MISSED),
        (61, 50, Reading(50, stale=True), TargetStatus.MET),
    ],
)
def test_after_the_due_day_the_figure_of_that_day_decides(
    before: float, after: float, current: Reading, expected: TargetStatus
) -> None:
    found = [SeriesPoint(date(2026, 9, 30), before), SeriesPoint(date(2026, 10, 31), after)]
    assert status(goal(60, due=date(2026, 9, 30)), current, TODAY, None, found) is expected


def test_after_the_due_day_without_a_figure_of_before_the_current_one_decides() -> None:
    passed = goal(60, due=date(2026, 9, 30))
    assert status(passed, Reading(61), TODAY) is TargetStatus.MET
    assert status(passed, Reading(50), TODAY) is TargetStatus.MISSED
    assert status(passed, Reading(61, stale=True), TODAY) is TargetStatus.UNKNOWN
    assert status(passed, Reading(None), TODAY) is TargetStatus.UNKNOWN


def test_the_due_day_itself_has_not_passed() -> None:
    assert (
        status(goal(60, due=TODAY), Reading(55), TODAY, Forecast(59, steady=False))
        is TargetStatus.AT_RISK
    )


@pytest.mark.parametrize(
    ("code", "unit", "day", "stale"),
    [
        ("payment.cashless", "%", "2026-11-20", False),
        ("payment.cashless", "%", "2026-11-18", True),
        ("health.records", "%", "2026-11-10", False),
        ("health.records", "%", "2026-11-05", True),
        ("internet.users", "%", "2026-09", False),
        ("internet.users", "%", "2026-08", True),
        ("rank.dti", "hạng", "2025", False),
    ],
)
def test_a_figure_is_stale_when_the_next_is_long_due_by_working_days(
    code: str, unit: str, day: str, stale: bool
) -> None:
    """24/11/2026 is a holiday, 21 and 22 a weekend.

    Friday's daily figure is one working day old, Wednesday's three.
    """
    of = indicator(code)
    assert of is not None
    found = series([report(day, 1, code=code, unit=unit, at="2026-11-20")], NOW)
    if len(day) == 10:
        found = series([report(day, 1, code=code, unit=unit, at=day)], NOW)
    assert reading(of, found, NOW, calendar("46")).stale is stale


def test_a_reported_indicator_stands_with_value_age_trend_forecast_and_who_reports_it() -> None:
    aim, of = target("46", "payment.cashless"), indicator("payment.cashless")
    assert aim is not None and of is not None
    reports = [
        report(f"2026-11-{day:02d}", 50 + day / 10, at=f"2026-11-{day:02d}")
        for day in (2, 9, 16, 23)
    ]
    found = standing(aim, of, "46", series(reports, NOW), {}, NOW, "46")
    assert (found.reading.value, found.reading.as_of) == (52.3, reports[-1].reported_at)
    assert (found.direction, found.status) == ("up", TargetStatus.OFF_TRACK)
    assert found.forecast is not None and found.forecast.value == pytest.approx(56.1)
    assert (found.reporter.en, bool(found.reporter.owner), found.reporter.telephone[:4]) == (
        "Department of Finance",
        True,
        "0000",
    )
    assert not found.verified


def test_a_reporter_that_nobody_knows_is_not_who_answers_for_an_indicator() -> None:
    stranger = report("2026-11-20", 50)._replace(agency="H57.X")
    found = standings("46", "46", by_indicator([stranger], NOW), {}, NOW)
    assert (
        next(one for one in found if one.target.indicator == "payment.cashless").reporter.code
        == "H57.STC"
    )


def test_a_live_indicator_takes_its_value_from_the_figures_and_its_reports_are_not_asked() -> None:
    claimed = by_indicator([report("2026-11-20", 99, code="filing.online")], NOW)
    live = {"filing.online": Reading(88.0, as_of=NOW), "source.timely": Reading(96.0)}
    found = {one.target.indicator: one for one in standings("46", "46", claimed, live, NOW)}
    online = found["filing.online"]
    assert (online.reading.value, online.status, online.direction) == (
        88.0,
        TargetStatus.AT_RISK,
        None,
    )
    assert online.forecast == Forecast(88.0, steady=True)
    assert found["source.timely"].status is TargetStatus.MET
    assert found["filing.on_time"].status is TargetStatus.UNKNOWN
    assert readings(claimed, "46", NOW, calendar("46")) == {}


def test_a_commune_has_the_targets_of_indicators_known_by_commune() -> None:
    codes = {one.target.indicator for one in standings("46", "19753", {}, {}, NOW)}
    assert {"health.records", "filing.online"} <= codes
    assert not codes & {"economy.digital", "rank.dti"}
    health = next(
        one
        for one in standings("46", "19753", {}, {}, NOW)
        if one.target.indicator == "health.records"
    )
    assert (health.status, health.reporter.code) == (TargetStatus.UNKNOWN, "H57.19753.UB")


def test_every_target_that_the_documents_name_is_there() -> None:
    named = {one.indicator for province in ("46", "38", "60", "68") for one in targets(province)}
    assert {
        *(
            "document.electronic",
            "document.signed",
            "service.level34",
            "service.devices",
            "filing.wholly_online",
        ),
        *(
            "filing.handled_online",
            "procedure.wholly_online",
            "economy.digital",
            "economy.certified_products",
        ),
        *(
            "economy.digital_firms",
            "economy.sme",
            "internet.villages",
            "internet.users",
            "internet.fibre",
            "adults.smartphone",
        ),
        *(
            "adults.bank_account",
            "identity.accounts",
            "payment.accounts",
            "digital.teams",
            "economy.ocop",
            "economy.ocop_sold",
        ),
        *(
            "rank.dti",
            "rank.papi",
            "rank.ict",
            "rank.par",
            "payment.cashless",
            "health.records",
            "tax.electronic",
        ),
        *(
            "app.installs",
            "app.visits",
            "source.timely",
            "feedback.handled",
            "feedback.satisfied",
            "meeting.communes",
        ),
        *("land.database", "service.index"),
    } <= named
