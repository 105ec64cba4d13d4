"""Simulate indicator values, reported daily, weekly or monthly, that move towards targets or not.

Bodies and communes report them. A monthly report includes the values of the five periods before, as
revised: so a first month already has a history.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache

from ingest.simulator.clock import DAY, HOUR, SECOND, moment
from ingest.simulator.dice import Dice
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import World
from schemas.events.payloads import Indicator
from schemas.moments import milliseconds
from schemas.reference import ZONE, IndicatorType, indicators, target
from schemas.scores.periods import ReportPeriod

YEAR = 365 * DAY
START = 0.9
"""Where an indicator stood a year before its target is due, as a part of the target."""
GOALS = {
    "tax.electronic": 0.84,
    "economy.digital": 0.82,
    "internet.fibre": 0.97,
    "economy.sme": 0.96,
    "health.records": 0.985,
    "document.electronic": 0.98,
    "economy.ocop": 0.965,
    "land.database": 0.93,
    "payment.cashless": 1.004,
    "adults.smartphone": 1.004,
    "identity.accounts": 1.003,
    "app.installs": 1.006,
    "service.index": 1.005,
}
"""Where an indicator will stand when its target is due, as a part of the target.

Clearly off track below 0.95, at risk below 1, on track until the last weeks just above it; the
others reach it a month or two before.
"""
PASSED = 1.03
MAX_DELAY = 1.2
"""Years for which it keeps moving, from one before the target is due."""
AIMS = {
    "app.visits": 17_000_000.0,
    "hotline.calls": 38_000.0,
    "digital.teams": 697.0,
    "service.index.publicity": 14.0,
    "service.index.progress": 18.0,
    "service.index.satisfaction": 17.0,
    "service.index.rank": 12.0,
    "service.index.mean": 76.0,
    "procedure.complete": 96.0,
    "filing.synchronised": 93.0,
    "assessment.council": 8.8,
}
"""What indicators without a target move towards."""
FIXED = {"service.index.ranked": 34.0}
"""Values that do not move."""
REPORTED_FROM, REPORTED_WITHIN = 8, 3
"""First hour of reports, and for how many hours they come."""
SPREAD = 0.05
"""How far communes and agencies differ from the province, as a part of the value."""
REVISED = 5
"""How many earlier periods a monthly report repeats."""


@cache
def _reported() -> tuple[IndicatorType, ...]:
    return tuple(one for one in indicators() if one.rhythm != "live")


def generate(world: World, hour: int, dice: Dice, layer: int) -> Iterator[SimulatedStep]:
    """Yield the reports of an hour.

    A unit reports its weekly values on a weekday, and its others on a day of the month, of its own.
    Values of a quarter or a year are given each month as they stand.
    """
    here = moment(hour)
    if (
        layer
        or not REPORTED_FROM <= here.hour < REPORTED_FROM + REPORTED_WITHIN
        or not world.clock.is_working_day(hour)
    ):
        return
    for one in _reported():
        for number, (unit, commune, agency) in enumerate(_units(world, one)):
            if (
                _due(world, one, number, here)
                and (number + len(one.code)) % REPORTED_WITHIN == here.hour - REPORTED_FROM
            ):
                at = hour + int(dice.random() * HOUR) // SECOND * SECOND
                for period in reversed(_periods(one, here.date())):
                    stands = min(at, milliseconds(datetime.combine(period.last, time(12), ZONE)))
                    event = Indicator(
                        agency=agency,
                        commune=commune,
                        indicator=one.code,
                        unit=unit,
                        period=period.text,
                        value=_figure(world, one, unit, stands, dice),
                        measure_unit=one.measure_unit,
                        reported_at=moment(at),
                    )
                    # A revision is a step of the same entity, numbered by the report it came with.
                    revision = (
                        1
                        if one.rhythm in ("daily", "weekly")
                        else _months(period.first, here.date()) + 1
                    )
                    yield SimulatedStep(
                        at, f"{one.code}/{event.unit}/{period.text}/{revision}", agency, event
                    )


def _units(world: World, one: IndicatorType) -> list[tuple[str, str, str]]:
    """Return what an indicator is reported for: unit, its commune, and the agency that reports."""
    if one.level == "agency":
        return [(office.code, "", world.body(one.body)) for office in world.offices]
    communes = world.communes if one.level == "commune" else ()
    of_communes = [(commune.code, commune.code, world.committee(commune)) for commune in communes]
    return [(world.province, "", world.body(one.body)), *of_communes]


def _due(world: World, one: IndicatorType, number: int, here: datetime) -> bool:
    """Return whether a unit reports an indicator on a working day.

    Monthly ones are due on the unit's day of the month or the next working day.
    """
    if one.rhythm == "daily":
        return True
    if one.rhythm == "weekly":
        return number % 5 == here.weekday()
    own = number % 20 + 1
    before = (milliseconds(here.replace(day=day)) for day in range(own, here.day))
    return own <= here.day and not any(world.clock.is_working_day(at) for at in before)


def _periods(one: IndicatorType, day: date) -> list[ReportPeriod]:
    """Return the periods that a report of that day gives, newest first."""
    if one.rhythm in ("daily", "weekly"):
        return [ReportPeriod.parse(f"{day:%Y-%m-%d}")]
    found: list[ReportPeriod] = []
    while len(found) <= REVISED:
        text = {"yearly": f"{day:%Y}", "quarterly": f"{day:%Y}-Q{(day.month + 2) // 3}"}.get(
            one.rhythm, f"{day:%Y-%m}"
        )
        found.append(ReportPeriod.parse(text))
        day = found[-1].first - timedelta(days=1)
    return found


def _months(first: date, day: date) -> int:
    return (day.year - first.year) * 12 + day.month - first.month


def _figure(world: World, one: IndicatorType, unit: str, at: int, dice: Dice) -> float:
    if one.code in FIXED:
        return FIXED[one.code]
    aim = target(world.province, one.code)
    goal = aim.value if aim else AIMS.get(one.code, 50.0)
    if one.direction == "down":  # A rank: it does not drift from day to day.
        return float(round(goal + world.dice("rank", one.code).between(0, 2)))
    due = milliseconds(datetime.combine(aim.due, time(), ZONE)) if aim else at + YEAR // 2
    passed = min(max(1 - (due - at) / YEAR, 0.0), MAX_DELAY)
    part = START + (GOALS.get(one.code, PASSED) - START) * passed
    nature = 1 + (
        world.dice("nature", one.code, unit).between(-SPREAD, SPREAD)
        if unit != world.province
        else 0
    )
    value = goal * part * nature * (1 + 0.002 * (dice.random() - 0.5))
    if one.measure_unit == "%":
        return round(max(0.0, min(value, 100.0)), 2)
    return round(value, 1) if one.measure_unit == "điểm" else float(round(value))
