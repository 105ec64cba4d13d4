"""Targets: the status that follows from value, forecast and due day, and who answers for them."""

from datetime import date

import pytest

from schemas.figures import Reading
from schemas.reference import Target, calendar, indicator, target, targets
from schemas.scores import (
    Forecast,
    SeriesPoint,
    TargetStatus,
    by_indicator,
    reading,
    readings,
    series,
    standing,
    standings,
    status,
)
from tests.unit.target_reports import NOW, report

TODAY = date(2026, 11, 24)


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
