"""The context of a request: stores, clock and province, with a cache that queries once per tick."""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from dashboard.history.lives import ON_THEIR_WAY, PastLives
from dashboard.history.past import PastConnection
from dashboard.history.proof import Proof
from dashboard.history.slices import Slices
from dashboard.query.alarms import AlarmStore
from dashboard.query.cache import AnswerCache
from dashboard.query.clock import Clock, Picture, Replay
from dashboard.query.concurrent import run_concurrently
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
from schemas.clickhouse.retention import Horizon, RetentionDays, horizon
from schemas.figures import Readings
from schemas.sources.freshness import Source

T = TypeVar("T")
TICK_SECONDS = 5.0
"""Seconds for which an answer is reused for other viewers."""
RUNS_TICK_SECONDS = 1.0
"""The same for the state of replay runs."""
RUN_SECONDS = 3600.0
PAST_TICK_SECONDS = 600.0
"""The same for what was known at a past moment, which does not change."""


class NotKeptError(ValueError):
    """A moment of which retention has deleted some events; says from when on all are kept."""

    def __init__(self, why: str, whole_from: datetime) -> None:
        super().__init__(why)
        self.whole_from = whole_from


@dataclass
class PageContext:
    """What the pages of one province need to answer a request.

    Safe to use from many threads: there is one ClickHouse connection per thread.
    """

    connection: Connection
    clock: Clock
    place: ProvinceContext
    stale_after: float = 10.0
    """Seconds after which a job of the watch counts as stalled."""
    keeps: float = 0.0
    """Seconds for which each answer is reused at least."""
    kept: RetentionDays = field(default_factory=RetentionDays)
    """How long this installation keeps which events."""
    _once: AnswerCache = field(default_factory=AnswerCache)
    _opened: list[Slices] = field(default_factory=list)
    """Those of live and of every run that was viewed: shared, as `close` drops their tables."""

    def run(self, request: PageRequest) -> ReplayRun | None:
        """Return the replay run that a request names; None for live.

        Raises:
            ValueError: there is no such run.
        """
        name = request.get("run")
        if not name:
            return None
        found = next((run for run in self.runs() if run.name == name), None)
        if found is None:
            raise ValueError(request.translator("no_run", name=name))
        return found

    def runs(self) -> list[ReplayRun]:
        """Return the replay runs, newest first."""
        return self.cached("runs", self.replays.runs, RUNS_TICK_SECONDS)

    def forget_runs(self) -> None:
        """Drop the cached runs, as one was started, stopped or removed."""
        self._once.forget("runs")

    def base(self, request: PageRequest) -> "PageContext":
        """Return the context of what a request looks at, as it is now: live, or a run.

        Raises:
            ValueError: there is no such run.
        """
        run = self.run(request)
        if run is None:
            return self
        # A run in progress is cached apart: its past is not complete yet.
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
        """Return the past moment that a request shows; None for the present.

        Of a run that is how far it has come, unless the address names a moment.

        Raises:
            ValueError: the moment cannot be shown.
        """
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
        # A run in progress shows no "as known": the events known at a moment may not all have
        # arrived.
        is_known = (
            run.state is not RunState.RUNNING
            and found is not None
            and found.picture is Picture.KNOWN
        )
        return Replay(at, Picture.KNOWN if is_known else Picture.CORRECTED)

    def horizon(self) -> Horizon | None:
        """Return the retention horizon; None while nothing was deleted."""
        return self.cached("horizon", lambda: horizon(self.connection.tuples))

    def of(self, request: PageRequest) -> "PageContext":
        """Return the context for the moment of a request: the present, or the past it names.

        Raises:
            ValueError: the moment is malformed, lies ahead or is not kept any more.
        """
        replay = self.replay(request)
        if replay is None:
            return self
        base = self.base(request)
        return base._once(replay, lambda: base._at(replay), PAST_TICK_SECONDS)

    def _at(self, replay: Replay) -> "PageContext":
        connection = PastConnection(
            self.connection, self.place.code, replay, self._past_lives, self._slices
        )
        self.look_back()
        settled = replay.picture is Picture.KNOWN and replay.at < self.clock.now() - ON_THEIR_WAY
        return PageContext(
            connection,
            replay,
            self.place.then(replay),
            self.stale_after,
            PAST_TICK_SECONDS if settled else 0.0,
            self.kept,
            self._once,
        )

    def look_back(self) -> None:
        """Start preparing what takes long, as somebody is about to view the past."""
        self._slices.prepare()

    @cached_property
    def _past_lives(self) -> PastLives:
        return PastLives(self.connection, self.place.code)

    @cached_property
    def _slices(self) -> Slices:
        made = Slices(self.connection, self.place.code)
        self._opened.append(made)
        return made

    def close(self) -> None:
        """Drop the tables that views of the past made in ClickHouse."""
        for one in self._opened:
            with suppress(UnreachableError):  # the database of a removed run is gone
                one.close()

    @cached_property
    def replays(self) -> ReplayStore:
        """Queries about replay runs."""
        return ReplayStore(self.connection)

    @cached_property
    def proof(self) -> Proof:
        """Recorded snapshots of the screens, compared with their replay."""
        return Proof(self.connection, self.place.code)

    @cached_property
    def store(self) -> ScreenStore:
        """Queries of the wall."""
        return ScreenStore(self.connection)

    @cached_property
    def figures(self) -> FigureStore:
        """Figures of the province and its units."""
        return FigureStore(self.connection, self.place.calendar, self.place.units)

    @cached_property
    def lives(self) -> LifeStore:
        """Single entities, their holders and flows."""
        return LifeStore(self.connection, self.place.calendar, self.place.units)

    @cached_property
    def records(self) -> RecordStore:
        """Single records: behind a figure, by number, with their events."""
        return RecordStore(self.lives)

    @cached_property
    def lists(self) -> ListStore:
        """All records of a kind: filtered, sorted, counted."""
        return ListStore(self.lives)

    @cached_property
    def alarms(self) -> AlarmStore:
        """Alarms, and the state of the watch."""
        return AlarmStore(self.connection)

    @cached_property
    def sources(self) -> SourceStore:
        """The state of the sources, now and over time."""
        return SourceStore(self.connection, self.place.agencies, self.place.calendar)

    def cached(self, key: Hashable, question: Callable[[], T], seconds: float = TICK_SECONDS) -> T:
        """Return the answer cached under `key`, or let one thread query it now.

        Args:
            key: names the query and its parameters.
            question: runs the query.
            seconds: age up to which a cached answer is returned; the same wherever `key` is used.

        Raises:
            dashboard.query.rights.NoRightsError: the viewer may see the wall only.
        """
        must_see_all()
        if isinstance(self.clock, Replay):
            key, seconds = (self.clock, key), max(seconds, self.keeps)
        return self._once(key, question, seconds)

    def current_sources(self) -> tuple[Source, ...]:
        """Return the current state of every feed."""
        return self.cached("sources", lambda: self.sources.current(self.clock))

    def units(self) -> Mapping[str, Readings]:
        """Return all figures of the province, each commune and each agency, by unit code."""
        communes = self.place.names or None
        return self.cached(
            "units",
            lambda: self.figures.units(
                self.clock, self.place.code, run_concurrently(self.current_sources), communes
            ),
        )
