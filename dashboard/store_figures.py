"""Figures as screens ask for them: of the province, of all its units, of another moment, over time; each with its age."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.clock import Clock
from dashboard.connection import Connection
from schemas.figures import FIGURES, Figure, Reading, Readings
from schemas.figures.aging import TIMELY, By, aged, timely
from schemas.figures.questions import Key, Moment, ask, dimensions
from schemas.figures.series import Step, series, series_readings
from schemas.freshness import Source
from schemas.reference import ZONE, WorkingCalendar

PERIOD = timedelta(days=30)
"""What figures of a period look back on."""
TREND_DAYS = 30


@dataclass(frozen=True)
class FigureStore:
    """Asks for figures. `calendar` is the working calendar of the province; all may raise `dashboard.connection.Unreachable`."""

    connection: Connection
    calendar: WorkingCalendar

    def now(
        self, clock: Clock, figures: Iterable[Figure] = FIGURES, by: Sequence[str] = (), period: timedelta = PERIOD, where: str = ""
    ) -> dict[Key, dict[str, Reading]]:
        """What figures read now: values of the dimensions → code → reading. The ages are not told."""
        return ask(self.connection.tuples, figures, Moment.of(clock.now(), self.calendar, period), by, where=where)

    def then(
        self,
        at: datetime,
        figures: Iterable[Figure] = FIGURES,
        by: Sequence[str] = (),
        period: timedelta = PERIOD,
        where: str = "",
        *,
        state: bool = True,
    ) -> dict[Key, dict[str, Reading]]:
        """What figures read at a moment of the past, as far as is known now.

        Without `state`, figures of a period only, and of each entity as it stands now: that costs a tenth.
        """
        return ask(self.connection.tuples, figures, Moment.of(at, self.calendar, period), by, past=state, where=where)

    def series(
        self, figures: Sequence[Figure], step: Step, since: datetime, until: datetime, by: Sequence[str] = (), where: str = ""
    ) -> dict[Key, dict[str, list[tuple[datetime, Reading]]]]:
        """Figures of one kind over time: values of the dimensions → code → (end of a part, reading), oldest first."""
        ends, questions = series(figures, step, since, until, self.calendar, by, where)
        return series_readings(figures, ends, [self.connection.tuples(one) for one in questions], len(by))

    def trends(self, clock: Clock, by: By, unit: str, days: int = TREND_DAYS) -> dict[str, list[tuple[datetime, Reading]]]:
        """All figures of a unit day by day: code → (end of the day, or now), reading. Those of a period tell of each day alone."""
        now, found = clock.now(), dict[str, list[tuple[datetime, Reading]]]()
        midnight = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        for kind in dict.fromkeys(figure.kind for figure in FIGURES):
            ones = [figure for figure in FIGURES if figure.kind is kind]
            where = "" if by == "province" else f"{by} = %(unit)s"
            ends, questions = series(ones, Step.DAY, midnight - timedelta(days=days - 1), now, self.calendar, where=where)
            answers = [self.connection.tuples(one, unit=unit) for one in questions]
            found |= series_readings(ones, ends, answers)[()]
        return found

    def units(self, clock: Clock, province: str, sources: Sequence[Source]) -> dict[str, Readings]:
        """All figures of the province, of each commune and of each agency, by their codes, with their ages."""
        found: dict[str, Readings] = {}
        whole = self.now(clock).get((), {})
        found[province] = aged(whole, sources) | {TIMELY: timely(sources)}
        units: tuple[By, ...] = ("commune", "agency")
        for by in units:
            figures = [figure for figure in FIGURES if by in dimensions(figure.kind)]
            for (unit,), readings in self.now(clock, figures, (by,)).items():
                if unit:
                    found[unit] = aged(readings, sources, by, unit) | {TIMELY: timely(sources, by, unit)}
        return found
