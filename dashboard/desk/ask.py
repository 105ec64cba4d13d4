"""The questions of the desk: stores, the clock and the province, and a memory that asks each question once per tick."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from dashboard.clock import Clock
from dashboard.connection import Connection
from dashboard.once import Once
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


@dataclass
class Ask:
    """Asks for all pages of one province. Safe to use from many threads: ClickHouse connections are one per thread."""

    connection: Connection
    clock: Clock
    place: Place
    stale_after: float = 10.0
    """Seconds after which a job of the watch counts as not done."""
    _once: Once = field(default_factory=Once)

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
        return self._once(key, question, seconds)

    def current_sources(self) -> tuple[Source, ...]:
        """Every feed as it stands."""
        return self.once("sources", lambda: self.sources.current(self.clock))

    def units(self) -> Mapping[str, Readings]:
        """All figures of the province (its code), of each commune and of each agency, with their ages."""
        return self.once("units", lambda: self.figures.units(self.clock, self.place.code, self.current_sources()))
