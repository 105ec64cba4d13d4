"""Figures as screens ask for them; each with its age.

Of the province, of all its units, of another moment, over time.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.query.clock import Clock
from dashboard.query.connection import Connection
from schemas.figures import FIGURES, Figure, Reading, Readings
from schemas.figures.aging import TIMELY, UNITS, By, aged, of_units, timely
from schemas.figures.questions import (
    ENTITY,
    AskedMoment,
    Key,
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
"""What figures of a period look back on."""
TREND_DAYS = 30
OUTSIDE = "outside"
"""Stands for the communes that are none of the province: unknown codes, or those of elsewhere."""


def of_unit(by: By, units: Units) -> str:
    """Return SQL: whether an entity is of the unit in the parameter `unit`.

    Empty for the province, which all are of.
    """
    return "" if by == "province" else f"{key_sql(by, units)} = %(unit)s"


@dataclass(frozen=True)
class FigureStore:
    """Asks for figures; all methods may raise `dashboard.query.connection.UnreachableError`.

    `calendar` is the working calendar of the province.
    """

    connection: Connection
    calendar: WorkingCalendar
    commune_units: Units = "today"
    """Whether communes are those of the day of a step, or of today."""

    def now(
        self,
        clock: Clock,
        figures: Iterable[Figure] = FIGURES,
        by: Sequence[str] = (),
        period: timedelta = PERIOD,
    ) -> dict[Key, dict[str, Reading]]:
        """Return what figures read now: values of the dimensions → code → reading, without ages."""
        moment = AskedMoment.of(clock.now(), self.calendar, period)
        return ask(self.connection.tuples, figures, moment, by, units=self.commune_units)

    def each(
        self, clock: Clock, figures: Sequence[Figure], ids: Sequence[str]
    ) -> dict[str, dict[str, Reading]]:
        """Return what each of some entities adds to figures of its kind.

        That is entity_id → code → what the figure would read of it alone; nothing of an entity that
        there is not.
        """
        if not ids:
            return {}
        found = ask(
            lambda query: self.connection.tuples(query, ids=tuple(ids)),
            figures,
            AskedMoment.of(clock.now(), self.calendar, PERIOD),
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
        by: By = "province",
        unit: str = "",
        state: bool = True,
    ) -> dict[str, Reading]:
        """Return what figures read at a moment of the past, as far as is known now.

        Of the province or one of its units. Without `state`, figures of a period only, and of each
        entity as it stands now: that costs a tenth.
        """
        moment = AskedMoment.of(at, self.calendar, period)
        parameters = {} if by == "province" else {"unit": unit}
        found = ask(
            lambda query: self.connection.tuples(query, **parameters),
            figures,
            moment,
            past=state,
            where=of_unit(by, self.commune_units),
        )
        return found.get((), {})

    def at_moments(
        self,
        moments: Sequence[datetime],
        figures: Iterable[Figure] = FIGURES,
        *,
        by: By = "province",
        unit: str = "",
    ) -> list[dict[str, Reading]]:
        """Return what `then` finds at each of several moments, in one pass."""
        parameters = {} if by == "province" else {"unit": unit}
        return ask_at(
            lambda query: self.connection.tuples(query, **parameters),
            figures,
            [AskedMoment.of(at, self.calendar, PERIOD) for at in moments],
            where=of_unit(by, self.commune_units),
        )

    def trends(
        self, clock: Clock, by: By, unit: str, days: int = TREND_DAYS
    ) -> dict[str, list[tuple[datetime, Reading]]]:
        """Return all figures of a unit day by day: code → (end of the day, or now), reading.

        Those of a period are of each day alone.
        """
        now, found = clock.now(), dict[str, list[tuple[datetime, Reading]]]()
        midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - timedelta(days=days - 1)
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
        """Return all figures of the province, of each commune and of each agency, with their ages.

        Args:
            clock: For which moment.
            province: Under which code those of the province are; others are under their own.
            current: Gives the sources as they stand, by which figures have their ages; called after
                the figures were asked.
            communes: Those of the province; with them, `OUTSIDE` has the figures of all others.
        """
        moment = AskedMoment.of(clock.now(), self.calendar, PERIOD)
        # First the figures, then the sources: their query may be on its way meanwhile.
        by_unit = ask_each(self.connection.tuples, FIGURES, moment, UNITS, units=self.commune_units)
        sources = current()
        found: dict[str, Readings] = {
            province: aged(by_unit.pop(()), sources) | {TIMELY: timely(sources)}
        }
        its = of_units(sources)  # once, as there are hundreds of both
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
    """Return counts and shares of several units in one, without medians and greatest spans."""
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
