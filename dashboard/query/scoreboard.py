"""A province's targets and scores at a moment, independent of language.

Reports come from the store, rules from `schemas.scores`. Figures computed by this system are passed
as `live`, by unit (code of the province, a commune or an agency); a missing one is unknown. All
functions that take a store may raise `dashboard.query.connection.UnreachableError`.
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
from schemas.scores import IndicatorReport, Score, Series, TargetStanding, TargetStatus
from schemas.scores.standing import NO_REPORTS

NOTHING: Mapping[str, Readings] = {}


@dataclass(frozen=True)
class Scoreboard:
    """Standings of a province's targets at a moment, for it or for one of its communes."""

    at: datetime
    unit: str
    standings: tuple[TargetStanding, ...]

    @property
    def count(self) -> dict[TargetStatus, int]:
        """The number of targets in each status; every status is present."""
        return {
            status: sum(one.status is status for one in self.standings) for status in TargetStatus
        }


def scoreboard(
    store: ScreenStore,
    clock: Clock,
    province: str,
    live: Mapping[str, Readings] = NOTHING,
    unit: str | None = None,
) -> Scoreboard:
    """Return the scoreboard of a province, or of its commune `unit`."""
    return scoreboards(store, clock, province, (unit or province,), live)[unit or province]


def scoreboards(
    store: ScreenStore,
    clock: Clock,
    province: str,
    units: Collection[str],
    live: Mapping[str, Readings] = NOTHING,
) -> dict[str, Scoreboard]:
    """Return the scoreboards of several units (the province, communes), with one query."""
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
    """Return the series of reports of the last days: (unit, indicator) → series."""
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
    """Return the standing of one target for several units, from series as `series` returns them.

    Empty for a target that is not known by commune.
    """
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
    """Return all readings of units: unit → code → reading.

    These are the indicators reported in the last days, and the figures in `live`.
    """
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
    """Return the scores of units; `schemas.scores.league` ranks them.

    Args:
        store: returns the reports.
        clock: the moment; the set of criteria is the one valid on its day.
        province: the code of the province.
        criteria: the code of the set of criteria.
        units: unit → its type.
        live: unit → its computed figures.

    Raises:
        KeyError: the set is not valid on that day.
    """
    chosen = criteria_set(criteria, clock.now().astimezone(ZONE).date())
    scored = {unit: kind for unit, kind in units.items() if chosen.scores(kind)}
    read = readings(store, clock, province, scored, live)
    return {
        unit: scores.score(chosen, read[unit], () if kind == "province" else ((kind, (unit,)),))
        for unit, kind in scored.items()
    }
