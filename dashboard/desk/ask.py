"""The questions of the desk: stores, the clock and the province, and a memory that asks each question once per tick."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from dashboard.clock import Clock, Picture, Replay
from dashboard.connection import Connection
from dashboard.desk.asked import Asked
from dashboard.once import Once
from dashboard.past import PastConnection
from dashboard.past_lives import ON_THEIR_WAY, PastLives
from dashboard.rights import must_see_all
from dashboard.snapshot import Place
from dashboard.store import Store
from dashboard.store_alarms import AlarmStore
from dashboard.store_figures import FigureStore
from dashboard.store_lists import ListStore
from dashboard.store_lives import LifeStore
from dashboard.store_records import RecordStore
from dashboard.store_sources import SourceStore
from schemas.figures import Readings
from schemas.freshness import Source

T = TypeVar("T")
TICK = 5.0
"""Seconds for which an answer is good enough for another viewer."""
PAST_TICK = 600.0
"""The same for what was known at a moment of the past, which does not change."""


@dataclass
class Ask:
    """Asks for all pages of one province. Safe to use from many threads: ClickHouse connections are one per thread."""

    connection: Connection
    clock: Clock
    place: Place
    stale_after: float = 10.0
    """Seconds after which a job of the watch counts as not done."""
    keeps: float = 0.0
    """Seconds for which each answer is good at the least."""
    _once: Once = field(default_factory=Once)

    def of(self, asked: Asked) -> "Ask":
        """Asks for the moment of an address: for the present, or for the past as it is asked for there.

        Raises `ValueError` for a moment that is none, or is to come.
        """
        replay = asked.replay
        if replay is None:
            return self
        if replay.at > self.clock.now():
            raise ValueError(asked.speech("moment_to_come"))
        return self._once(replay, lambda: self._at(replay), PAST_TICK)

    def _at(self, replay: Replay) -> "Ask":
        if replay.picture is Picture.KNOWN:
            self._past_lives.prepare(replay.at)
        connection = PastConnection(self.connection, self.place.code, replay, self._past_lives)
        settled = replay.picture is Picture.KNOWN and replay.at < self.clock.now() - ON_THEIR_WAY
        return Ask(connection, replay, self.place, self.stale_after, PAST_TICK if settled else 0.0, self._once)

    @cached_property
    def _past_lives(self) -> PastLives:
        return PastLives(self.connection, self.place.code)

    @cached_property
    def store(self) -> Store:
        """The questions of the wall."""
        return Store(self.connection)

    @cached_property
    def figures(self) -> FigureStore:
        """Figures of the province and its units."""
        return FigureStore(self.connection, self.place.calendar)

    @cached_property
    def lives(self) -> LifeStore:
        """Single entities, who holds them, what flows."""
        return LifeStore(self.connection, self.place.calendar)

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

        Raises `dashboard.rights.NoRightsError` for somebody who may see the wall only.
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
        return self.once("units", lambda: self.figures.units(self.clock, self.place.code, self.current_sources()))
