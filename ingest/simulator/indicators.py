"""Figures of indicators, reported daily, weekly or monthly by bodies and communes; they move towards their targets, or not."""

from collections.abc import Iterator
from datetime import datetime, time
from functools import cache

from ingest.simulator.clock import DAY, HOUR, SECOND, moment
from ingest.simulator.dice import Dice
from ingest.simulator.steps import Step
from ingest.simulator.world import World
from schemas.events import Indicator
from schemas.moments import milliseconds
from schemas.reference import ZONE, IndicatorType, indicators, target

YEAR = 365 * DAY
START = 0.9
"""Where an indicator stood a year before its target is due, as a part of the target."""
GOALS = {"tax.electronic": 0.84, "internet.fibre": 0.97, "economy.sme": 0.93, "health.records": 0.985}
"""Where an indicator will stand when its target is due, as a part of the target; the others pass it a little."""
PASSED = 1.015
AIMS = {
    "app.visits": 17_000_000.0,
    "hotline.calls": 38_000.0,
    "digital.teams": 697.0,
    "land.database": 85.0,
    "service.index.publicity": 14.0,
    "service.index.progress": 18.0,
    "service.index.satisfaction": 17.0,
}
"""What indicators without a target move towards."""
REPORTED_FROM, REPORTED_WITHIN = 8, 3
"""Reports come from eight in the morning on, for three hours of the clock."""
SPREAD = 0.05
"""How far communes differ from the province, as a part of the figure."""


@cache
def _reported() -> tuple[IndicatorType, ...]:
    return tuple(one for one in indicators() if one.rhythm != "live")


def born(world: World, hour: int, dice: Dice, layer: int) -> Iterator[Step]:
    """The reports of an hour. A unit reports its weekly figures on a weekday and its monthly ones on a working day of its own."""
    here = moment(hour)
    if layer or not REPORTED_FROM <= here.hour < REPORTED_FROM + REPORTED_WITHIN or not world.clock.is_working_day(hour):
        return
    for one in _reported():
        units = [("", world.body(one.body))]
        if one.level == "commune":
            units += [(commune.code, world.committee(commune)) for commune in world.communes]
        for number, (commune, agency) in enumerate(units):
            due = {"daily": True, "weekly": number % 5 == here.weekday(), "monthly": number % 20 + 1 == here.day}[one.rhythm]
            if due and (number + len(one.code)) % REPORTED_WITHIN == here.hour - REPORTED_FROM:
                at = hour + int(dice.random() * HOUR) // SECOND * SECOND
                period = f"{here:%Y-%m}" if one.rhythm == "monthly" else f"{here:%Y-%m-%d}"
                event = Indicator(
                    agency=agency,
                    commune=commune,
                    indicator=one.code,
                    unit=commune or world.province,
                    period=period,
                    value=_figure(world, one, commune, at, dice),
                    measure_unit=one.measure_unit,
                    reported_at=moment(at),
                )
                yield Step(at, f"{one.code}/{event.unit}/{period}/1", agency, event)


def _figure(world: World, one: IndicatorType, commune: str, at: int, dice: Dice) -> float:
    aim = target(world.province, one.code)
    goal = aim.value if aim else AIMS.get(one.code, 50.0)
    if one.direction == "down":  # A rank: it does not drift from day to day.
        return float(round(goal + world.dice("rank", one.code).between(0, 2)))
    due = milliseconds(datetime.combine(aim.due, time(), ZONE)) if aim else at + YEAR // 2
    passed = 1 - (due - at) / YEAR
    part = START + (GOALS.get(one.code, PASSED) - START) * passed
    nature = 1 + (world.dice("nature", one.code, commune).between(-SPREAD, SPREAD) if commune else 0)
    value = goal * part * nature * (1 + 0.002 * (dice.random() - 0.5))
    if one.measure_unit == "%":
        return round(max(0.0, min(value, 100.0)), 2)
    return round(value, 1) if one.measure_unit == "điểm" else float(round(value))
