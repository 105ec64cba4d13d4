"""Figures as screens need them: of the province, of every unit, of another moment, over time."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from schemas.figures import FIGURES, Figure, Reading, Readings
from schemas.figures.aging import TIMELY, UNITS, By, aged, of_units, timely
from schemas.figures.questions import (
    ENTITY,
    Key,
    QueryMoment,
    ask,
    ask_at,
    ask_each,
    by_kind,
    key_sql,
)
from schemas.figures.series import SeriesStep, series, series_readings
from schemas.places.restate import Units
from schemas.reference import ZONE, WorkingCalendar
from schemas.sources.freshness import Source

PERIOD = timedelta(days=30)
"""Period that figures of a period look back over."""
TREND_DAYS = 30
OUTSIDE = "outside"
"""Stands for communes outside the province: unknown codes, and communes of other provinces."""


def of_unit(by: By, units: Units) -> str:
    """Return an SQL condition: an entity belongs to the unit in the parameter `unit`.

    Empty for the province, to which every entity belongs.
    """
    return "" if by == "province" else f"{key_sql(by, units)} = %(unit)s"


@dataclass(frozen=True)
class FigureStore:
    """Queries figures; `calendar` is the working calendar of the province.

    Every method may raise `dashboard.query.connection.UnreachableError`.
    """

    connection: Connection
    calendar: WorkingCalendar
    commune_units: Units = "today"
    """Whether communes are units of a step's own day, or of today."""

    def now(
        self,
        clock: Clock,
        figures: Iterable[Figure] = FIGURES,
        by: Sequence[str] = (),
        period: timedelta = PERIOD,
    ) -> dict[Key, dict[str, Reading]]:
        """Return current readings (without ages): values of the dimensions → code → reading."""
        moment = QueryMoment.of(clock.now(), self.calendar, period)
        return ask(self.connection.tuples, figures, moment, by, units=self.commune_units)

    def each(
        self, clock: Clock, figures: Sequence[Figure], ids: Sequence[str]
    ) -> dict[str, dict[str, Reading]]:
        """Return what each of some entities contributes to the figures of its kind.

        By entity id, then by figure code: the reading over that entity alone. Unknown entities are
        left out.
        """
        if not ids:
            return {}
        found = ask(
            lambda query: self.connection.tuples(query, ids=tuple(ids)),
            figures,
            QueryMoment.of(clock.now(), self.calendar, PERIOD),
            (ENTITY,),
            where=f"{ENTITY} IN %(ids)s",
        )
        return {entity: readings for (entity,), readings in found.items()}

    def then(
        self,
        at: datetime,
        figures: Iterable[Figure] = FIGURES,
        period: timedelta = PERIOD,
        *,
        state: bool = True,
    ) -> dict[str, Reading]:
        """Return the readings of the province at a past moment, by what is known now.

        With `state=False`, only figures of a period, computed from each entity's current state: a
        tenth of the cost.
        """
        moment = QueryMoment.of(at, self.calendar, period)
        return ask(self.connection.tuples, figures, moment, past=state).get((), {})

    def at_moments(
        self,
        moments: Sequence[datetime],
        figures: Iterable[Figure] = FIGURES,
        *,
        by: By = "province",
        unit: str = "",
    ) -> list[dict[str, Reading]]:
        """Return what `then` returns for each of several moments, in one pass.

        For the province or one of its units.
        """
        parameters = {} if by == "province" else {"unit": unit}
        return ask_at(
            lambda query: self.connection.tuples(query, **parameters),
            figures,
            [QueryMoment.of(at, self.calendar, PERIOD) for at in moments],
            where=of_unit(by, self.commune_units),
        )

    def trends(self, clock: Clock, by: By, unit: str) -> dict[str, list[tuple[datetime, Reading]]]:
        """Return every figure of a unit by day: code → (end of the day, or now; reading).

        Of the last `TREND_DAYS`. Figures of a period cover that single day.
        """
        now, found = clock.now(), dict[str, list[tuple[datetime, Reading]]]()
        midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - timedelta(days=TREND_DAYS - 1)
        for ones in by_kind(FIGURES):
            ends, queries = series(
                ones,
                SeriesStep.DAY,
                since,
                now,
                self.calendar,
                where=of_unit(by, self.commune_units),
            )
            answers = [self.connection.tuples(one, unit=unit) for one in queries]
            found |= series_readings(ones, ends, answers)[()]
        return found

    def units(
        self,
        clock: Clock,
        province: str,
        current: Callable[[], Sequence[Source]],
        communes: Container[str] | None = None,
    ) -> dict[str, Readings]:
        """Return every figure of the province, each commune and each agency, with ages.

        Args:
            clock: the moment.
            province: the key for the province's readings; other units have their own codes.
            current: returns the current state of the sources, which gives figures their ages;
                called after the figures were queried.
            communes: the communes of the province; with them, `OUTSIDE` holds the figures of all
                others.
        """
        moment = QueryMoment.of(clock.now(), self.calendar, PERIOD)
        # Figures first: the query of the sources may be running in another thread meanwhile.
        by_unit = ask_each(self.connection.tuples, FIGURES, moment, UNITS, units=self.commune_units)
        sources = current()
        found: dict[str, Readings] = {
            province: aged(by_unit.pop(()), sources) | {TIMELY: timely(sources)}
        }
        its = of_units(sources)  # once, as there are hundreds of units and of sources
        for by in UNITS:
            for key, readings in by_unit.items():
                if key[:-1] == (by,) and (unit := key[-1]):
                    own = its.get((by, unit), ())
                    found[unit] = aged(readings, own) | {TIMELY: timely(own)}
        if communes is not None:
            found[OUTSIDE] = summed(
                [
                    one
                    for key, one in by_unit.items()
                    if key[:-1] == ("commune",) and _is_outside(key[-1], communes)
                ]
            )
        return found


def _is_outside(unit: str, communes: Container[str]) -> bool:
    return bool(unit) and unit not in communes


def summed(of: Sequence[Readings]) -> Readings:
    """Add up the counts and shares of several units; medians and maxima are left out."""
    found: dict[str, Reading] = {}
    for figure in FIGURES if of else ():
        ones = [reading for readings in of if (reading := readings.get(figure.code)) is not None]
        if not all(piece.additive for piece in figure.pieces):
            continue
        if figure.whole:
            part, whole = (
                sum(getattr(one, name) or 0 for one in ones) for name in ("part", "whole")
            )
            found[figure.code] = Reading(100 * part / whole if whole else None, part, whole)
        else:
            found[figure.code] = Reading(sum(one.value or 0 for one in ones))
    return found
