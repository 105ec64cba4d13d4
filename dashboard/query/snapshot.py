"""The snapshot: everything that a wall shows at one moment, independent of language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import TypeVar

import pandas as pd

from dashboard.query import alarm_groups as alarms
from dashboard.query import progress
from dashboard.query.alarm_groups import StoredAlarm, Watched
from dashboard.query.alarms import AlarmStore
from dashboard.query.clock import Clock, Picture, Replay
from dashboard.query.concurrent import run_concurrently
from dashboard.query.figures import FigureStore
from dashboard.query.lives import LifeStore
from dashboard.query.progress import Lag
from dashboard.query.sources import SourceStore
from dashboard.query.store import HERE, ScreenStore
from schemas import places, reference
from schemas.events.partitions import Partitions
from schemas.figures import BY_CODE, Figure, Readings
from schemas.figures.aging import aged, newest
from schemas.figures.questions import Key
from schemas.places import restate
from schemas.sources.freshness import DEAD, Source

T = TypeVar("T")


@dataclass(frozen=True)
class ProvinceContext:
    """A province as the screens know it, from the places and the reference data; loaded once.

    A province whose code is unknown has no names, outlines or agreed feeds, but its reports still
    have positions on a map.
    """

    code: str
    on: date | None = None
    """The day whose units, agencies and targets are valid; today if None."""
    known_on: date | None = None
    """The day whose working calendar is valid: days off announced later are unknown."""

    def then(self, replay: Replay) -> "ProvinceContext":
        """Return the province at a past moment."""
        day = replay.at.astimezone(HERE).date()
        return ProvinceContext(self.code, day, day if replay.picture is Picture.KNOWN else None)

    @cached_property
    def known(self) -> bool:
        """Whether the code is that of a known province."""
        return any(one.code == self.code for one in places.provinces())

    @property
    def units(self) -> restate.Units:
        """The units that figures and records are shown by.

        Before the reform, those of that time that became this province.
        """
        return restate.units_on(self.on)

    @cached_property
    def communes(self) -> list[places.Commune]:
        """Its communes; none for an unknown province."""
        return places.within(self.code, self.on) if self.known else []

    def commune(self, code: str) -> places.Commune | None:
        """Return the commune of a code; None for an unknown code."""
        return self._communes.get(code)

    @cached_property
    def _communes(self) -> dict[str, places.Commune]:
        return {one.code: one for one in self.communes}

    @cached_property
    def names(self) -> dict[str, str]:
        """Commune code → name."""
        return {one.code: one.name for one in self.communes}

    @cached_property
    def agencies(self) -> tuple[reference.Agency, ...]:
        """Its agencies; none for an unknown province."""
        then = dict.fromkeys(
            [self.code]
            if self.units == "today"
            else sorted({one.province for one in self.communes})
        )
        return (
            tuple(found for code in then for found in reference.agencies(code, self.on))
            if self.known
            else ()
        )

    def agency(self, code: str) -> reference.Agency:
        """Return the agency that a code means on the day."""
        return reference.agency(code, self.on)

    @cached_property
    def calendar(self) -> reference.WorkingCalendar:
        """Its working calendar."""
        return reference.calendar(self.code, self.known_on)

    @cached_property
    def province(self) -> places.Province | None:
        """The province; before the reform, the one that had its code then; None if unknown."""
        then = places.atlas().former_provinces if self.units == "day" else {}
        return then.get(self.code) or (places.province(self.code) if self.known else None)

    def full_name(self, language: str) -> str:
        """Return the name of the province for a heading."""
        if self.province is None:
            return self.code
        return self.province.full_name_en if language == "en" else self.province.full_name

    def aim(self, indicator: str) -> reference.Target | None:
        """Return the target of an indicator; None if it has none."""
        return reference.target(self.code, indicator, self.on)

    def target(self, indicator: str) -> float | None:
        """Return the value of an indicator's target; None if it has none."""
        found = self.aim(indicator)
        return found.value if found else None

    def working_day_before(self, at: datetime) -> datetime:
        """Return the midnight that began the last working day before a moment's day."""
        day = at.astimezone(HERE).replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(30):
            day -= timedelta(days=1)
            if self.calendar.is_working_day(day.date()):
                break
        return day


NOTHING: Readings = {}


@dataclass(frozen=True)
class Snapshot:
    """The state of the province at a moment.

    Figures of a period look back over 30 days; those in `today` cover the day so far.
    """

    at: datetime
    compare_day: datetime
    now: Readings
    day_ago: Readings
    """Figures of a day ago, to compare with."""
    today: Readings
    same_time: Readings
    """What was registered by the same time of the last working day."""
    communes: Mapping[str, Readings]
    communes_today: Mapping[str, Readings]
    waiting_since: datetime | None
    """Since when the longest-waiting document has waited for receipt."""
    points: pd.DataFrame
    sources: tuple[Source, ...]
    alarms: tuple[StoredAlarm, ...]
    lags: tuple[Lag, ...] = ()
    watched: Watched = field(default_factory=Watched)

    @cached_property
    def newest(self) -> dict[str, datetime]:
        """Kind → arrival of its newest event."""
        ages = {
            kind: newest([one for one in self.sources if one.kind == kind])
            for kind in {one.kind for one in self.sources}
        }
        return {kind: at for kind, at in ages.items() if at is not None}

    @property
    def calls(self) -> tuple[StoredAlarm, ...]:
        """The alarms that may be shown as open: none while the watch is down."""
        return self.alarms if self.watched.alive else ()

    @property
    def empty(self) -> bool:
        """Whether nothing was ever counted."""
        return not self.newest

    def stale(self, kind: str) -> bool:
        """Tell whether figures of a kind are stale because too many of its sources are silent."""
        return any(
            reading.stale for code, reading in self.now.items() if code.partition(".")[0] == kind
        )

    def unknown(self, kind: str) -> frozenset[str]:
        """Return the communes whose own feed of a kind is silent or refused.

        Nothing current is known about them.
        """
        return frozenset(
            one.commune
            for one in self.sources
            if one.commune and one.kind == kind and one.state in DEAD
        )


def _figures(*codes: str) -> tuple[Figure, ...]:
    return tuple(BY_CODE[code] for code in codes)


DAY_AGO = _figures(
    *(
        "filing.overdue",
        "filing.on_time",
        "filing.open",
        "filing.due_soon",
        "filing.duration_p50",
        "filing.wholly_online",
    ),
    *(
        "feedback.open",
        "feedback.overdue",
        "feedback.on_time",
        "feedback.satisfied",
        "feedback.duration_p50",
        "feedback.reopened",
    ),
    *(
        "document.waiting",
        "document.flash_waiting",
        "document.waiting_longest",
        "document.on_time",
        "document.receive_p50",
    ),
    "document.signed",
)
"""Figures that are compared with their values of a day ago."""
NOW = DAY_AGO + _figures(
    *("filing.overdue_longest", "filing.on_time_naive", "filing.registered"),
    *("meeting.live", "meeting.scheduled", "meeting.connected", "meeting.missing"),
)
TODAY = _figures("filing.registered", "filing.wholly_online", "feedback.received", "document.sent")
SAME_TIME = _figures("filing.registered", "feedback.received", "document.sent")
BY_COMMUNE = _figures(
    "filing.overdue", "filing.on_time", "filing.registered", "feedback.open", "document.waiting"
)
DAY = timedelta(days=1)


def a_day_ago(figures: FigureStore, clock: Clock) -> Readings:
    """Return the compared figures as of a day ago, by what is known now.

    Raises `dashboard.query.connection.UnreachableError`.
    """
    return figures.then(clock.now() - DAY, DAY_AGO)


def take(
    store: ScreenStore,
    clock: Clock,
    place: ProvinceContext,
    partitions: Partitions,
    stale_after: float,
    day_ago: Readings | None = None,
) -> Snapshot:
    """Run every query of a wall once.

    Args:
        store: holds the connection.
        clock: the moment.
        place: the province.
        partitions: the number of partitions of each kind.
        stale_after: seconds after which a job of the watch, or a worker, counts as silent.
        day_ago: the result of `a_day_ago`, if it is known already.

    Raises:
        UnreachableError: `dashboard.query.connection.UnreachableError`.
    """
    now, connection = clock.now(), store.connection
    compare_day = place.working_day_before(now)
    so_far = now - now.astimezone(HERE).replace(hour=0, minute=0, second=0, microsecond=0)
    figures, alarm_store = (
        FigureStore(connection, place.calendar, place.units),
        AlarmStore(connection),
    )
    # Another thread queries the sources meanwhile; they are needed last, for the ages.
    current_sources = run_concurrently(
        partial(SourceStore(connection, place.agencies, place.calendar).current, clock)
    )
    today = figures.now(clock, TODAY, period=so_far)
    same_time = figures.then(compare_day + so_far, SAME_TIME, so_far, state=False)
    communes = figures.now(clock, BY_COMMUNE, ("commune",))
    communes_today = figures.now(clock, TODAY[:1], ("commune",), period=so_far)
    waiting_since = LifeStore(connection, place.calendar).waiting_since(clock)
    points = store.feedback_points(clock)
    open_alarms, jobs = alarm_store.open(clock), alarm_store.jobs()
    worker_progress = store.progress()
    current = figures.now(clock, NOW)
    sources = current_sources()
    return Snapshot(
        at=now,
        compare_day=compare_day,
        now=aged(current.get((), NOTHING), sources),
        day_ago=day_ago or NOTHING,
        today=today.get((), NOTHING),
        same_time=same_time,
        communes=_by_commune(communes),
        communes_today=_by_commune(communes_today),
        waiting_since=waiting_since,
        points=points,
        sources=sources,
        alarms=alarms.grouped(alarms.read(open_alarms)),
        lags=progress.judge(worker_progress, partitions.at(now), stale_after),
        watched=alarms.watched(jobs, now, stale_after),
    )


def _by_commune(found: Mapping[Key, Readings]) -> dict[str, Readings]:
    return {commune: readings for (commune,), readings in found.items() if commune}
