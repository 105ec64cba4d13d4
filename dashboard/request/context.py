"""The questions of the desk: stores, the clock and the province, and a memory that asks each question once per tick."""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from dashboard.history.lives import ON_THEIR_WAY, PastLives
from dashboard.history.past import PastConnection
from dashboard.history.proof import Proof
from dashboard.history.slices import Scenes
from dashboard.query.alarms import AlarmStore
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Clock, Picture, Replay
from dashboard.query.concurrent import beside
from dashboard.query.connection import Connection, UnreachableError
from dashboard.query.figures import FigureStore
from dashboard.query.lists import ListStore
from dashboard.query.lives import LifeStore
from dashboard.query.records import RecordStore
from dashboard.query.replays import ReplayStore
from dashboard.query.rights import must_see_all
from dashboard.query.snapshot import ProvinceContext
from dashboard.query.sources import SourceStore
from dashboard.query.store import ScreenStore
from dashboard.request.address import PageRequest
from schemas.clickhouse.replays import ReplayRun, RunState
from schemas.clickhouse.retention import Horizon, Kept, horizon
from schemas.figures import Readings
from schemas.sources.freshness import Source

T = TypeVar("T")
TICK = 5.0
"""Seconds for which an answer is good enough for another viewer."""
RUNS_TICK = 1.0
"""The same for how the runs of the stream stand."""
RUN_SECONDS = 3600.0
PAST_TICK = 600.0
"""The same for what was known at a moment of the past, which does not change."""


class NotKeptError(ValueError):
    """A moment of which not all is kept any more; why in words, and from when on all is."""

    def __init__(self, why: str, whole_from: datetime) -> None:
        super().__init__(why)
        self.whole_from = whole_from


@dataclass
class PageContext:
    """Asks for all pages of one province. Safe to use from many threads: ClickHouse connections are one per thread."""

    connection: Connection
    clock: Clock
    place: ProvinceContext
    stale_after: float = 10.0
    """Seconds after which a job of the watch counts as not done."""
    keeps: float = 0.0
    """Seconds for which each answer is good at the least."""
    kept: Kept = field(default_factory=Kept)
    """For how long the installation keeps what."""
    _once: AnswerCache = field(default_factory=AnswerCache)
    _opened: list[Scenes] = field(default_factory=list)
    """Those of live and of every run that was looked at: shared, as what is made is taken away at the end."""

    def run(self, request: PageRequest) -> ReplayRun | None:
        """The run of the stream that an address looks at; None for live. Raises `ValueError` for one that there is not."""
        name = request.get("run")
        if not name:
            return None
        found = next((run for run in self.runs() if run.name == name), None)
        if found is None:
            raise ValueError(request.translator("no_run", name=name))
        return found

    def runs(self) -> list[ReplayRun]:
        """The runs of the stream, the newest first."""
        return self.once("runs", self.replays.runs, RUNS_TICK)

    def forget_runs(self) -> None:
        """One was begun, stopped or taken away: who looks next sees it."""
        self._once.forget("runs")

    def base(self, request: PageRequest) -> "PageContext":
        """Asks what an address looks at, as it is by now: live, or a run. Raises `ValueError` for a run that there is not."""
        run = self.run(request)
        if run is None:
            return self
        # One that goes on is remembered apart: of its past not all has come yet.
        key = ("run", run.name, run.begun_at, run.state)
        connection = self.replays.connection_of(run)
        return self._once(
            key,
            lambda: PageContext(
                connection, self.clock, self.place, self.stale_after, _opened=self._opened
            ),
            RUN_SECONDS,
        )

    def replay(self, request: PageRequest) -> Replay | None:
        """The moment of the past that an address shows: of a run, how far it has come, unless it says another. Raises
        `ValueError` for one that cannot be shown."""
        now = self.clock.now()
        found, run = request.replay(now), self.run(request)
        if run is None:
            if found and (known := self.horizon()) and found.at < known.whole_from:
                raise NotKeptError(
                    request.translator("not_kept", since=request.translator.full(known.whole_from)),
                    known.whole_from,
                )
            return found
        at = found.at if found else min(run.moment, now)
        # While it goes on, what it knows of a moment is still to come.
        is_known = (
            run.state is not RunState.RUNNING
            and found is not None
            and found.picture is Picture.KNOWN
        )
        return Replay(at, Picture.KNOWN if is_known else Picture.CORRECTED)

    def horizon(self) -> Horizon | None:
        """From when on single events are kept; None while nothing was let go of."""
        return self.once("horizon", lambda: horizon(self.connection.tuples))

    def of(self, request: PageRequest) -> "PageContext":
        """Asks for the moment of an address: for the present, or for the past as it is asked for there.

        Raises `ValueError` for a moment that is none, or is to come.
        """
        replay = self.replay(request)
        if replay is None:
            return self
        base = self.base(request)
        return base._once(replay, lambda: base._at(replay), PAST_TICK)

    def _at(self, replay: Replay) -> "PageContext":
        connection = PastConnection(
            self.connection, self.place.code, replay, self._past_lives, self._scenes
        )
        self.look_back()
        settled = replay.picture is Picture.KNOWN and replay.at < self.clock.now() - ON_THEIR_WAY
        return PageContext(
            connection,
            replay,
            self.place.then(replay),
            self.stale_after,
            PAST_TICK if settled else 0.0,
            self.kept,
            self._once,
        )

    def look_back(self) -> None:
        """Somebody is about to: what takes long is begun."""
        self._scenes.prepare()

    @cached_property
    def _past_lives(self) -> PastLives:
        return PastLives(self.connection, self.place.code)

    @cached_property
    def _scenes(self) -> Scenes:
        made = Scenes(self.connection, self.place.code)
        self._opened.append(made)
        return made

    def close(self) -> None:
        """Leave nothing behind in ClickHouse."""
        for one in self._opened:
            with suppress(UnreachableError):  # of a run that was removed its database is gone
                one.close()

    @cached_property
    def replays(self) -> ReplayStore:
        """The runs of the stream."""
        return ReplayStore(self.connection)

    @cached_property
    def proof(self) -> Proof:
        """What was recorded of what the screens showed, against its replay."""
        return Proof(self.connection, self.place.code)

    @cached_property
    def store(self) -> ScreenStore:
        """The questions of the wall."""
        return ScreenStore(self.connection)

    @cached_property
    def figures(self) -> FigureStore:
        """Figures of the province and its units."""
        return FigureStore(self.connection, self.place.calendar, self.place.units)

    @cached_property
    def lives(self) -> LifeStore:
        """Single entities, who holds them, what flows."""
        return LifeStore(self.connection, self.place.calendar, self.place.units)

    @cached_property
    def records(self) -> RecordStore:
        """Single records: those behind a figure, by number, with what was said of them."""
        return RecordStore(self.lives)

    @cached_property
    def lists(self) -> ListStore:
        """All records of a kind: narrowed, sorted, counted."""
        return ListStore(self.lives)

    @cached_property
    def alarms(self) -> AlarmStore:
        """What called for people, and who looks."""
        return AlarmStore(self.connection)

    @cached_property
    def sources(self) -> SourceStore:
        """How the sources stand and stood."""
        return SourceStore(self.connection, self.place.agencies, self.place.calendar)

    def once(self, key: Hashable, question: Callable[[], T], seconds: float = TICK) -> T:
        """The answer to a question: the one remembered under `key` if it is young enough, else asked now, by one thread only.

        Raises `dashboard.query.rights.NoRightsError` for somebody who may see the wall only.
        """
        must_see_all()
        if isinstance(self.clock, Replay):
            key, seconds = (self.clock, key), max(seconds, self.keeps)
        return self._once(key, question, seconds)

    def current_sources(self) -> tuple[Source, ...]:
        """Every feed as it stands."""
        return self.once("sources", lambda: self.sources.current(self.clock))

    def units(self) -> Mapping[str, Readings]:
        """All figures of the province (its code), of each commune and of each agency, with their ages."""
        communes = self.place.names or None
        return self.once(
            "units",
            lambda: self.figures.units(
                self.clock, self.place.code, beside(self.current_sources), communes
            ),
        )
