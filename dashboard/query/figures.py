"""Figures as screens ask for them: of the province, of all its units, of another moment, over time; each with its age."""

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
"""Stands for the communes that are none of the province: their codes are unknown, or of elsewhere."""


def of_unit(by: By, units: Units) -> str:
    """SQL: whether an entity is of the unit that is given as the parameter `unit`; empty for the province, which all are of."""
    return "" if by == "province" else f"{key_sql(by, units)} = %(unit)s"


@dataclass(frozen=True)
class FigureStore:
    """Asks for figures. `calendar` is the working calendar of the province; all may raise
    `dashboard.query.connection.Unreachable`."""

    connection: Connection
    calendar: WorkingCalendar
    told_by: Units = "today"
    """By which units communes are told apart and meant."""

    def now(
        self,
        clock: Clock,
        figures: Iterable[Figure] = FIGURES,
        by: Sequence[str] = (),
        period: timedelta = PERIOD,
    ) -> dict[Key, dict[str, Reading]]:
        """What figures read now: values of the dimensions → code → reading. The ages are not told."""
        asked = AskedMoment.of(clock.now(), self.calendar, period)
        connection = (
            self.connection.reaching(clock.now() - period)
            if set(by) <= set(UNITS)
            else self.connection
        )
        return ask(connection.tuples, figures, asked, by, units=self.told_by)

    def each(
        self, clock: Clock, figures: Sequence[Figure], ids: Sequence[str]
    ) -> dict[str, dict[str, Reading]]:
        """What each of some entities adds to figures of its kind: entity_id → code → what the figure would read of it alone. Of one
        that there is not, nothing."""
        if not ids:
            return {}
        asked, where = AskedMoment.of(clock.now(), self.calendar, PERIOD), f"{ENTITY} IN %(ids)s"
        found = ask(
            lambda sql: self.connection.tuples(sql, ids=tuple(ids)),
            figures,
            asked,
            (ENTITY,),
            where=where,
        )
        return {entity: said for (entity,), said in found.items()}

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
        """What figures of the province or one of its units read at a moment of the past, as far as is known now.

        Without `state`, figures of a period only, and of each entity as it stands now: that costs a tenth.
        """
        moment = AskedMoment.of(at, self.calendar, period)
        where, given = of_unit(by, self.told_by), {} if by == "province" else {"unit": unit}
        connection = self.connection.reaching(at - period, at)
        found = ask(
            lambda sql: connection.tuples(sql, **given), figures, moment, past=state, where=where
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
        """What `then` finds at each of several moments, in one pass."""
        given = {} if by == "province" else {"unit": unit}
        connection = self.connection.reaching(min(moments) - PERIOD, min(moments))
        asked = [AskedMoment.of(at, self.calendar, PERIOD) for at in moments]
        return ask_at(
            lambda sql: connection.tuples(sql, **given),
            figures,
            asked,
            where=of_unit(by, self.told_by),
        )

    def trends(
        self, clock: Clock, by: By, unit: str, days: int = TREND_DAYS
    ) -> dict[str, list[tuple[datetime, Reading]]]:
        """All figures of a unit day by day: code → (end of the day, or now), reading. Those of a period tell of each day alone."""
        now, found = clock.now(), dict[str, list[tuple[datetime, Reading]]]()
        midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - timedelta(days=days - 1)
        connection = self.connection.reaching(midnight - timedelta(days=days), since)
        for ones in by_kind(FIGURES):
            ends, questions = series(
                ones, SeriesStep.DAY, since, now, self.calendar, where=of_unit(by, self.told_by)
            )
            answers = [connection.tuples(one, unit=unit) for one in questions]
            found |= series_readings(ones, ends, answers)[()]
        return found

    def units(
        self,
        clock: Clock,
        province: str,
        current: Callable[[], Sequence[Source]],
        communes: Container[str] | None = None,
    ) -> dict[str, Readings]:
        """All figures of the province, of each commune and of each agency, by their codes, with their ages: those of the sources,
        which are asked for last. With the communes of the province, `OUTSIDE` has those of all other communes in one."""
        now = clock.now()
        tuples = self.connection.reaching(now - PERIOD).tuples
        asked = ask_each(
            tuples, FIGURES, AskedMoment.of(now, self.calendar, PERIOD), UNITS, units=self.told_by
        )
        sources = current()
        found: dict[str, Readings] = {
            province: aged(asked.pop(()), sources) | {TIMELY: timely(sources)}
        }
        its = of_units(sources)  # once, as there are hundreds of both
        for by in UNITS:
            for key, readings in asked.items():
                if key[:-1] == (by,) and (unit := key[-1]):
                    own = its.get((by, unit), ())
                    found[unit] = aged(readings, own) | {TIMELY: timely(own)}
        if communes is not None:
            found[OUTSIDE] = summed(
                [
                    one
                    for key, one in asked.items()
                    if key[:-1] == ("commune",) and _is_outside(key[-1], communes)
                ]
            )
        return found


def _is_outside(unit: str, communes: Container[str]) -> bool:
    return bool(unit) and unit not in communes


def summed(of: Sequence[Readings]) -> Readings:
    """Return counts and shares of several units in one; medians and greatest spans are not told."""
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
