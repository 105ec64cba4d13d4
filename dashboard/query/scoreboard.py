"""A province's targets and scores at a moment, in no language: reports from the store, rules of `schemas.scores`.

What is computed here comes as `live`, per unit (the province's code, a commune's, an agency's); what it lacks is unknown.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from dashboard.query.clock import Clock
from dashboard.query.store import ScreenStore
from schemas import scores
from schemas.clickhouse.sql import REPORT_DAYS
from schemas.figures import Reading, Readings
from schemas.reference import ZONE, Target, UnitKind, calendar, criteria_set, indicator
from schemas.scores import IndicatorReport, LeftOut, Score, Series, TargetStanding, TargetStatus
from schemas.scores.standing import NO_REPORTS

NOTHING: Mapping[str, Readings] = {}


@dataclass(frozen=True)
class Scoreboard:
    """How the targets of a province stand for it or for one of its communes at a moment."""

    at: datetime
    unit: str
    standings: tuple[TargetStanding, ...]

    @property
    def count(self) -> dict[TargetStatus, int]:
        """How many targets stand how; every status is there."""
        return {
            status: sum(one.status is status for one in self.standings) for status in TargetStatus
        }

    @property
    def left_out(self) -> tuple[tuple[IndicatorReport, LeftOut], ...]:
        """Reports that could not be used, with the reason."""
        return tuple(one for standing in self.standings for one in standing.series.left_out)


def scoreboard(
    store: ScreenStore,
    clock: Clock,
    province: str,
    live: Mapping[str, Readings] = NOTHING,
    unit: str | None = None,
) -> Scoreboard:
    """The scoreboard of a province, or of its commune `unit`. Raises `dashboard.query.connection.Unreachable`."""
    return scoreboards(store, clock, province, (unit or province,), live)[unit or province]


def scoreboards(
    store: ScreenStore,
    clock: Clock,
    province: str,
    units: Collection[str],
    live: Mapping[str, Readings] = NOTHING,
) -> dict[str, Scoreboard]:
    """The scoreboards of several units (the province, communes), with one question to ClickHouse. Raises as `scoreboard`."""
    now = clock.now()
    found = series(store, clock, units)
    return {
        unit: Scoreboard(
            now, unit, scores.standings(province, unit, found, live.get(unit, {}), now)
        )
        for unit in units
    }


def series(
    store: ScreenStore, clock: Clock, units: Collection[str], days: int = REPORT_DAYS
) -> dict[tuple[str, str], Series]:
    """(Unit, indicator) → its series of the reports of the last days."""
    return scores.by_indicator(
        (IndicatorReport(**row) for row in store.indicator_reports(clock, units, days)), clock.now()
    )


def compared(
    target: Target,
    units: Collection[str],
    found: Mapping[tuple[str, str], Series],
    live: Mapping[str, Readings],
    now: datetime,
    province: str,
) -> list[TargetStanding]:
    """How one target stands for several units, from their series as `series` gives them; empty for one not known by commune."""
    of = indicator(target.indicator)
    if of is None or of.level != "commune":
        return []
    return [
        scores.standing(
            target,
            of,
            unit,
            found.get((unit, of.code), NO_REPORTS),
            live.get(unit, {}),
            now,
            province,
        )
        for unit in units
    ]


def readings(
    store: ScreenStore,
    clock: Clock,
    province: str,
    units: Collection[str],
    live: Mapping[str, Readings] = NOTHING,
    days: int = REPORT_DAYS,
) -> dict[str, dict[str, Reading]]:
    """Unit → all that it reads: indicators reported of it in the last days, and its figures in `live`. Raises as `scoreboard`."""
    now, found = clock.now(), series(store, clock, units, days)
    return {
        unit: scores.readings(found, unit, now, calendar(province)) | dict(live.get(unit, {}))
        for unit in units
    }


def score_units(
    store: ScreenStore,
    clock: Clock,
    province: str,
    criteria: str,
    units: Mapping[str, UnitKind],
    live: Mapping[str, Readings] = NOTHING,
) -> dict[str, Score]:
    """Unit → its score by the criteria set of that code, as it holds on the clock's day; `units` says of each what it is.

    Raises `KeyError` for a set that is not there on that day, else as `scoreboard`. `schemas.scores.league` ranks the result.
    """
    chosen = criteria_set(criteria, clock.now().astimezone(ZONE).date())
    asked = {unit: kind for unit, kind in units.items() if chosen.scores(kind)}
    read = readings(store, clock, province, asked, live)
    return {
        unit: scores.score(chosen, read[unit], () if kind == "province" else ((kind, (unit,)),))
        for unit, kind in asked.items()
    }


def published(store: ScreenStore, clock: Clock, province: str, criteria: str = "766") -> Score:
    """The province's score as others published it: total and groups, with what is not known of them. Raises as `score_units`."""
    chosen = criteria_set(criteria, clock.now().astimezone(ZONE).date())
    return scores.published(chosen, readings(store, clock, province, (province,))[province])
