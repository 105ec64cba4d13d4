"""Indicators of the simulator.

Reported by every unit, moving towards their targets, so that a scoreboard has something to say.
"""

from datetime import datetime, timedelta
from functools import cache

from ingest.simulator import World, events, indicators
from ingest.simulator.clock import DAY, HOUR, ZONE, moment
from schemas.events.envelope import Read, Reader, write
from schemas.events.kinds import INDICATOR
from schemas.moments import milliseconds
from schemas.reference import criteria_set, indicator
from schemas.scores import IndicatorReport, TargetStatus, by_indicator, standings

HUE = World("46", seed=7)
READER = Reader()


@cache
def month_of_indicators() -> tuple[Read, ...]:
    """Return the indicators of the thirty days before the 24th of November, as the worker reads
    them.
    """
    end = datetime(2026, 11, 24, tzinfo=ZONE)
    world = World("46", 7)
    hours = range(milliseconds(end) - 30 * DAY, milliseconds(end), HOUR)
    steps = (
        step
        for hour in hours
        for step in indicators.generate(world, hour, world.dice("indicator", hour), 0)
    )
    return tuple(
        READER.read(
            write(INDICATOR, step.event, id=step.id, source=step.agency, time=moment(step.occurred))
        )
        for step in steps
    )


def test_after_a_month_the_scoreboard_has_targets_in_every_state() -> None:
    """Some met, some on track and at risk, and e-tax clearly off track.

    With nothing staged by hand, from reports alone.
    """
    end = datetime(2026, 11, 24, tzinfo=ZONE)
    reports = (
        IndicatorReport(
            *(
                getattr(one.data, name)
                for name in (
                    "indicator",
                    "unit",
                    "period",
                    "value",
                    "measure_unit",
                    "agency",
                    "reported_at",
                )
            )
        )
        for one in month_of_indicators()
    )
    found = {
        one.target.indicator: one
        for one in standings("46", "46", by_indicator(reports, end), {}, end)
    }
    of = {
        status: {code for code, one in found.items() if one.status is status}
        for status in TargetStatus
    }
    assert {"internet.users", "payment.accounts"} <= of[TargetStatus.MET]
    assert {"identity.accounts", "app.installs"} <= of[TargetStatus.ON_TRACK]
    assert {"internet.fibre", "health.records"} <= of[TargetStatus.AT_RISK]
    assert "tax.electronic" in of[TargetStatus.OFF_TRACK] and len(of[TargetStatus.OFF_TRACK]) <= 4
    assert {indicator(code).rhythm for code in of[TargetStatus.UNKNOWN]} == {"live"}  # type: ignore[union-attr]
    assert not any(one.series.left_out or one.reading.stale for one in found.values())


def test_every_unit_reports_each_month_whatever_the_weekday_and_gives_the_months_before_again() -> (
    None
):
    told = [one.data for one in month_of_indicators() if one.data.indicator == "land.database"]
    assert {one.unit for one in told} == {"46", *(one.code for one in HUE.communes)}
    assert {one.period for one in told if one.unit == "46"} == {
        f"2026-{month:02d}" for month in range(6, 12)
    }
    assert len({one.event_id for one in month_of_indicators()}) == len(month_of_indicators())


def test_points_of_the_index_and_of_the_council_are_within_their_most() -> None:
    most = {group.reported: group.points for group in criteria_set("766").groups} | {
        "assessment.council": 10,
        "service.index": 100,
    }
    told = [one.data for one in month_of_indicators() if one.data.indicator in most]
    assert {one.indicator for one in told} >= {"service.index", "assessment.council"}
    assert all(0 < one.value <= most[one.indicator] for one in told)


def test_a_target_is_missed_and_another_is_met() -> None:
    at = datetime(2026, 12, 28, 7, tzinfo=ZONE)
    world = World("46", 7, beginning=milliseconds(at))
    newest = {
        event.data.indicator: event.data.value
        for event in (
            READER.read(record.value)
            for record in events(world, at, at + timedelta(hours=5))
            if record.fate == "good"
        )
        if event.kind.name == "indicator" and event.data.unit == "46"
    }
    assert newest["tax.electronic"] < 0.9 * 95
    assert newest["payment.cashless"] > 60
