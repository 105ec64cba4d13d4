"""Scores of the province and its units by targets and criteria, each queried once per tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from dashboard.query import scoreboard
from dashboard.query.scoreboard import Scoreboard
from dashboard.request.address import PageRequest
from dashboard.request.context import PageContext
from schemas import scores
from schemas.figures import FIGURES, UNKNOWN, Figure, Reading
from schemas.figures.aging import By
from schemas.reference import (
    ZONE,
    CriteriaSet,
    Target,
    UnitKind,
    criteria_set,
    criteria_sets,
    targets,
)
from schemas.scores import Rank, Score, SeriesPoint, TargetStanding

LeagueKind = Literal["province", "commune", "office", "local"]
"""What is compared with its like: the province, communes, provincial agencies, commune agencies."""
LEAGUES: tuple[LeagueKind, ...] = ("commune", "office", "local")

LOOK_INTERVAL, MOMENTS = timedelta(days=5), 6
"""Distance between the past moments at which computed figures are read, and their number."""
PUBLISHED_DAYS = 10 * 366
"""How far back a published score is used: an old one is better than none if its age is shown."""
FEW = 0.1
"""Smallest part of today's count that an earlier share must rest on: the very first filings prove
nothing, nor does the one that is closed on a Sunday.
"""


def units(context: PageContext) -> Mapping[str, LeagueKind]:
    """Return every scored unit of the province with its kind."""
    place = context.place
    bodies: dict[str, LeagueKind] = {
        one.code: "office" if one.level == "province" else "local" for one in place.agencies
    }
    return {place.code: "province", **dict.fromkeys(place.names, "commune"), **bodies}


def scored_as(kind: LeagueKind) -> UnitKind:
    """Return the name that sets of criteria give to units of a kind."""
    return (
        "agency" if kind in ("office", "local") else "commune" if kind == "commune" else "province"
    )


def board_unit(context: PageContext, request: PageRequest) -> str:
    """Return the unit whose scoreboard is requested: the province or a commune.

    Raises:
        LookupError: there is no such unit; the message is for the screen.
    """
    unit = request.get("unit", context.place.code)
    if unit != context.place.code and unit not in context.place.names:
        raise LookupError(request.translator("unknown_unit", id=unit))
    return unit


def board(context: PageContext, unit: str) -> Scoreboard:
    """Return the standings of all targets for the province or a commune."""
    return context.cached(
        ("board", unit),
        lambda: scoreboard.scoreboard(
            context.store, context.clock, context.place.code, context.units(), unit
        ),
    )


def past(context: PageContext, unit: str) -> Mapping[str, tuple[SeriesPoint, ...]]:
    """Return the readings of computed target figures at moments of the last weeks and now.

    Each looks back over its own period, as the current figure does: single days would drop at every
    weekend.

    Returns:
        Series of readings by figure code.
    """
    current = {
        one.target.indicator: one.reading
        for one in board(context, unit).standings
        if not one.reading.stale
    }
    points: dict[str, list[SeriesPoint]] = {}
    for day, read in (*earlier(context, unit), (_day(context.clock.now()), current)):
        for code in {figure.code for figure in _aimed_at(context)} & read.keys() & current.keys():
            value = read[code].value
            if value is not None and enough(read[code], current[code].whole):
                points.setdefault(code, []).append(SeriesPoint(day, value))
    return {code: tuple(found) for code, found in points.items()}


def earlier(context: PageContext, unit: str) -> Sequence[tuple[date, Mapping[str, Reading]]]:
    """Return the readings of a unit's target figures at those moments, oldest first."""
    by: By = "province" if unit == context.place.code else "commune"

    def requested() -> list[tuple[date, Mapping[str, Reading]]]:
        now = context.clock.now()
        moments = [now - number * LOOK_INTERVAL for number in range(MOMENTS, 0, -1)]
        found = context.figures.at_moments(moments, _aimed_at(context), by=by, unit=unit)
        return [(_day(at), read) for at, read in zip(moments, found, strict=True)]

    return context.cached(("past", unit), requested, seconds=600)


def _aimed_at(context: PageContext) -> list[Figure]:
    wanted = {one.indicator for one in targets(context.place.code, _day(context.clock.now()))}
    return [figure for figure in FIGURES if figure.code in wanted]


def enough(reading: Reading, most: float | None) -> bool:
    """Tell whether a share rests on enough records to be compared with one that rests on `most`."""
    return (reading.whole or 0) >= FEW * (most or 0)


def _day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def ranking(context: PageContext, target: Target) -> tuple[TargetStanding, ...]:
    """Return a target's standing for every commune: best first, old and unknown ones last."""
    communes = tuple(context.place.names)
    found = context.cached(
        "commune_series", lambda: scoreboard.series(context.store, context.clock, communes)
    )
    compared = scoreboard.compared(
        target, communes, found, context.units(), context.clock.now(), context.place.code
    )
    sign = -1 if target.direction == "up" else 1

    def order(one: TargetStanding) -> tuple[bool, float]:
        value = one.reading.value
        return value is None or one.reading.stale, 0.0 if value is None else sign * value

    return tuple(sorted(compared, key=order))


def chosen_set(context: PageContext, request: PageRequest) -> CriteriaSet:
    """Return the requested set of criteria.

    Raises:
        LookupError: there is no such set; the message is for the screen.
    """
    day = _day(context.clock.now())
    code = request.get("set", criteria_sets(day)[0].code)
    try:
        return criteria_set(code, day)
    except KeyError:
        raise LookupError(request.translator("unknown_set", id=code)) from None


def scored(context: PageContext, criteria: CriteriaSet) -> Mapping[str, Score]:
    """Return the score by unit, for all units that the set of criteria is for."""
    kinds = {code: scored_as(kind) for code, kind in units(context).items()}
    return context.cached(
        ("scores", criteria.code),
        lambda: scoreboard.score_units(
            context.store, context.clock, context.place.code, criteria.code, kinds, context.units()
        ),
    )


def league(context: PageContext, criteria: CriteriaSet, kind: LeagueKind) -> tuple[Rank, ...]:
    """Rank the units of a kind by total; those with too little data follow, by coverage."""
    kinds = units(context)
    ranks = scores.league(
        {unit: one for unit, one in scored(context, criteria).items() if kinds[unit] == kind}
    )
    return tuple(
        sorted(ranks, key=lambda one: (one.place is None, one.place or -one.score.coverage))
    )


@dataclass(frozen=True)
class Published:
    """The published score of the province, with its rank among the provinces and their mean."""

    score: Score
    rank: Reading
    ranked: Reading
    mean: Reading

    @property
    def known(self) -> bool:
        """Whether a score was published."""
        return (self.score.reported or UNKNOWN).value is not None or self.score.known > 0


def published(context: PageContext, criteria: CriteriaSet) -> Published | None:
    """Return the published score of the province; None if nobody publishes scores by this set."""
    if not criteria.reported:
        return None
    place = context.place.code
    read = context.cached(
        ("reported", place),
        lambda: scoreboard.readings(
            context.store, context.clock, place, (place,), days=PUBLISHED_DAYS
        )[place],
        seconds=10,
    )
    rank, ranked, mean = (
        read.get(f"{criteria.reported}.{name}", UNKNOWN) for name in ("rank", "ranked", "mean")
    )
    return Published(scores.published(criteria, read), rank, ranked, mean)
