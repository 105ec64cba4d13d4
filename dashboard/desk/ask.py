"""The questions of the desk: stores, the clock and the province, and a memory that asks each question once per tick."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from dashboard.clock import Clock
from dashboard.connection import Connection
from dashboard.snapshot import Place
from dashboard.store import Store
from dashboard.store_alarms import AlarmStore
from dashboard.store_figures import FigureStore
from dashboard.store_lives import LifeStore
from dashboard.store_records import RecordStore
from dashboard.store_sources import SourceStore
from schemas.figures import Readings
from schemas.freshness import Source

T = TypeVar("T")
TICK = 5.0
"""Seconds for which an answer is good enough for another viewer."""
MOST = 500
"""Answers that are remembered at most."""


@dataclass
class Ask:
    """Asks for all pages of one province. Safe to use from many threads: ClickHouse connections are one per thread."""

    connection: Connection
    clock: Clock
    place: Place
    stale_after: float = 10.0
    """Seconds after which a job of the watch counts as not done."""
    _answers: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)
    _locks: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

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
    def alarms(self) -> AlarmStore:
        """What called for people, and who looks."""
        return AlarmStore(self.connection)

    @cached_property
    def sources(self) -> SourceStore:
        """How the sources stand and stood."""
        return SourceStore(self.connection, self.place.agencies, self.place.calendar)

    def once(self, key: Hashable, question: Callable[[], T], seconds: float = TICK) -> T:
        """The answer to a question: the one remembered under `key` if it is young enough, else asked now, by one thread only."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            before = self._answers.get(key)
            if before is not None and time.monotonic() - before[0] < seconds:
                return before[1]  # type: ignore[no-any-return]
            answer = question()
            self._answers[key] = (time.monotonic(), answer)
        with self._guard:
            if len(self._answers) > MOST:
                for old in sorted(self._answers, key=lambda one: self._answers[one][0])[: MOST // 2]:
                    self._answers.pop(old, None)
                    self._locks.pop(old, None)
        return answer

    def current_sources(self) -> tuple[Source, ...]:
        """Every feed as it stands."""
        return self.once("sources", lambda: self.sources.current(self.clock))

    def units(self) -> Mapping[str, Readings]:
        """All figures of the province (its code), of each commune and of each agency, with their ages."""
        return self.once("units", lambda: self.figures.units(self.clock, self.place.code, self.current_sources()))
